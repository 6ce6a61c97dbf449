"""Rows as a driver gave them, and as SQLAlchemy would give them: the latter are made where somebody looks at one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, overload

from sqlalchemy import Row

if TYPE_CHECKING:
    from freehold.store.prepared import Prepared


class Fetched(Sequence[Row[Any]]):
    """The rows of one statement. raw: the driver's. prepared: what they mean."""

    __slots__ = ("prepared", "raw")

    def __init__(self, raw: Sequence[Sequence[Any]], prepared: Prepared) -> None:
        self.raw = raw
        self.prepared = prepared

    def __len__(self) -> int:
        return len(self.raw)

    @overload
    def __getitem__(self, place: int) -> Row[Any]: ...
    @overload
    def __getitem__(self, place: slice) -> Fetched: ...
    def __getitem__(self, place: int | slice) -> Row[Any] | Fetched:
        if isinstance(place, slice):
            return Fetched(self.raw[place], self.prepared)
        return self.prepared.row(self.raw[place])


def value_at(rows: Sequence[Row[Any]], number: int, place: int) -> Any:
    """One value of one row."""
    if not isinstance(rows, Fetched):
        return rows[number][place]
    value, decoder = rows.raw[number][place], rows.prepared.decoder(place)
    return value if decoder is None else decoder(value)


def told_at(rows: Sequence[Row[Any]], number: int, places: Sequence[int]) -> tuple[Any, ...]:
    """Some values of one row, as a cursor has them."""
    row: Sequence[Any]
    if not isinstance(rows, Fetched):
        row = rows[number]
        return tuple([row[place] for place in places])
    row, tellers = rows.raw[number], rows.prepared.tellers
    return tuple([row[place] if (teller := tellers[place]) is None else teller(row[place]) for place in places])
