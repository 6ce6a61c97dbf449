"""A database as it was when its application had started, to be had back after a test that committed for good."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from typing import Protocol

from sqlalchemy import Connection, NullPool, inspect, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from freehold.store.database import Database

_KEPT = "freehold_kept"


class Pristine(Protocol):
    """What a database held."""

    async def restore(self) -> None:
        """Make it hold that again. Whoever is in the middle of a write is waited for; nobody may begin one."""
        ...


async def pristine(database: Database) -> Pristine:
    """Remember what a started database holds now."""
    if database.dialect_name == "sqlite":
        return _Image(str(database.url.database))
    return await _Rows.keep(create_async_engine(database.url, poolclass=NullPool))


class _Image:
    """The file of an SQLite database, byte for byte."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._image = sqlite3.connect(":memory:", check_same_thread=False)
        with closing(sqlite3.connect(path)) as file:
            file.backup(self._image)

    async def restore(self) -> None:
        # In a thread: it waits, without an end, for a write that may need this loop to be finished.
        await asyncio.to_thread(self._copy_back)

    def _copy_back(self) -> None:
        with closing(sqlite3.connect(self._path)) as file:
            self._image.backup(file)


class _Rows:
    """The rows of a PostgreSQL database, in tables beside its own. Deleting is a fiftieth of the cost of TRUNCATE."""

    def __init__(self, engine: AsyncEngine, tables: list[str], kept: dict[str, str]) -> None:
        # An engine of its own, since the database's refuses statements on protected tables that have no scope.
        self._engine = engine
        self._tables = tables
        self._kept = kept

    @classmethod
    async def keep(cls, engine: AsyncEngine) -> _Rows:
        """Copy the rows of every table that has some."""
        quote = engine.dialect.identifier_preparer.quote
        async with engine.begin() as connection:
            columns = {
                quote(name): ", ".join(map(quote, stored))
                for name, stored in (await connection.run_sync(_stored_columns)).items()
            }
            await connection.execute(text(f"DROP SCHEMA IF EXISTS {_KEPT} CASCADE"))
            await connection.execute(text(f"CREATE SCHEMA {_KEPT}"))
            filled = await _filled(connection, list(columns))
            for table in filled:
                await connection.execute(text(f"CREATE TABLE {_KEPT}.{table} AS TABLE {table}"))
        return cls(engine, list(columns), {table: columns[table] for table in filled})

    async def restore(self) -> None:
        """Delete and copy back, past every trigger: the audit trail refuses to be changed."""
        async with self._engine.begin() as connection:
            filled = await _filled(connection, self._tables)
            touched = dict.fromkeys([*filled, *self._kept])
            for table in touched:
                await connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
            await _together(connection, [f"DELETE FROM {table}" for table in filled])  # noqa: S608  # names from the catalogue
            await _together(
                connection,
                [
                    f"INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE SELECT {columns} FROM {_KEPT}.{table}"  # noqa: S608
                    for table, columns in self._kept.items()
                ],
            )
            for table in touched:
                await connection.execute(text(f"ALTER TABLE {table} ENABLE TRIGGER USER"))


async def _together(connection: AsyncConnection, changes: list[str]) -> None:
    """Run them as one statement: foreign keys are looked at when it ends, so that their order does not matter."""
    if changes:
        parts = ", ".join(f"change_{number} AS ({change})" for number, change in enumerate(changes))
        await connection.execute(text(f"WITH {parts} SELECT"))


def _stored_columns(connection: Connection) -> dict[str, list[str]]:
    """The columns of each table that are not computed from others."""
    inspector = inspect(connection)
    return {
        str(table): [column["name"] for column in columns if "computed" not in column]
        for (_, table), columns in inspector.get_multi_columns().items()
    }


async def _filled(connection: AsyncConnection, tables: list[str]) -> list[str]:
    """Which tables hold a row."""
    if not tables:
        return []
    looks = " UNION ALL ".join(
        f"SELECT {number} WHERE EXISTS (SELECT FROM {table})"  # noqa: S608
        for number, table in enumerate(tables)
    )
    return [tables[number] for number in (await connection.execute(text(looks))).scalars()]
