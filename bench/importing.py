"""`freehold import` of Library's titles: time, CPU and peak memory of the process that imports, on both databases.

The 10,000 titles of `books.csv`, and, where `FREEHOLD_BENCH_ROWS` names a number, so many made of them on SQLite (a million
takes half an hour). Each import is a process of its own.
"""

from __future__ import annotations

import asyncio
import csv
import gzip
import json
import os
import resource
import sys
import time
from collections.abc import Iterator
from itertools import count, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench._postgres import database
from services.library.demo import FILE
from services.library.service import build
from services.library.settings import LibrarySettings

from freehold import system
from freehold.settings import Settings
from freehold.transfer import import_file

TITLES = 10_000
MOST_MEMORY_MB = 300
LARGE = int(os.environ.get("FREEHOLD_BENCH_ROWS", "0"))


async def run() -> dict[str, Any]:
    """Measure. Where there is no PostgreSQL, SQLite alone."""
    found: dict[str, Any] = {}
    with TemporaryDirectory() as folder:
        path = Path(folder)
        found["sqlite"] = await _in_a_process(path, "sqlite", TITLES)
        if LARGE:
            found["sqlite, large"] = await _in_a_process(path, "large", LARGE)
        try:
            async with database() as url:
                found["postgresql"] = await _in_a_process(path, "postgresql", TITLES, url)
        except OSError as error:
            found["postgresql"] = f"not measured: {error}"
    return found | {"targets": {name: _target(each) for name, each in found.items() if isinstance(each, dict)}}


def _target(measured: dict[str, Any]) -> dict[str, Any]:
    peak = measured["peak_memory_mb"]
    return {"most": MOST_MEMORY_MB, "found": peak, "met": peak < MOST_MEMORY_MB}


async def _in_a_process(folder: Path, name: str, rows: int, url: str | None = None) -> dict[str, Any]:
    place = folder / name
    place.mkdir()
    url = url or f"sqlite+aiosqlite:///{place}/library.db"
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.importing", str(place), url, str(rows), stdout=asyncio.subprocess.PIPE
    )
    told, _ = await child.communicate()
    assert child.returncode == 0, told
    found: dict[str, Any] = json.loads(told)
    return found


async def _import(place: Path, url: str, rows: int) -> dict[str, Any]:
    """One import in this process. The peak is that of the whole process, its modules included."""
    core = Settings(
        env="development", database_url=url, var_dir=place, limits="off", secret="s" * 40, log_level="error"
    )
    app = build(core=core, own=LibrarySettings(), migrations=None)
    file = _written(place / "books.csv", rows)
    async with app.router.lifespan_context(app):
        began, worked = time.perf_counter(), time.process_time()
        report = await import_file(app.database, "books", file, principal=system("measure an import"))
        cpu, seconds = time.process_time() - worked, time.perf_counter() - began
    return {
        "rows": report.records,
        "created": report.created,
        "refused": report.refused,
        "seconds": round(seconds, 1),
        "cpu_seconds": round(cpu, 1),
        "cpu_ms_per_row": round(cpu * 1000 / report.records, 2),
        "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def _written(file: Path, rows: int) -> Path:
    """The titles; more of them than there are begin again, as other books: without numbers, and of another source."""
    with file.open("w", newline="", encoding="utf-8") as out:
        writer: csv.DictWriter[str] | None = None
        for record in islice(_titles(), rows):
            if writer is None:
                writer = csv.DictWriter(out, list(record))
                writer.writeheader()
            writer.writerow(record)
    return file


def _titles() -> Iterator[dict[str, str]]:
    for turn in count():
        with gzip.open(FILE, "rt", encoding="utf-8", newline="") as whole:
            for record in csv.DictReader(whole):
                again = {"isbn": "", "isbn13": "", "goodreads_book_id": f"{record['goodreads_book_id']}-{turn}"}
                yield record | again if turn else record


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_import(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))))
