"""Events that are owed to others: written with their cause, relayed afterwards at least once, in order per key."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import structlog
from pydantic_core import to_jsonable_python
from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    ColumnElement,
    Index,
    Integer,
    Row,
    Table,
    Text,
    Uuid,
    and_,
    delete,
    exists,
    insert,
    literal_column,
    select,
    text,
    update,
)

from freehold.resource import clock
from freehold.resource.base import UTCDateTime, new_id
from freehold.resource.principal import system
from freehold.store.instant import instant
from freehold.store.ledger import LEDGER
from freehold.store.turns import take_turn
from freehold.store.waking import announce_after_commit

if TYPE_CHECKING:
    from freehold.store.database import Database
    from freehold.store.session import Session

_log = structlog.get_logger("freehold.outbox")

WAITING, DELIVERED, DEAD = "waiting", "delivered", "dead"
_REASON = "outbox relay"
_TRIES = 20  # with the pauses below, over an hour
_LONGEST_PAUSE_SECONDS = 300.0
_PAGE = 100
_WAITING_ROWS = text("state = 'waiting'")
_DELIVERED_ROWS = text("state = 'delivered'")

OUTBOX = Table(
    "freehold_outbox",
    LEDGER,
    Column("sequence", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=True),
    Column("id", Uuid, nullable=False, default=new_id, comment="what a receiver tells a repetition by"),
    Column("type", Text, nullable=False),
    Column("key", Text, nullable=False, comment="events with one key are delivered in order"),
    Column("payload", JSON, nullable=False),
    Column("state", Text, nullable=False, default=WAITING),
    Column("due_at", UTCDateTime, nullable=False),
    Column("failures", Integer, nullable=False, default=0),
    Column("error", Text, nullable=True),
    Column("request_id", Text, nullable=True),
    Column("created_at", UTCDateTime, nullable=False, default=clock.now),
    Column("ended_at", UTCDateTime, nullable=True),
    Index("ix_freehold_outbox_waiting", "key", "sequence", sqlite_where=_WAITING_ROWS, postgresql_where=_WAITING_ROWS),
    Index("ix_freehold_outbox_due", "sequence", sqlite_where=_WAITING_ROWS, postgresql_where=_WAITING_ROWS),
    Index("ix_freehold_outbox_ended", "ended_at", sqlite_where=_DELIVERED_ROWS, postgresql_where=_DELIVERED_ROWS),
    # Without it SQLite would give the number of the last row anew once that row is cleared.
    sqlite_autoincrement=True,
)


@dataclass(frozen=True, slots=True)
class Event:
    """An event as its subscribers get it. id: the same at every delivery. sequence: grows with every event."""

    id: UUID
    sequence: int
    type: str
    key: str
    payload: Mapping[str, Any]
    created_at: datetime
    request_id: str | None


Handler = Callable[["Session", Event], Awaitable[None]]


class Subscriptions(set[str]):
    """The names of events that somebody in this process waits for; a part of a database that has an `Outbox`."""


def is_heard(parts: Mapping[type[Any], Any], name: str) -> bool:
    """Whether somebody may wait for events of this name. Yes, where no outbox knows. parts: see `Database.parts`."""
    subscriptions = parts.get(Subscriptions)
    return subscriptions is None or name in subscriptions


async def emit(session: Session, name: str, *, key: str, payload: Mapping[str, Any]) -> UUID:
    """Write an event into the caller's transaction: it is delivered if and only if that commits; its id.

    name: the type of the event, `noun.verb_in_the_past`. key: what it is about; the events of one key are delivered in the order of their
    commits. On PostgreSQL the key is held until the commit: emit for several keys in sorted order.
    """
    (identity,) = await emit_each(session, name, {key: payload})
    return identity


async def emit_each(session: Session, name: str, payloads: Mapping[str, Mapping[str, Any]]) -> list[UUID]:
    """Write an event of one type for each key, in two statements; their ids. See `emit`."""
    if session.unit is None:
        raise RuntimeError(f"event {name!r} needs a unit of work to commit with; this session only reads")
    if not payloads:
        return []
    dialect = session.get_bind().dialect.name
    # A sequence number is given before the commit; without the turn a later number could become visible first.
    await take_turn(session, "outbox", *payloads)
    common = {"type": name, "request_id": session.unit.request_id}
    rows = [
        {"id": new_id(), "key": key, "payload": to_jsonable_python(dict(payload)), **common}
        for key, payload in payloads.items()
    ]
    await session.execute(insert(OUTBOX).values(due_at=instant(dialect)), rows)
    announce_after_commit(session.unit)
    return [row["id"] for row in rows]


class Outbox:
    """Relays events to subscribers in this process.

    A subscriber gets a session of the system and is quick: its own writes commit together with the mark that the
    event is delivered, and what takes time or leaves the machine it enqueues as a job. One that raises is tried
    again; meanwhile later events of that key wait, all others go on.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._handlers: dict[str, list[Handler]] = {}
        self._names = database.parts.setdefault(Subscriptions, Subscriptions())
        self._wakened = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def subscribe(self, name: str, handler: Handler) -> None:
        """Call `handler` with every event of this name. Events that nobody subscribes to count as delivered."""
        self._handlers.setdefault(name, []).append(handler)
        self._names.add(name)

    def wake(self) -> None:
        """Look for events now. Safe from any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wakened.set)

    async def wait(self) -> None:
        """Sleep until somebody has seen that an event is due."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop:  # an event belongs to the loop that waited for it first
            self._loop, self._wakened = loop, asyncio.Event()
        await self._wakened.wait()
        self._wakened.clear()

    async def relay(self) -> int:
        """Deliver what is due, until nothing is; how many events were delivered."""
        delivered = 0
        while due := await self._due():
            before = delivered
            delivered += await self._pass_over([each.sequence for each in due if each.type not in self._handlers])
            for each in due:
                if each.type in self._handlers:
                    delivered += await self._deliver(each.sequence)
            if delivered == before:  # all failed, or another process has them
                break
        return delivered

    async def clear_delivered(self, *, older_than: timedelta, limit: int = 1000) -> int:
        """Delete up to `limit` events that were delivered longer ago than this; how many."""
        async with self._database.writing(system(_REASON)) as unit:
            limit_at = instant(self._database.dialect_name, -older_than)
            old = (
                select(OUTBOX.c.sequence)
                .where(OUTBOX.c.state == _literal(DELIVERED), OUTBOX.c.ended_at < limit_at)
                .limit(limit)
            )
            gone = delete(OUTBOX).where(OUTBOX.c.sequence.in_(old)).returning(OUTBOX.c.sequence)
            return len((await unit.session.execute(gone)).all())

    def _is_due(self) -> ColumnElement[bool]:
        """Waiting, its time has come, and no earlier event of its key waits."""
        earlier = OUTBOX.alias("earlier")
        blocked = exists().where(
            earlier.c.key == OUTBOX.c.key, earlier.c.state == _literal(WAITING), earlier.c.sequence < OUTBOX.c.sequence
        )
        return and_(is_waiting(instant(self._database.dialect_name)), ~blocked.correlate(OUTBOX))

    async def _due(self) -> Sequence[Row[int, str]]:
        async with self._database.reading(system(_REASON)) as session:
            columns = (OUTBOX.c.sequence, OUTBOX.c.type)
            page = select(*columns).where(self._is_due()).order_by(OUTBOX.c.sequence).limit(_PAGE)
            return (await session.execute(page)).all()

    async def _pass_over(self, sequences: list[int]) -> int:
        """Mark what nobody here waits for; how many. Rows that another process holds are left to it."""
        if not sequences:
            return 0
        async with self._database.writing(system(_REASON)) as unit:
            free = select(OUTBOX.c.sequence).where(OUTBOX.c.sequence.in_(sequences), self._is_due()).correlate(None)
            marked = update(OUTBOX).where(
                OUTBOX.c.sequence.in_(free.with_for_update(skip_locked=True, of=OUTBOX).scalar_subquery())
            )
            ended = marked.values(self._ended()).returning(OUTBOX.c.sequence)
            return len((await unit.session.execute(ended)).all())

    def _ended(self) -> dict[str, Any]:
        return {"state": DELIVERED, "ended_at": instant(self._database.dialect_name), "error": None}

    async def _deliver(self, sequence: int) -> bool:
        try:
            async with self._database.writing(system(_REASON)) as unit:
                mine = select(OUTBOX).where(OUTBOX.c.sequence == sequence, self._is_due())
                row = (await unit.session.execute(mine.with_for_update(skip_locked=True, of=OUTBOX))).one_or_none()
                if row is None:
                    return False
                event = _event(row)
                for handler in self._handlers.get(event.type, ()):
                    await handler(unit.session, event)
                await unit.session.execute(update(OUTBOX).where(OUTBOX.c.sequence == sequence).values(self._ended()))
                return True
        except Exception as error:  # noqa: BLE001  # whatever a subscriber raises holds up its key alone
            _log.warning("event_not_delivered", sequence=sequence, error=type(error).__name__)
            await self._fail(sequence, error)
            return False

    async def _fail(self, sequence: int, error: Exception) -> None:
        async with self._database.writing(system(_REASON)) as unit:
            mine = OUTBOX.c.sequence == sequence, OUTBOX.c.state == WAITING
            failures = await unit.session.scalar(select(OUTBOX.c.failures).where(*mine))
            if failures is None:
                return
            pause = timedelta(seconds=min(2.0**failures, _LONGEST_PAUSE_SECONDS) * random.uniform(0.8, 1.2))  # noqa: S311
            values = {"failures": failures + 1, "error": type(error).__name__}
            if failures + 1 >= _TRIES:
                _log.error("event_given_up", sequence=sequence)
                values |= {"state": DEAD, "ended_at": instant(self._database.dialect_name)}
            else:
                values |= {"due_at": instant(self._database.dialect_name, pause)}
            await unit.session.execute(update(OUTBOX).where(*mine).values(values))


def is_waiting(now: ColumnElement[datetime]) -> ColumnElement[bool]:
    """Waiting, and its time has come; an earlier event of its key may be before it."""
    return and_(OUTBOX.c.state == _literal(WAITING), OUTBOX.c.due_at <= now)


def _literal(state: str) -> ColumnElement[str]:
    # Written out: a bound value would not match a partial index.
    return literal_column(f"'{state}'", Text)


def _event(row: Row[Any]) -> Event:
    return Event(
        id=row.id,
        sequence=row.sequence,
        type=row.type,
        key=row.key,
        payload=row.payload,
        created_at=row.created_at,
        request_id=row.request_id,
    )
