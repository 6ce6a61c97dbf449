"""The hot-key hammer: many real connections that all want the same thing at the same moment.

Each round offers less than the connections ask for; what was sold is counted in the table afterwards, so a rule that
leaks is caught whatever the connections were told.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from sqlalchemy import event, func, insert, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.pool import AsyncAdaptedQueuePool

from freehold.resource.base import NAMING
from freehold.resource.invariants import at_most, never_below, no_overlap, unique_while
from freehold.store.invariant_breach import breach
from freehold.store.invariants import Registry, Statement, bounds_of, register, walls
from freehold.store.sqlite import WriterLock


class Model(DeclarativeBase):
    pass


Model.metadata.naming_convention = NAMING


class Night(Model):
    __tablename__ = "nights"
    id: Mapped[int] = mapped_column(primary_key=True)
    house_id: Mapped[int]
    check_in: Mapped[date]
    check_out: Mapped[date]


class Slug(Model):
    __tablename__ = "slugs"
    id: Mapped[int] = mapped_column(primary_key=True)
    word: Mapped[str]


class Seat(Model):
    __tablename__ = "seats"
    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[int]


class Stock(Model):
    __tablename__ = "stock"
    id: Mapped[int] = mapped_column(primary_key=True)
    units: Mapped[int]


register(Night.__table__, [no_overlap("house_id", during=("check_in", "check_out"))])
register(Slug.__table__, [unique_while("word")])
register(Seat.__table__, [at_most(3, per="event_id")])
register(Stock.__table__, [never_below("units")])
REGISTRY = Registry(Model.metadata)
SEATS, UNITS = 3, 5


@dataclass
class Race:
    """What all connections try in a round, the check that a naive program makes first, and what there is to have."""

    table: type[Model]
    offered: int
    attempt: Callable[[AsyncConnection, int, int], Awaitable[object]]
    free: Callable[[AsyncConnection, int, int], Awaitable[bool]]


def window(round_number: int, turn: int) -> tuple[date, date]:
    """A window of one or two nights that holds the night of the round; rounds do not meet."""
    hot = date(2027, 1, 1) + timedelta(days=4 * round_number)
    first, last = ((0, 1), (-1, 1), (0, 2))[turn % 3]
    return hot + timedelta(days=first), hot + timedelta(days=last)


async def _book(connection: AsyncConnection, number: int, turn: int) -> object:
    first, last = window(number, turn)
    return await connection.execute(insert(Night).values(house_id=1, check_in=first, check_out=last))


async def _is_free(connection: AsyncConnection, number: int, turn: int) -> bool:
    first, last = window(number, turn)
    taken = select(Night.id).where(Night.house_id == 1, Night.check_in < last, Night.check_out > first)
    return (await connection.execute(taken.limit(1))).first() is None


async def _name(connection: AsyncConnection, number: int, _: int) -> object:
    return await connection.execute(insert(Slug).values(word=f"word-{number}"))


async def _is_unused(connection: AsyncConnection, number: int, _: int) -> bool:
    return (await connection.execute(select(Slug.id).where(Slug.word == f"word-{number}"))).first() is None


async def _sit(connection: AsyncConnection, number: int, _: int) -> object:
    return await connection.execute(insert(Seat).values(event_id=number))


async def _has_seats(connection: AsyncConnection, number: int, _: int) -> bool:
    there = await connection.scalar(select(func.count()).select_from(Seat).where(Seat.event_id == number))
    return (there or 0) < SEATS


async def _buy(connection: AsyncConnection, number: int, _: int) -> object:
    return await connection.execute(update(Stock).where(Stock.id == number).values(units=Stock.units - 1))


async def _has_units(connection: AsyncConnection, number: int, _: int) -> bool:
    return (await connection.scalar(select(Stock.units).where(Stock.id == number)) or 0) > 0


RACES = {
    "no_overlap": Race(Night, 1, _book, _is_free),
    "unique_while": Race(Slug, 1, _name, _is_unused),
    "at_most": Race(Seat, SEATS, _sit, _has_seats),
    "never_below": Race(Stock, UNITS, _buy, _has_units),
}


@dataclass
class Outcome:
    """What the connections were told, over all rounds. sold: successes of each round."""

    sold: list[int] = field(default_factory=list)
    refused: int = 0
    others: list[str] = field(default_factory=list)
    longest_seconds: float = 0.0


class Ring:
    """The connections, open and warm, and the queue of SQLite's writers that the product has as well."""

    def __init__(self, engine: AsyncEngine, lock: WriterLock | None, connections: list[AsyncConnection]) -> None:
        self.engine = engine
        self.lock = lock
        self.connections = connections

    async def hammer(self, race: Race, *, rounds: int, naive: bool = False) -> Outcome:
        """Let every connection try once per round, all at once. naive: look first, then write."""
        outcome = Outcome()
        for number in range(1, rounds + 1):
            told = await asyncio.gather(
                *(
                    self._try(race, connection, number, turn, naive=naive, outcome=outcome)
                    for turn, connection in enumerate(self.connections)
                )
            )
            outcome.sold.append(sum(told))
        return outcome

    async def _try(
        self, race: Race, connection: AsyncConnection, number: int, turn: int, *, naive: bool, outcome: Outcome
    ) -> bool:
        started = time.monotonic()
        try:
            if naive and not await self._look(race, connection, number, turn):
                outcome.refused += 1
                return False
            async with self.lock.held(None) if self.lock else nullcontext(), connection.begin():
                await race.attempt(connection, number, turn)
        except DBAPIError as error:
            found = breach(error, REGISTRY)
            outcome.refused += found is not None
            if found is None:
                outcome.others.append(str(error.orig))
            return False
        finally:
            outcome.longest_seconds = max(outcome.longest_seconds, time.monotonic() - started)
        return True

    async def _look(self, race: Race, connection: AsyncConnection, number: int, turn: int) -> bool:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        free = await race.free(connection, number, turn)
        await connection.rollback()
        default = "SERIALIZABLE" if connection.dialect.name == "sqlite" else "READ COMMITTED"
        await connection.execution_options(isolation_level=default)
        return free

    async def faults(self, race: Race, *, rounds: int) -> int:
        """How many rows of the table should not be there."""
        async with self.engine.connect() as connection:
            if race.table is Stock:
                below = await connection.scalar(select(func.sum(-Stock.units)).where(Stock.units < 0))
                return int(below or 0)
            rows = await connection.scalar(select(func.count()).select_from(race.table))
            return int(rows or 0) - rounds * race.offered


