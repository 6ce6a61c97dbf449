"""Records of the audit trail as prepared statements, for a unit that changed one row: on PostgreSQL one message."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from operator import itemgetter
from typing import Any, Final
from weakref import WeakKeyDictionary

import orjson
from sqlalchemy import CTE, JSON, Column, Insert, Table, TypeDecorator, bindparam, insert, literal_column, select
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeEngine

from freehold.store.audit import AUDIT
from freehold.store.audit_values import AUDIT_VALUES, JsonText
from freehold.store.many import many_of
from freehold.store.prepared import Prepared
from freehold.store.straight import NotStraight, Straight

_RECORDED: Final = (
    "id", "recorded_at", "principal_id", "system_reason", "action", "subject_type", "subject_id", "details", "request_id",
)  # fmt: skip
_RECORD_BINDS: Final = [f"record_{name}" for name in _RECORDED]
_recorded: Final = itemgetter(*_RECORDED)
_CONTENT: Final = "kept_content"
# What both rows hold is sent once. Column -> bind.
_KEPT: Final = {
    "record_id": "record_id",
    "subject_type": "record_subject_type",
    "subject_id": "record_subject_id",
    "content": _CONTENT,
}


class _Json(TypeDecorator[Any]):
    """JSON of values that are JSON already, by orjson where it can write them: a tenth of what `json` takes."""

    impl = JSON(none_as_null=True)
    cache_ok = True

    def bind_processor(self, _: Dialect) -> Callable[[Any], str | None]:
        """To text."""
        return _written


def _written(value: Any) -> str | None:
    if value is None or type(value) is JsonText:
        return value
    try:
        return orjson.dumps(value).decode()
    except TypeError:  # an integer past 64 bits, half of a character
        return json.dumps(value)


_known: WeakKeyDictionary[Dialect, dict[bool, list[Prepared]]] = WeakKeyDictionary()


async def write(straight: Straight, record: Mapping[str, Any], kept: Mapping[str, Any] | None) -> None:
    """Insert one record, and the values that stand beside it."""
    known = _known.setdefault(straight.dialect, {})
    has_values = kept is not None
    if has_values not in known:
        known[has_values] = prepared(inserts(has_values=has_values), straight.dialect)
    bound = params(record, kept)
    await straight.run([(each, bound) for each in known[has_values]])


def inserts(*, has_values: bool, created: str | None = None) -> list[Insert]:
    """The statements; for `params`. created: rows of which resource are told, where the text is to say so itself."""
    said = {} if created is None else {"action": f"{created}.created", "subject_type": created}
    found = [_saying(insert_of(AUDIT, {name: f"record_{name}" for name in _RECORDED if name not in said}), said)]
    if has_values:
        kept = {name: bind for name, bind in _KEPT.items() if name not in said}
        found.append(_saying(insert_of(AUDIT_VALUES, kept), said))
    return found


def _saying(statement: Insert, said: Mapping[str, str]) -> Insert:
    """With constants in the text: what is the same each time is not sent each time."""
    texts: dict[str, Any] = {}
    for name, text in said.items():
        if name in statement.table.c:
            texts[name] = literal_column("'" + text.replace("'", "''") + "'")
    return statement.values(texts) if texts else statement


def inserts_after(row: CTE, *, has_values: bool) -> list[Insert]:
    """The same, where and only where there is a row."""
    found = [_insert_after(row, AUDIT, {name: f"record_{name}" for name in _RECORDED})]
    if has_values:
        found.append(_insert_after(row, AUDIT_VALUES, _KEPT))
    return found


def _insert_after(row: CTE, table: Table, names: Mapping[str, str]) -> Insert:
    values = [bindparam(name, type_=_type(table.c[column])) for column, name in names.items()]
    return insert(table).from_select(list(names), select(*values).select_from(row), include_defaults=False)


def params(record: Mapping[str, Any], kept: Mapping[str, Any] | None) -> dict[str, Any]:
    """The values of `inserts`."""
    found = dict(zip(_RECORD_BINDS, _recorded(record), strict=True))
    if kept is not None:
        found[_CONTENT] = kept["content"]
    return found


def insert_of(table: Table, names: Mapping[str, str]) -> Insert:
    """The INSERT of one row. names: column -> bind."""
    values = {column: bindparam(name, type_=_type(table.c[column])) for column, name in names.items()}
    return insert(table).values(values).inline()


def prepared(statements: list[Any], dialect: Any) -> list[Prepared]:
    """Statements in the text of a dialect; on PostgreSQL in one. Raises NotStraight for what a scope would refuse."""
    if dialect.name == "postgresql":
        statements = [_in_one(statements)]
    return [_prepare(each, dialect) for each in statements]


def _type(column: Column[Any]) -> TypeEngine[Any]:
    """Of the ledger's columns; what an application's hold is written as its type says."""
    is_ours = column.table in (AUDIT, AUDIT_VALUES) and isinstance(column.type, JSON)
    return _Json() if is_ours else column.type


def whole(statement: Any | None, dialect: Any, *, key: Mapping[str, str] | None = None) -> Prepared | None:
    """One statement in the text of a dialect; None where there is none, or a scope would refuse it.

    key: see `many_of`, for a statement that may be sent for many rows at once.
    """
    try:
        return None if statement is None else _prepare(statement, dialect, key=key)
    except NotStraight:
        return None


def _in_one(inserts: list[Any]) -> Any:
    """One statement, one trip: all but the last stand in front of it."""
    *others, last = inserts
    return last.add_cte(*(each.cte(f"fh_part_{number}") for number, each in enumerate(others)))


def _prepare(statement: Any, dialect: Any, *, key: Mapping[str, str] | None = None) -> Prepared:
    compiled: Any = statement.compile(dialect=dialect)
    if compiled.fh_opaque or compiled.post_compile_params or compiled.literal_execute_params:
        raise NotStraight
    found = Prepared(compiled, dialect)
    found.many = None if key is None else many_of(compiled, dialect, key)
    return found
