"""`python -m proof`: put both services through every run, side by side, and print the table.

    python -m proof [--sqlite]

Without a PostgreSQL (FREEHOLD_TEST_POSTGRES, by default postgres@127.0.0.1:5432) everything runs on SQLite, and the
table says so. Results are kept in proof/results.json and proof/RESULTS.md.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

from freehold.testing.databases import SERVER, server_database
from proof.figures import Figures
from proof.results import keep, table
from proof.runs import runs_of
from proof.service import CONTENDERS, Contender, Service

DEFAULT_SERVER = "postgresql+asyncpg://postgres@127.0.0.1:5432/postgres"


def main() -> int:
    """0, or 1 where Freehold let happen what must not."""
    parser = argparse.ArgumentParser(
        prog="make proof", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--only", help="one contender, by its title")
    parser.add_argument("--sqlite", action="store_true", help="on SQLite, though there is a PostgreSQL")
    asked = parser.parse_args()
    console = Console(highlight=False)
    began = time.monotonic()
    found: dict[str, Figures] = {}
    backends: set[str] = set()
    with Progress(SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=console) as progress:
        for contender in (each for each in CONTENDERS if asked.only in (None, each.title)):
            with _database(sqlite=asked.sqlite) as url, TemporaryDirectory() as folder:
                found[contender.title] = asyncio.run(_all_runs(contender, url, Path(folder), progress))
                backends.add(url.partition("+")[0])
    results = keep(found, backend=", ".join(backends), seconds=time.monotonic() - began)
    console.print(table(results))
    return int(any(count.found for count in found.get("Freehold", {}).values()))


async def _all_runs(contender: Contender, url: str, folder: Path, progress: Progress) -> Figures:
    service, figures = Service(contender, url, folder), Figures()
    try:
        await service.start()
        for name, run in runs_of(contender).items():
            task = progress.add_task(f"{contender.title}: {name}", total=1)
            figures |= await run(service)
            progress.update(task, completed=1)
    finally:
        await service.close()
    return figures


@contextmanager
def _database(*, sqlite: bool) -> Iterator[str]:
    """A new one, gone at the end."""
    server = os.environ.get(SERVER, DEFAULT_SERVER)
    with TemporaryDirectory() as folder:
        if sqlite or not asyncio.run(_is_there(server)):
            yield f"sqlite+aiosqlite:///{folder}/proof.db"
            return
        with server_database(server) as url:
            yield url


async def _is_there(server: str) -> bool:
    engine = create_async_engine(server)
    try:
        async with engine.connect():
            return True
    except (OSError, DBAPIError):
        return False
    finally:
        await engine.dispose()


if __name__ == "__main__":
    sys.exit(main())
