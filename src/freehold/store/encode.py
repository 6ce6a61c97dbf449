"""Rows -> bytes, by the read schema itself, so that an answer equals what FastAPI would have sent.

Three ways: orjson where it writes every field just as the schema would (`encode_exact`), dict rows through the schema where
every field is a column, and ORM objects where a field needs one (a property, a relationship, a validator that looks at the
whole object).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
from pydantic import AliasChoices, AliasPath, BaseModel, TypeAdapter
from pydantic.fields import FieldInfo
from pydantic_core import to_json
from sqlalchemy import Column, ColumnElement, Row, inspect
from sqlalchemy.orm import DeclarativeBase, Mapper

from freehold.store.encode_exact import exact_encoder

SHOW_PREFIX: Final = "fh_show_"
"""A column of this name beside a row says whether the field of that name is shown in it."""


@dataclass(frozen=True, slots=True, eq=False)
class Visibility:
    """What a kind of caller sees of a resource's fields.

    hidden: fields left out of every row. flags: field -> SQL condition under which it is shown in a row. shape: equal
    for callers with the same `hidden` and `flags`, so that they share plans.
    """

    hidden: frozenset[str] = frozenset()
    flags: Mapping[str, ColumnElement[bool]] = field(default_factory=dict)
    shape: Any = None


EVERYTHING: Final = Visibility()


class Encoder:
    """Encodes the rows of one resource. `columns` are what a plan selects first, by label; None: the object itself."""

    def __init__(self, model: type[DeclarativeBase], read: type[BaseModel]) -> None:
        self.read = read
        self.columns = _columns(inspect(model), read)
        self.exact = exact_encoder(read, self.columns)
        self._one: TypeAdapter[Any] = TypeAdapter(read)
        self._many: TypeAdapter[Any] = TypeAdapter(list[read])  # type: ignore[valid-type]

    @property
    def is_orm(self) -> bool:
        """Whether the schema needs objects."""
        return self.columns is None

    def items(
        self, rows: Sequence[Row[Any]], visibility: Visibility = EVERYTHING, *, without: frozenset[str] = frozenset()
    ) -> list[bytes]:
        """Each row as JSON, with what the caller may not see left out. without: fields that are added otherwise."""
        if self.exact is not None and not (visibility.hidden or visibility.flags or without):
            try:
                return self.exact.each(rows)
            except TypeError:
                pass  # a value that only Pydantic can write, or refuse
        return [
            self._one.dump_json(value, by_alias=True, exclude=(hidden | without) or None)
            for value, hidden in zip(self._validated(rows), _hidden(rows, visibility), strict=True)
        ]

    def array(self, rows: Sequence[Row[Any]], visibility: Visibility = EVERYTHING) -> bytes:
        """All rows as one JSON array."""
        if visibility.hidden or visibility.flags:
            return b"[%b]" % b",".join(self.items(rows, visibility))
        if self.exact is not None:
            try:
                return self.exact.many(rows)
            except TypeError:
                pass
        return self._many.dump_json(self._validated(rows), by_alias=True)

    def _validated(self, rows: Sequence[Row[Any]]) -> list[Any]:
        if self.columns is None:
            found = self._many.validate_python([row[0] for row in rows], from_attributes=True)
        else:
            names = tuple(self.columns)
            # zip stops at the last name: what a plan selects beyond the fields is not the schema's business.
            found = self._many.validate_python(
                [dict(zip(names, row, strict=False)) for row in rows], by_alias=True, by_name=True
            )
        assert isinstance(found, list)
        return found


def _hidden(rows: Sequence[Row[Any]], visibility: Visibility) -> Iterator[set[str]]:
    places = [(name, f"{SHOW_PREFIX}{name}") for name in visibility.flags]
    for row in rows:
        yield {*visibility.hidden, *(name for name, flag in places if not getattr(row, flag))}


def _columns(mapper: Mapper[Any], read: type[BaseModel]) -> dict[str, Column[Any]] | None:
    decorators = read.__pydantic_decorators__
    if any(each.info.mode != "after" for each in decorators.model_validators.values()):
        return None  # it may look at attributes that are no fields
    found: dict[str, Column[Any]] = {}
    for name, info in read.model_fields.items():
        sources = _sources(name, info)
        source = next((each for each in sources if hasattr(mapper.class_, each)), None)
        if source is None and sources and not info.is_required():
            continue  # a field with a default that the model knows nothing of
        if source is None or source not in mapper.column_attrs:
            return None
        column = mapper.column_attrs[source].columns[0]
        if not isinstance(column, Column):
            return None
        found[source] = column
    return found


def _sources(name: str, info: FieldInfo) -> list[str]:
    """Attributes that a field may be read from, first choice first; none where it is read from inside of one."""
    alias = info.validation_alias
    if isinstance(alias, AliasPath):
        return []
    if isinstance(alias, AliasChoices):
        plain = [each for each in alias.choices if isinstance(each, str)]
        return [*plain, name] if len(plain) == len(alias.choices) else []
    return [alias, name] if isinstance(alias, str) else [name]


def spliced(item: bytes, extra: Sequence[tuple[str, bytes]]) -> bytes:
    """A JSON object with further members at its end."""
    if not extra:
        return item
    members = b",".join(to_json(name) + b":" + value for name, value in extra)
    return b"{%b}" % members if item == b"{}" else b"%b,%b}" % (item[:-1], members)


def envelope(items: bytes, *, next_cursor: str | None, extra: Sequence[tuple[str, bytes]] = ()) -> bytes:
    """The body of a list."""
    # Joined at once: to format bytes of that length copies them twice.
    return spliced(b"".join((b'{"items":', items, b',"next_cursor":', orjson.dumps(next_cursor), b"}")), extra)