@asynccontextmanager
async def ring(url: str, *, connections: int, rounds: int, weakened: type[Model] | None = None, torn: str = ""):
    """A schema with its walls and as many open connections as asked.

    weakened: the table whose walls are torn down. torn: only those of one kind (`constraint`, `trigger`).
    """
    engine = create_async_engine(
        url, poolclass=AsyncAdaptedQueuePool, pool_size=connections + 1, max_overflow=0, pool_timeout=30
    )
    lock = None
    if engine.dialect.name == "sqlite":
        event.listen(engine.sync_engine, "connect", _prepare_sqlite)
        event.listen(engine.sync_engine, "begin", _begin)
        lock = WriterLock(Path(str(engine.url.database) + ".lock"))
    async with engine.begin() as connection:
        await connection.run_sync(Model.metadata.create_all)
        await connection.execute(insert(Stock), [{"id": n, "units": UNITS} for n in range(1, rounds + 1)])
        if weakened is not None:
            await connection.run_sync(_tear_down, weakened, torn)
    opened = [await engine.connect() for _ in range(connections)]
    try:
        yield Ring(engine, lock, opened)
    finally:
        for connection in opened:
            await connection.close()
        await engine.dispose()
        if lock is not None:
            lock.close()


def _prepare_sqlite(connection, _):
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA busy_timeout=5000")


def _begin(connection):
    if connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT":
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _tear_down(connection, table, torn):
    for bound in bounds_of(table.__table__):
        for wall in reversed(walls(bound, connection.dialect.name)):
            for statement in wall.drop if torn in {"", wall.kind} else ():
                connection.execute(Statement(statement))
