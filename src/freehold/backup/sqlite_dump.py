"""SQLite by its online backup: the pages of one snapshot, copied while writers go on."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import make_url

from freehold.backup.dumps import Dumped, Progress, differences
from freehold.errors import ConfigurationError
from freehold.store.functions import register_sqlite

_PAGES = 4_096  # at a time


class SqliteDump:
    """One SQLite file."""

    kind = "sqlite"
    entry = "database.sqlite"

    def __init__(self, url: str) -> None:
        self._path = Path(make_url(url).database or "")

    async def write(self, path: Path, told: Progress) -> Dumped:
        """See `Dump`."""
        return await asyncio.to_thread(self._write, path, told)

    async def put_back(self, path: Path, told: Progress) -> None:
        """See `Dump`: one transaction of the target, for which its writers wait."""
        await asyncio.to_thread(self._put_back, path, told)

    async def tables(self) -> dict[str, int]:
        """See `Dump`."""
        return await asyncio.to_thread(self._tables)

    async def faults(self) -> list[str]:
        """See `Dump`: the integrity of the file, and keys that point nowhere."""
        return await asyncio.to_thread(self._faults)

    async def look_at(self, path: Path, promised: dict[str, int]) -> list[str]:
        """See `Dump`: it is a database itself."""
        dumped = SqliteDump(f"sqlite:///{path}")
        return await dumped.faults() + differences(promised, await dumped.tables())

    def _write(self, path: Path, told: Progress) -> Dumped:
        with _opened(self._path) as source, _opened(path, create=True) as copy:
            # One snapshot for all steps: otherwise each commit of the service would begin the copy anew.
            source.execute("BEGIN")
            source.execute("SELECT count(*) FROM sqlite_schema").fetchone()
            source.backup(copy, pages=_PAGES, progress=_pages(told))
            copy.execute("PRAGMA journal_mode=DELETE")
            return Dumped(sqlite3.sqlite_version, _counted(copy))

    def _put_back(self, path: Path, told: Progress) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with _opened(path) as source, _opened(self._path, create=True) as target:
            source.backup(target, pages=_PAGES, progress=_pages(told))

    def _tables(self) -> dict[str, int]:
        if not self._path.exists():
            return {}
        with _opened(self._path) as connection:
            return _counted(connection)

    def _faults(self) -> list[str]:
        with _opened(self._path) as connection:
            found = [row[0] for row in connection.execute("PRAGMA integrity_check") if row[0] != "ok"]
            pointless = {row[0] for row in connection.execute("PRAGMA foreign_key_check")}
        return found + [f"rows of {table} point to rows that are not there" for table in sorted(pointless)]


@contextmanager
def _opened(path: Path, *, create: bool = False) -> Iterator[sqlite3.Connection]:
    try:
        address = f"{path.absolute().as_uri()}?mode={'rwc' if create else 'rw'}"
        with closing(sqlite3.connect(address, uri=True, timeout=30, isolation_level=None)) as connection:
            register_sqlite(connection)
            yield connection
    except sqlite3.Error as error:
        raise ConfigurationError(f"{path}: {error}.") from error


def _counted(connection: sqlite3.Connection) -> dict[str, int]:
    """The tables of the service: not those that full-text indexes keep beside them, nor SQLite's own."""
    asked = "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
    names = sorted(row[0] for row in connection.execute(asked))
    return {name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in names}  # noqa: S608  # names of the schema


def _pages(told: Progress) -> Callable[[int, int, int], object]:
    return lambda _, left, total: told("database", total - left, total)
