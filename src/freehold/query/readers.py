"""How the text of a parameter of one's own (`Filter.params`) becomes a value of its type."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, Final
from uuid import UUID

from pydantic import TypeAdapter, ValidationError

from freehold.query import values


def reader(type_: Any) -> Callable[[str], Any]:
    """How the text of a parameter of a `Filter` becomes a value of `type_`. Raises `values.BadValue`."""
    if type_ in _READERS:
        return _READERS[type_]
    if isinstance(type_, type) and issubclass(type_, Enum):
        return _choice({str(member.value): member for member in type_})
    adapter: TypeAdapter[Any] = TypeAdapter(type_)

    def read(text: str) -> Any:
        try:
            return adapter.validate_strings(values.text(text))
        except ValidationError as error:
            raise values.BadValue(str(error.errors()[0]["msg"])) from None

    return read


def _choice(choices: Mapping[str, Any]) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        if text not in choices:
            raise values.BadValue(f"Expected one of {', '.join(sorted(choices))}.")
        return choices[text]

    return read


_READERS: Final[Mapping[Any, Callable[[str], Any]]] = {
    str: values.text,
    int: values.integer,
    float: values.number,
    bool: values.boolean,
    Decimal: values.decimal,
    UUID: values.uuid,
    date: values.day,
    datetime: values.instant,
}
