"""Which server a read goes to: a replica that has everything it could miss, or the primary.

A read sees every commit on its tables that anybody was told of before it was asked for, on whatever server it runs. So no
caller is told apart, and nobody who has just written has to be known again.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from typing import TYPE_CHECKING, Any, Final, TypeVar

from sqlalchemy import text

from freehold.resource.principal import Principal
from freehold.store.positions import Positions, written_so_far
from freehold.store.protection import Grant
from freehold.store.replica import FAILURES, Behind, Replica, refuse_stranger
from freehold.store.session import Session
from freehold.store.touched import note_read, tables_read

if TYPE_CHECKING:
    from freehold.store.database import Database

T = TypeVar("T")
Work = Callable[[Session], Awaitable[T]]

LOOK_SECONDS: Final = 1.0
REPLICA: Final = "replica"
_SYSTEM: Final = text("SELECT system_identifier FROM pg_control_system()")


class Replicas:
    """The replicas of a database; a part of it.

    positions: what a read must not miss. count: is told of each read where it went: `replica`, or why to the primary.
    """

    def __init__(
        self,
        database: Database,
        replicas: Sequence[Replica],
        positions: Positions,
        *,
        count: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.each = tuple(replicas)
        self._database = database
        self._positions = positions
        self._turns = itertools.cycle(self.each)
        self._written = 0
        self._task: asyncio.Task[None] | None = None
        self.count = count

    @property
    def lag_bytes(self) -> int:
        """Of the log, by which the last of those that answer was behind when they were last looked at."""
        return max((max(0, self._written - each.position) for each in self.each if not each.is_lost), default=0)

    async def start(self) -> None:
        """Once the database is there. Raises ConfigurationError for a server that is no replica of it."""
        async with self._database.engine.connect() as connection:
            system = int((await connection.execute(_SYSTEM)).scalar_one())
        for replica in self.each:
            await refuse_stranger(replica, system)
        self._task = asyncio.create_task(self._watch(), name="replicas")

    async def close(self) -> None:
        """Give back every connection."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        for replica in self.each:
            await replica.close()

    async def place(self, tables: set[str]) -> tuple[Replica, int]:
        """A replica for a read of these tables, and how far it must have come. Raises Behind: the primary has to be asked."""
        if not tables:
            raise Behind("unknown")
        for _ in self.each:
            replica = next(self._turns)
            if not replica.is_lost:
                wanted = await self._positions.wanted(tables)
                if wanted is None:
                    raise Behind("pending")
                return replica, wanted
        raise Behind("lost")

    async def read(
        self, principal: Principal, work: Work[T], tables: set[str], *, grant: Grant | None, planned: bool
    ) -> T:
        """Run `work` on a replica. Raises Behind where it has to be run (again) on the primary, and what it raises."""
        replica, wanted = await self.place(tables)
        by_readers = self._database.is_read_by_readers(principal, planned=planned)
        try:
            with tables_read() as seen:
                async with (
                    replica.connection(replica.readers if by_readers else replica.engine, wanted) as connection,
                    self._database.read_session(connection, principal, grant=grant, by_readers=by_readers) as session,
                ):
                    found = await work(session)
        except FAILURES:  # lost, or a conflict with what it replays; a fault of the statement comes up again
            raise Behind("failed") from None
        note_read(seen)
        if not seen <= tables:
            tables |= seen
            raise Behind("unknown")
        return found

    async def _watch(self) -> None:
        while True:
            with suppress(Exception):
                async with self._database.engine.connect() as connection:
                    self._written = await written_so_far(connection)
            await asyncio.gather(*(each.look() for each in self.each))
            await asyncio.sleep(LOOK_SECONDS)


async def read(
    database: Database,
    principal: Principal,
    work: Work[T],
    *,
    tables: set[str],
    grant: Grant | None = None,
    planned: bool = False,
) -> T:
    """Run `work` in a reading session (`Database.reading`), on a replica where one will do. It may be run twice.

    tables: those that this kind of read was seen to ask so far; kept by the caller, and added to here. planned: `work` takes a
    `Reading` as well, and gets one of the primary.
    """

    def primary() -> AbstractAsyncContextManager[Any]:
        return database.asking(principal, grant=grant) if planned else database.reading(principal, grant=grant)

    replicas: Replicas | None = database.parts.get(Replicas)
    if replicas is None:
        async with primary() as asking:
            return await work(asking)
    try:
        found = await replicas.read(principal, work, tables, grant=grant, planned=planned)
    except Behind as behind:
        replicas.count(behind.why)
    else:
        replicas.count(REPLICA)
        return found
    with tables_read() as seen:
        async with primary() as asking:
            found = await work(asking)
    note_read(seen)
    tables |= seen
    return found
