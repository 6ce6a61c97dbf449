"""A database whose tables are created once for a module, and whose rows are put back after each of its tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from sqlalchemy import Table

from freehold.store.database import Database
from freehold.store.ledger import LEDGER
from freehold.testing.pristine import Pristine, pristine


class Kept:
    """Made by `kept`."""

    def __init__(self, database: Database, before: Pristine) -> None:
        self._database, self._before = database, before

    @asynccontextmanager
    async def lent(self) -> AsyncIterator[Database]:
        """The database for one test, which really commits."""
        parts = dict(self._database.parts)
        yield self._database
        self._database.parts.clear()
        self._database.parts.update(parts)
        await self._before.restore()


def with_tables(*own: Table) -> Callable[[Database], Awaitable[None]]:
    """Creates the ledger and these, for `kept`."""

    async def create(database: Database) -> None:
        async with database.engine.begin() as connection:
            await connection.run_sync(LEDGER.create_all)
            for table in own:
                await connection.run_sync(table.create)

    return create


@asynccontextmanager
async def kept(database: Database, create: Callable[[Database], Awaitable[None]]) -> AsyncIterator[Kept]:
    """Create the tables of a database that is empty, and start it."""
    await create(database)  # looking at a protected table is not for a database that has started
    await database.start()
    yield Kept(database, await pristine(database))
    await database.close()
