"""JSON Lines as records: one object a line, each read under the limits of a request body."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from freehold.errors import Problem
from freehold.resource.record import Record
from freehold.transfer.source import LONGEST_LINE, Line, undecoded


def records(found: Iterator[Line], *, parse: Callable[[bytes], Any]) -> Iterator[Record]:
    """Every line that is not blank. parse: reads JSON strictly; raises Problem."""
    for line in found:
        if not line.text.strip():
            continue
        value, fault = _read(line, parse)
        record = Record(value if isinstance(value, dict) else {}, line=line.number)
        if fault is not None:
            record.refuse("", fault)
        elif not isinstance(value, dict):
            record.refuse("", "is no JSON object")
        yield record


def _read(line: Line, parse: Callable[[bytes], Any]) -> tuple[Any, str | None]:
    if line.cut:
        return None, f"is longer than {LONGEST_LINE} characters"
    if undecoded(line.text):
        return None, "is not in the encoding of the file (UTF-8 unless said otherwise)"
    try:
        return parse(line.text.strip().encode()), None
    except Problem as problem:
        said = problem.errors[0].message if problem.errors else str(problem)
        return None, f"is not taken as JSON: {said}"
