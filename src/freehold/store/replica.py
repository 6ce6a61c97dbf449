"""One streaming replica of the database: the same log-ins at another host, asked only for what it has replayed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

from sqlalchemy import make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from freehold.errors import ConfigurationError
from freehold.store import postgresql
from freehold.store.positions import replayed_so_far
from freehold.store.postgresql import Patience

CONNECT_SECONDS: Final = 2.0
ANSWER_SECONDS: Final = 0.5
"""So long it may take to say how far it has come."""
REST_SECONDS: Final = 1.0
"""So long it is left alone after it was lost."""
FAILURES: Final = (DBAPIError, OSError, PoolTimeout, TimeoutError)

_REPLAYED: Final = "fh_replayed"
_WHO: Final = text(
    "SELECT pg_is_in_recovery(), (SELECT system_identifier FROM pg_control_system()), current_setting('server_version_num')"
)


class Behind(Exception):
    """The replica cannot answer this now: the primary does."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Replica:
    """Engines at one replica.

    name: host and port. engine: the log-in that serves; readers: the one that policies let through, where there is one.
    position: how far it had come when it last said so, for the metrics alone.
    """

    def __init__(self, name: str, url: URL, reader_url: str, *, pool_size: int, patience: Patience) -> None:
        self.name = name
        self.engine = _engine(name, url, pool_size, patience)
        readers = _engine(name, make_url(reader_url), pool_size, patience) if reader_url else self.engine
        self.readers = readers.execution_options(isolation_level="AUTOCOMMIT")
        self.position = 0
        # Behind a pooler the next statement may meet another server: what was said holds for one statement.
        self._may_remember = not patience.pooled
        self._lost_until = 0.0
        self._asked: set[asyncio.Timeout] = set()

    @property
    def is_lost(self) -> bool:
        """Whether it is left alone for now."""
        return time.monotonic() < self._lost_until

    def lose(self) -> None:
        """It does not answer: whoever waits for it asks the primary instead, and others do so at once."""
        self._lost_until = time.monotonic() + REST_SECONDS
        for limit in self._asked:
            with suppress(RuntimeError):  # it has just come to its end
                limit.reschedule(asyncio.get_running_loop().time())

    async def identity(self) -> tuple[bool, int]:
        """Whether it is a replica, and of which cluster."""
        async with asyncio.timeout(CONNECT_SECONDS), self.readers.connect() as connection:
            row = (await connection.execute(_WHO)).one()
            return bool(row[0]), int(row[1])

    async def look(self) -> None:
        """Ask how far it has come; lost where it does not say. For the metrics, and to notice its end."""
        try:
            async with asyncio.timeout(CONNECT_SECONDS), self.readers.connect() as connection:
                self.position = await replayed_so_far(connection)
        except PoolTimeout:
            return  # busy, and so not lost
        except Exception:  # noqa: BLE001 (whatever it is, it does not answer)
            self.lose()

    @asynccontextmanager
    async def connection(self, engine: AsyncEngine, wanted: int) -> AsyncIterator[AsyncConnection]:
        """A connection on which everything up to `wanted` is seen. Raises Behind, and what the body raises.

        engine: one of its own. A body that is still at it when the replica is lost is ended with TimeoutError.
        """
        connection = await self._connect(engine)
        limit = asyncio.timeout(None)
        try:
            async with limit:
                self._asked.add(limit)
                await self._require(connection, wanted)
                yield connection
        except FAILURES:
            await _drop(connection)
            raise
        finally:
            self._asked.discard(limit)
            await asyncio.shield(connection.close())

    async def _connect(self, engine: AsyncEngine) -> AsyncConnection:
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                return await engine.connect()
        except PoolTimeout:
            raise Behind("busy") from None
        except Exception:  # noqa: BLE001 (the driver has errors of its own while it connects)
            self.lose()
            raise Behind("lost") from None

    async def _require(self, connection: AsyncConnection, wanted: int) -> None:
        """What a connection has seen it goes on seeing: a server that was restarted, or is another one, has other connections."""
        known: dict[Any, Any] = (await connection.get_raw_connection()).info
        if self._may_remember and known.get(_REPLAYED, -1) >= wanted:
            return
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                known[_REPLAYED] = self.position = await replayed_so_far(connection)
        except Exception:  # noqa: BLE001 (asked beside SQLAlchemy, which would know the driver's)
            await _drop(connection)
            self.lose()
            raise Behind("lost") from None
        if self.position < wanted:
            raise Behind("behind")

    async def close(self) -> None:
        """Give back every connection."""
        await self.readers.dispose()
        await self.engine.dispose()


async def _drop(connection: AsyncConnection) -> None:
    """End it without a word to the server, which may never answer one."""
    with suppress(Exception):
        raw: Any = (await connection.get_raw_connection()).driver_connection
        raw.terminate()
        await connection.invalidate()


def _engine(name: str, url: URL, pool_size: int, patience: Patience) -> AsyncEngine:
    host, _, port = name.rpartition(":")
    there = url.set(host=host.strip("[]"), port=int(port))
    return postgresql.engine(there, pool_size=pool_size, patience=patience, wait_seconds=0.01)


async def refuse_stranger(replica: Replica, system_identifier: int) -> None:
    """Raise ConfigurationError for a server that is there and no replica of this database."""
    try:
        is_replica, found = await replica.identity()
    except Exception:  # noqa: BLE001 (whatever it is, it is not there now)
        replica.lose()
        return
    if found != system_identifier:
        raise ConfigurationError(
            f"FREEHOLD_REPLICAS: {replica.name} is another database cluster, no replica of this one"
        )
    if not is_replica:
        raise ConfigurationError(f"FREEHOLD_REPLICAS: {replica.name} is the primary, or another one: name its replicas")
