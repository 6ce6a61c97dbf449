"""CSV (RFC 4180) as records. A row that cannot be read is one refused record, and the next one is read on.

A quote that is never closed would make one field of the rest of the file: the line where it opens is refused, and
reading goes on with the line after it.
"""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator
from itertools import chain
from typing import Final

from freehold.resource.record import Record
from freehold.transfer.cells import unguarded
from freehold.transfer.source import LONGEST_LINE, Line, Unreadable, undecoded

_DELIMITERS: Final = ",;\t|"
ROW: Final = ""
"""The column of a remark that is about the whole row."""
_TOO_LONG: Final = f"is longer than {LONGEST_LINE} characters"

csv.field_size_limit(LONGEST_LINE)


def records(found: Iterator[Line], *, delimiter: str | None = None) -> Iterator[Record]:
    """Every row below the header. Raises Unreadable where there is no header, or not one name for each column."""
    first = next(found, None)
    if first is None:
        return
    delimiter = delimiter or max(_DELIMITERS, key=first.text.count)
    rows = _Rows(chain([first], found), delimiter)
    header, fault = rows.next_row()
    if fault is not None or header is None:
        raise Unreadable(f"The first line names the columns; it {fault}.")
    names = [name.strip() for name in header]
    if "" in names or len(set(names)) < len(names):
        raise Unreadable("The first line has to name each column once, and none with an empty name.")
    if any(undecoded(name) for name in names):
        raise Unreadable("The first line is not UTF-8: say the encoding of the file.")
    while True:
        row, fault = rows.next_row()
        if fault is not None:
            yield _refused({}, rows.began, fault)
        elif row is None:
            return
        elif row:
            yield _record(names, row, rows.began)


def _record(names: list[str], row: list[str], line: int) -> Record:
    values = dict(zip(names, map(unguarded, row), strict=False))
    if len(row) != len(names):
        return _refused(values, line, f"has {len(row)} cells, where the first line has {len(names)}")
    if any(map(undecoded, row)):
        return _refused(values, line, "is not in the encoding of the file (UTF-8 unless said otherwise)")
    return Record(values, line=line)


def _refused(values: dict[str, str], line: int, fault: str) -> Record:
    record = Record(values, line=line)
    record.refuse(ROW, fault)
    return record


class _Rows:
    """Rows out of lines, one by one; `began` is the line where the last one begins."""

    def __init__(self, found: Iterator[Line], delimiter: str) -> None:
        self.began = 0
        self._found = found
        self._again: deque[Line] = deque()
        self._taken: list[Line] = []
        self._delimiter = delimiter

    def next_row(self) -> tuple[list[str] | None, str | None]:
        """The row, or why it cannot be read; (None, None) at the end. A blank line is a row without cells."""
        self._taken = []
        reader = csv.reader(self._lines(), delimiter=self._delimiter, strict=True)
        try:
            row = next(reader, None)
        except _Cut:
            return None, self._skip_first(_TOO_LONG)
        except csv.Error as error:
            reason = "has a quote that is never closed" if "unexpected end" in str(error) else "has a stray quote"
            return None, self._skip_first(_TOO_LONG if "field larger" in str(error) else reason)
        self.began = self._taken[0].number if self._taken else self.began
        return row, None

    def _lines(self) -> Iterator[str]:
        length = 0
        while (line := self._again.popleft() if self._again else next(self._found, None)) is not None:
            self._taken.append(line)
            length += len(line.text)
            if line.cut or length > LONGEST_LINE:
                raise _Cut
            yield line.text

    def _skip_first(self, fault: str) -> str:
        self.began = self._taken[0].number
        if len(self._taken) > 1:
            fault = "has a quote that is never closed"
        self._again.extendleft(reversed(self._taken[1:]))
        return fault


class _Cut(Exception):
    """A record is longer than may be."""
