"""Rows as a driver gave them, and as SQLAlchemy would give them: the latter are made where somebody looks at one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, overload

from sqlalchemy import Row

if TYPE_CHECKING:
    from freehold.store.prepared import Prepared

Write = Callable[[Any], Any]
Writers = tuple[tuple[int, Write], ...]
"""By place, what values go through on their way to orjson, where there is something."""


class Fetched(Sequence[Row[Any]]):
    """The rows of one statement. raw: the driver's."""

    __slots__ = ("_prepared", "raw")

    def __init__(self, raw: Sequence[Sequence[Any]], prepared: Prepared) -> None:
        self.raw = raw
        self._prepared = prepared

    def __len__(self) -> int:
        return len(self.raw)

    @overload
    def __getitem__(self, place: int) -> Row[Any]: ...
    @overload
    def __getitem__(self, place: slice) -> Fetched: ...
    def __getitem__(self, place: int | slice) -> Row[Any] | Fetched:
        if isinstance(place, slice):
            return Fetched(self.raw[place], self._prepared)
        return self._prepared.row(self.raw[place])

    def value(self, number: int, place: int) -> Any:
        """One value, as it stands in that row."""
        found, decoder = self.raw[number][place], self._prepared.decoder(place)
        return found if decoder is None else decoder(found)

    def told(self, number: int, places: Sequence[int]) -> tuple[Any, ...]:
        """Some values of one row, as a cursor has them."""
        row, tellers = self.raw[number], self._prepared.tellers
        return tuple([row[place] if (teller := tellers[place]) is None else teller(row[place]) for place in places])

    def writers(self, width: int) -> Writers:
        """Those of the first `width` columns."""
        return self._prepared.writers_of(width)


def value_at(rows: Sequence[Row[Any]], number: int, place: int) -> Any:
    """One value of one row."""
    return rows.value(number, place) if isinstance(rows, Fetched) else rows[number][place]


def told_at(rows: Sequence[Row[Any]], number: int, places: Sequence[int]) -> tuple[Any, ...]:
    """Some values of one row, for a cursor."""
    if isinstance(rows, Fetched):
        return rows.told(number, places)
    row = rows[number]
    return tuple([row[place] for place in places])


def as_written(rows: Sequence[Sequence[Any]], width: int) -> tuple[Sequence[Sequence[Any]], Writers]:
    """Rows for an encoder that writes the first `width` columns, and what their values go through."""
    return (rows.raw, rows.writers(width)) if isinstance(rows, Fetched) else (rows, ())
