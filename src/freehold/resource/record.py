"""One row of a file that is imported, on its way to the fields of a resource."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

LONGEST_REMARK = 300


@dataclass(frozen=True, slots=True)
class Remark:
    """What is said of one column of a row. is_refusal: for this reason the row is not taken."""

    column: str
    message: str
    is_refusal: bool


class Record(Mapping[str, Any]):
    """A row as the file holds it, by column: text from CSV (`""` for an empty cell), any JSON value from JSON Lines.

    line: where it begins, from 1. A function that cleans it says what it did, and what is wrong with it::

        record.note("isbn", "its leading zero was restored")
        record.refuse("year", "is no year")
    """

    def __init__(self, values: Mapping[str, Any], *, line: int) -> None:
        self.line = line
        self.remarks: list[Remark] = []
        self._values = values

    def note(self, column: str, message: str) -> None:
        """Take the row, and report this. One sentence, the same for all rows that it is true of: they are counted."""
        self.remarks.append(Remark(column, message[:LONGEST_REMARK], is_refusal=False))

    def refuse(self, column: str, message: str) -> None:
        """Do not take the row, for this reason; all reasons of a row are reported together."""
        self.remarks.append(Remark(column, message[:LONGEST_REMARK], is_refusal=True))

    @property
    def is_refused(self) -> bool:
        """Whether a reason against it was given."""
        return any(each.is_refusal for each in self.remarks)

    def __getitem__(self, column: str) -> Any:
        return self._values[column]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)
