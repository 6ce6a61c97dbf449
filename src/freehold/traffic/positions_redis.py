"""How far replicas must have come, for all processes, in Redis: told by whoever commits, before anybody is told of the commit.

A process that cannot tell says so in the database (`silence`), and answers no write before all others must have seen that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from freehold.errors import OutcomeUnknown
from freehold.observe.logs import get_logger
from freehold.remote import Away, RedisServer
from freehold.store.ledger import LEDGER
from freehold.store.positions import written_so_far
from freehold.store.touched import EVERYTHING, Change
from freehold.traffic import positions_scripts as scripts
from freehold.traffic.silence import Silence

if TYPE_CHECKING:
    from freehold.store.database import Database

COMMIT_SECONDS = 60  # a commit that was begun so long ago is over, whether it said so or not
_log = get_logger("freehold.replicas")


class RedisPositions:
    """The `Positions` of all processes; it also watches the commits of this one."""

    def __init__(self, database: Database, redis: RedisServer, silence: Silence) -> None:
        self._database = database
        self._redis = redis
        self._silence = silence
        self._asking: asyncio.Task[None] | None = None
        silence.on_end(self.has_been_replaced)

    async def start(self) -> None:
        """Begin to look who cannot tell. May be called again."""
        await self._silence.start()

    async def close(self) -> None:
        """Look no more; every read goes to the primary."""
        asking, self._asking = self._asking, None
        if asking is not None:
            asking.cancel()
            with suppress(asyncio.CancelledError):
                await asking
        await self._silence.stop()

    async def wanted(self, tables: Collection[str]) -> int | None:
        """See `Positions`. Freehold's own tables, and what SQL as text may read, are for the primary."""
        if not self._silence.is_trusted or EVERYTHING in tables or _own(tables):
            return None
        try:
            found = await self._redis.run(scripts.WANTED, [self._key], *sorted(tables))
        except Away:
            return None
        if isinstance(found, int):
            self._ask_primary(found)
            return None
        return None if found is None else int(found)

    def joins(self, change: Change) -> bool:
        """See `Watcher`: its place in the log."""
        return bool(told_of(change.tables))

    async def will_change(self, change: Change) -> None:
        """See `Watcher`."""
        tables = told_of(change.tables)
        if not tables:
            return
        try:
            await self._redis.run(scripts.BEGIN, [self._key], change.id, COMMIT_SECONDS * 1000, *tables)
        except Away:
            await self._silence.begin(change)

    async def has_changed(self, change: Change) -> None:
        """See `Watcher`. Raises OutcomeUnknown where neither Redis nor the database can be told."""
        tables = told_of(change.tables)
        if not tables:
            return
        try:
            place = await self._place_after(change)
            await self._redis.run(scripts.END, [self._key], change.id, place, *tables)
        except Exception as error:  # noqa: BLE001 (whatever it is, nobody was told)
            if not isinstance(error, Away):
                _log.warning("position not known", error=type(error).__name__)
            try:
                await self._silence.own_up(change)
            except Exception:  # noqa: BLE001 (nor this)
                raise OutcomeUnknown("The other processes could not be told of the commit.") from error
        finally:
            self._silence.end(change)

    async def has_been_replaced(self) -> None:
        """See `Watcher`: no replica has what the primary has now, before it has come as far. Raises Away."""
        await self._seed(0)

    async def _place_after(self, change: Change) -> int:
        """On the connection of the commit, else on another one."""
        connection: Any = getattr(change.session, "fh_connection", None)
        if connection is not None:
            with suppress(Exception):
                return await written_so_far(connection)
        async with self._database.engine.connect() as another:
            return await written_so_far(another)

    def _ask_primary(self, now: int) -> None:
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._seed_quietly(now), name="position of the primary")

    async def _seed_quietly(self, now: int) -> None:
        with suppress(Exception):  # the next read asks again
            await self._seed(now)

    async def _seed(self, now: int) -> None:
        key = self._key
        async with self._database.engine.connect() as connection:
            place = await written_so_far(connection)
        await self._redis.run(scripts.SEED, [key], place, now)

    @property
    def _key(self) -> str:
        # A server that was started anew, or took over, may hold what it had long before: it has another id.
        return self._redis.key("positions", self._redis.run_id)


def told_of(tables: Collection[str]) -> list[str]:
    """Those of which others are told: Freehold's own are never read on a replica."""
    return sorted(name for name in tables if name not in LEDGER.tables)


def _own(tables: Collection[str]) -> bool:
    return any(name in LEDGER.tables for name in tables)
