"""The refused rows of an import, as a file that can be put right and imported again."""

from __future__ import annotations

import asyncio
import csv
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import orjson

from freehold.resource.record import Record
from freehold.transfer.cells import cell
from freehold.transfer.importing import records_of
from freehold.transfer.mapping import OWN_COLUMNS
from freehold.transfer.source import Source
from freehold.transfer.target import Target

_LINE, _REASONS = OWN_COLUMNS


async def write_rejects(target: Target, source: Source, path: Path, refused: AsyncIterator[tuple[int, str]]) -> None:
    """Write the records at these lines, read from the source again, beside their line and reasons. In its format."""
    records = iter(records_of(target, source))
    columns: Sequence[str] | None = None
    with path.open("w", encoding="utf-8", newline="") as file:
        async for line, reasons in refused:
            record = await asyncio.to_thread(lambda line=line: next(each for each in records if each.line == line))  # type: ignore[misc]
            own = {_LINE: line, _REASONS: reasons}
            if source.format == "jsonl":
                file.write(orjson.dumps({**_others(record), **own}).decode() + "\n")
                continue
            if columns is None:
                columns = list(_others(record))
                _write(file, [*OWN_COLUMNS, *columns])
            values = _others(record)
            _write(file, [line, cell(reasons), *(cell(_clean(values.get(name, ""))) for name in columns)])


def _others(record: Record) -> Mapping[str, Any]:
    return {name: value for name, value in record.items() if name not in OWN_COLUMNS}


def _clean(value: Any) -> Any:
    """Without the bytes that could not be decoded."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


def _write(file: IO[str], row: Sequence[Any]) -> None:
    csv.writer(file).writerow(row)
