"""Records of the audit trail as prepared statements, for a unit that changed one row: on PostgreSQL one message."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from weakref import WeakKeyDictionary

from sqlalchemy import Insert, Table, bindparam, insert
from sqlalchemy.engine import Dialect

from freehold.store.audit import AUDIT
from freehold.store.audit_values import AUDIT_VALUES
from freehold.store.prepared import Prepared
from freehold.store.straight import NotStraight, Straight

_RECORDED: Final = (
    "id", "recorded_at", "principal_id", "system_reason", "action", "subject_type", "subject_id", "details", "request_id",
)  # fmt: skip
_KEPT: Final = ("record_id", "subject_type", "subject_id", "content")
_known: WeakKeyDictionary[Dialect, dict[bool, list[Prepared]]] = WeakKeyDictionary()


async def write(straight: Straight, record: Mapping[str, Any], kept: Mapping[str, Any] | None) -> None:
    """Insert one record, and the values that stand beside it."""
    known = _known.setdefault(straight.dialect, {})
    has_values = kept is not None
    if has_values not in known:
        known[has_values] = prepared(inserts(has_values=has_values), straight.dialect)
    bound = params(record, kept)
    await straight.run([(each, bound) for each in known[has_values]])


def inserts(*, has_values: bool) -> list[Insert]:
    """The statements; for `params`."""
    found = [insert_of(AUDIT, {name: f"record_{name}" for name in _RECORDED})]
    if has_values:
        found.append(insert_of(AUDIT_VALUES, {name: f"kept_{name}" for name in _KEPT}))
    return found


def params(record: Mapping[str, Any], kept: Mapping[str, Any] | None) -> dict[str, Any]:
    """The values of `inserts`."""
    found = {f"record_{name}": record[name] for name in _RECORDED}
    return found if kept is None else found | {f"kept_{name}": kept[name] for name in _KEPT}


def insert_of(table: Table, names: Mapping[str, str]) -> Insert:
    """The INSERT of one row. names: column -> bind."""
    values = {column: bindparam(name, type_=table.c[column].type) for column, name in names.items()}
    return insert(table).values(values).inline()


def prepared(statements: list[Any], dialect: Any) -> list[Prepared]:
    """Statements in the text of a dialect; on PostgreSQL in one. Raises NotStraight for what a scope would refuse."""
    if dialect.name == "postgresql":
        statements = [_in_one(statements)]
    return [_prepare(each, dialect) for each in statements]


def _in_one(inserts: list[Any]) -> Any:
    """One statement, one trip: all but the last stand in front of it."""
    *others, last = inserts
    return last.add_cte(*(each.cte(f"fh_part_{number}") for number, each in enumerate(others)))


def _prepare(statement: Any, dialect: Any) -> Prepared:
    compiled: Any = statement.compile(dialect=dialect)
    if compiled.fh_opaque or compiled.post_compile_params or compiled.literal_execute_params:
        raise NotStraight
    return Prepared(compiled, dialect)
