"""Rows -> bytes by orjson, for schemas of which it writes every field just as Pydantic does.

A schema is taken when its fields are plain columns of the types below, under their own names, with nothing that runs when a
value is read or written: no constraint, validator, serializer, computed field or alias. A type that is not listed has no
verdict, and goes to Pydantic. So does a row in which orjson meets a value that it does not know (an integer beyond 64 bits).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from operator import itemgetter
from types import NoneType, UnionType
from typing import Any, Final, NamedTuple, Union, get_args, get_origin
from uuid import UUID

import orjson
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    Double,
    Float,
    Integer,
    Numeric,
    SmallInteger,
    String,
    Text,
    Uuid,
)
from sqlalchemy import Enum as EnumType
from sqlalchemy.types import TypeEngine

from freehold.resource.base import UTCDateTime
from freehold.store.fetched import Fetched

_SAME: Final[Mapping[type[Any], frozenset[type[TypeEngine[Any]]]]] = {
    UUID: frozenset({Uuid}),
    str: frozenset({String, Text}),
    int: frozenset({Integer, SmallInteger, BigInteger}),
    float: frozenset({Float, Double}),
    bool: frozenset({Boolean}),
    date: frozenset({Date}),
    datetime: frozenset({UTCDateTime}),
    Decimal: frozenset({Numeric}),
}
# What a schema may say of itself without a word about values.
_HARMLESS: Final = frozenset(
    {
        "arbitrary_types_allowed", "extra", "from_attributes", "frozen", "json_schema_extra", "json_schema_mode_override",
        "populate_by_name", "protected_namespaces", "ser_json_bytes", "title", "use_attribute_docstrings", "val_json_bytes",
        "validate_by_name",
    }
)  # fmt: skip
_OWN: Final = ("__get_pydantic_core_schema__", "model_post_init", "__init__", "__new__")
# A column of instants holds nothing but UTC, whether the driver says so of a value or not.
_OPTIONS: Final = orjson.OPT_UTC_Z | orjson.OPT_NAIVE_UTC


class RowWriters(NamedTuple):
    """Rows of one form -> JSON: each by itself, or all as one array."""

    each: Callable[[Sequence[Sequence[Any]]], list[bytes]]
    all: Callable[[Sequence[Sequence[Any]]], bytes]


class ExactEncoder:
    """Writes rows whose first columns are `names`, in that order. Raises TypeError for a value that it does not know.

    texts: the places of columns that hold a list of text.
    """

    def __init__(self, names: Sequence[str], texts: Sequence[int] = ()) -> None:
        self._names = tuple(names)
        self._texts = tuple(texts)
        self._of_values = self._made({})

    def each(self, rows: Sequence[Sequence[Any]]) -> list[bytes]:
        """Each row as JSON."""
        raw, writers = self._writing(rows)
        return writers.each(raw)

    def many(self, rows: Sequence[Sequence[Any]]) -> bytes:
        """All rows as one array."""
        raw, writers = self._writing(rows)
        return writers.all(raw)

    def takes(self, row: Mapping[str, Any]) -> bool:
        """Whether it writes a row of these values, by their names; what it leaves to Pydantic may be refused there."""
        return not self._texts or all(_is_texts(row[self._names[place]]) for place in self._texts)

    def _writing(self, rows: Sequence[Sequence[Any]]) -> tuple[Sequence[Sequence[Any]], RowWriters]:
        """The rows as they came, and what writes such rows: made once for a statement, and kept with it."""
        if not isinstance(rows, Fetched):
            return rows, self._of_values
        prepared = rows.prepared
        found = prepared.encoders.get(self)
        if found is None:
            found = prepared.encoders[self] = self._made(prepared.writers)
        return rows.raw, found

    def _made(self, writers: Mapping[int, Callable[[Any], Any]]) -> RowWriters:
        """writers: what values go through, by place.

        Its text is made here, as that of a named tuple is: a dict whose keys stand in the text takes a quarter of the time of
        one that is made of pairs, and the rows of a page took a tenth of what the page costs. Values are taken out of a row all
        at once, which is quicker than one by one.
        """
        known: dict[str, Any] = {"dumps": orjson.dumps, "other": _other, "options": _OPTIONS, "texts": _texts}
        known["first"] = itemgetter(slice(len(self._names)))
        members = []
        for place, name in enumerate(self._names):
            value = f"v{place}"
            if place in writers:
                known[f"w{place}"] = writers[place]
                value = f"w{place}({value})"
            members.append(f"{name!r}: {f'texts({value})' if place in self._texts else value}")
        row = f"{{{', '.join(members)}}}"
        rows = f"for [{', '.join(f'v{place}' for place in range(len(members)))}] in map(first, rows)"
        each = eval(f"lambda rows: [dumps({row}, other, options) {rows}]", known)  # noqa: S307 (names of fields, quoted)
        many = eval(f"lambda rows: dumps([{row} {rows}], other, options)", known)  # noqa: S307 (as above)
        return RowWriters(each, many)


def exact_encoder(read: type[BaseModel], columns: Mapping[str, Column[Any]] | None) -> ExactEncoder | None:
    """An encoder for a schema whose columns were found; None where orjson might differ."""
    if columns is None or tuple(columns) != tuple(read.model_fields) or not _is_plain(read):
        return None
    if not all(_is_exact(read.model_fields[name], column) for name, column in columns.items()):
        return None
    texts = [place for place, column in enumerate(columns.values()) if type(column.type) is JSON]
    return ExactEncoder(tuple(columns), texts)


def _is_plain(read: type[BaseModel]) -> bool:
    found = read.__pydantic_decorators__
    runs = (
        found.validators, found.field_validators, found.root_validators, found.field_serializers, found.model_serializers,
        found.model_validators, found.computed_fields,
    )  # fmt: skip
    if any(runs) or not _HARMLESS.issuperset(read.model_config):
        return False
    if read.model_config.get("extra") == "allow" or read.__pydantic_root_model__:
        return False
    return all(getattr(read, name, None) == getattr(BaseModel, name, None) for name in _OWN if name in _said(read))


def _said(read: type[BaseModel]) -> set[str]:
    return {name for base in read.__mro__ if base not in BaseModel.__mro__ for name in vars(base)}


def _is_exact(info: FieldInfo, column: Column[Any]) -> bool:
    if info.metadata or info.exclude or info.exclude_if or info.discriminator is not None:
        return False
    if info.alias or info.validation_alias or info.serialization_alias:
        return False
    return type(column.type) is JSON if info.annotation == list[str] else _is_same(info, column)


def _is_same(info: FieldInfo, column: Column[Any]) -> bool:
    kind, is_optional = _plain_type(info.annotation)
    if column.nullable and not is_optional:
        return False
    if isinstance(column.type, EnumType):
        return isinstance(kind, type) and issubclass(kind, Enum) and column.type.enum_class is kind and _is_text(kind)
    if type(column.type) not in _SAME.get(kind, ()):
        return False
    as_decimal = getattr(column.type, "asdecimal", None)
    return as_decimal is None or as_decimal is (kind is Decimal)


def _is_text(kind: type[Enum]) -> bool:
    return all(type(member.value) is str for member in kind)


def _plain_type(annotation: Any) -> tuple[Any, bool]:
    if get_origin(annotation) in (Union, UnionType):
        parts = [part for part in get_args(annotation) if part is not NoneType]
        return (parts[0], True) if len(parts) == 1 else (None, False)
    return annotation, False


def _texts(value: Any) -> Any:
    if not _is_texts(value):
        raise TypeError(type(value).__name__)
    return value


def _is_texts(value: Any) -> bool:
    """JSON may hold anything: what is no list of text is for Pydantic to refuse, or to write."""
    return type(value) is list and all(type(each) is str for each in value)


def _other(value: Any) -> Any:
    """The driver's own UUIDs are of a subclass, which orjson does not take for one."""
    if isinstance(value, (UUID, Decimal)):
        return str(value)
    raise TypeError(type(value).__name__)
