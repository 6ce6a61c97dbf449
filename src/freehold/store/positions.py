"""Places in the write-ahead log of PostgreSQL: how far the primary has come, and how far a replica has.

A commit is seen on a replica once the replica has replayed the log up to a place at or after that commit. Places are
numbers here, so that they can be compared.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

# The simple protocol, in one round trip and with nothing prepared, so that any pooler may stand between.
_OF_PRIMARY: Final = "SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn"
_OF_REPLICA: Final = "SELECT coalesce(pg_last_wal_replay_lsn() - '0/0'::pg_lsn, 0)"


class Positions(Protocol):
    """What every commit that somebody was told of has reached in the log, known to all processes."""

    async def wanted(self, tables: Collection[str]) -> int | None:
        """How far a replica must have come to be asked for these tables; None where the primary has to be asked.

        It covers every commit on them that anybody was told of before this was called.
        """
        ...


async def written_so_far(connection: AsyncConnection) -> int:
    """The end of the primary's log as of now: every commit before this question is below it."""
    return await _asked(connection, _OF_PRIMARY)


async def replayed_so_far(connection: AsyncConnection) -> int:
    """How far this replica has come. It never goes back as long as the connection lives."""
    return await _asked(connection, _OF_REPLICA)


async def _asked(connection: AsyncConnection, question: str) -> int:
    """Beside SQLAlchemy, which would begin a transaction for it."""
    raw: Any = (await connection.get_raw_connection()).driver_connection
    pieces: list[bytes] = []

    async def take(piece: bytes) -> None:
        pieces.append(piece)

    await raw.copy_from_query(question, output=take)
    return int(b"".join(pieces))
