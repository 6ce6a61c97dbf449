"""Rows as a driver gave them, and as SQLAlchemy would give them: the latter are made where somebody looks at one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, overload

from sqlalchemy import Row

Make = Any
"""A row of the driver -> a row of SQLAlchemy."""


class Fetched(Sequence[Row[Any]]):
    """The rows of one statement. raw: the driver's. plain: so many columns from the first on mean as they are what their types make of them."""

    __slots__ = ("_make", "plain", "raw")

    def __init__(self, raw: Sequence[Sequence[Any]], make: Make, plain: int) -> None:
        self.raw = raw
        self.plain = plain
        self._make = make

    def __len__(self) -> int:
        return len(self.raw)

    @overload
    def __getitem__(self, place: int) -> Row[Any]: ...
    @overload
    def __getitem__(self, place: slice) -> Fetched: ...
    def __getitem__(self, place: int | slice) -> Row[Any] | Fetched:
        if isinstance(place, slice):
            return Fetched(self.raw[place], self._make, self.plain)
        made: Row[Any] = self._make(self.raw[place])
        return made


def as_written(rows: Sequence[Sequence[Any]], width: int) -> Sequence[Sequence[Any]]:
    """Rows for an encoder that writes the first `width` columns: the driver's own where those are what they mean."""
    return rows.raw if isinstance(rows, Fetched) and rows.plain >= width else rows
