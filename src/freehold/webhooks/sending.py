"""The job that sends what is due: many at once, so that a slow receiver keeps nobody else waiting.

A delivery is taken for a minute; a process that dies within it leaves the delivery to be taken again, under the same
`webhook-id`. How each try went is written in a short unit of its own.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import ColumnElement, Text, and_, case, func, literal, literal_column, or_, select, update

from freehold.jobs import Backoff, job, running
from freehold.resource import clock
from freehold.resource.base import UTCDateTime, new_id
from freehold.resource.principal import system
from freehold.store.instant import instant
from freehold.store.session import Session
from freehold.traffic import Fetcher
from freehold.webhooks.attempts import GONE, Attempt, Outcome, permitted, post
from freehold.webhooks.dispatcher import Dispatcher, SwitchedOff
from freehold.webhooks.tables import EVENTS, Disabled, WebhookDelivery, WebhookEndpoint, table_of

_log = structlog.get_logger("freehold.webhooks")

# 14 tries with these pauses between them take 69 hours, a fifth more or less.
TRIES = 14
BACKOFF = Backoff(first=timedelta(seconds=10), factor=3.0, longest=timedelta(hours=12))
AT_ONCE, AT_ONCE_EACH = 100, 4
_AT_ROWS = 4
# A receiver that fails is left alone for a tenth of the time that it has failed.
_SHORTEST_REST, _LONGEST_REST = timedelta(seconds=5), timedelta(hours=1)
_TAKEN_FOR = timedelta(seconds=60)
_TURN_SECONDS = 15.0  # with the last tries it ends within the time that a process has to leave
_LOOK_SECONDS = 0.25
_PAGE = 500
_REASON = "send webhooks"

_DELIVERIES, _ENDPOINTS = table_of(WebhookDelivery), table_of(WebhookEndpoint)
DELIVERY, ENDPOINT = _DELIVERIES.c, _ENDPOINTS.c


@job(
    "freehold.webhooks.send",
    system="send events to those who have subscribed to them",
    outside=True,
    at_once=1,
    timeout=timedelta(seconds=_TURN_SECONDS + 60),
)
async def send(db: Session) -> None:
    """Send what is due, for a while, and see to it that the rest is sent when its time comes."""
    await Sending(running().part(Dispatcher), running().part(Fetcher)).run()


class Sending:
    """One run of the job."""

    def __init__(self, dispatcher: Dispatcher, fetcher: Fetcher) -> None:
        self._dispatcher = dispatcher
        self._database = dispatcher.database
        self._fetcher = fetcher
        self._under_way: dict[asyncio.Task[None], UUID] = {}
        # A hundred may wait for their receivers, but not for the connections that requests need, too.
        self._at_rows = asyncio.Semaphore(_AT_ROWS)

    async def run(self) -> None:
        """Raises what went wrong here, such as a database that is away; what was taken is then due in a minute."""
        end = time.monotonic() + _TURN_SECONDS
        try:
            while True:
                while time.monotonic() < end and (taken := await self._take()):
                    for attempt in taken:
                        task = asyncio.create_task(self._carry_out(attempt))
                        self._under_way[task] = attempt.endpoint_id
                if not self._under_way:
                    break
                done, _ = await asyncio.wait(
                    self._under_way, timeout=_LOOK_SECONDS, return_when=asyncio.FIRST_COMPLETED
                )
                for task in done:
                    del self._under_way[task]
                    task.result()
        finally:
            await self._abandon()
        await self._come_back()

    async def _abandon(self) -> None:
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    async def _take(self) -> list[Attempt]:
        """Take deliveries that are due, the longest waiting first, without giving one endpoint more than its share."""
        chosen = await self._choose()
        if not chosen:
            return []
        token, dialect = new_id(), self._database.dialect_name
        taking = (
            update(_DELIVERIES)
            .where(DELIVERY.id.in_(chosen), _is_due(dialect))
            .values(attempt=token, attempts=DELIVERY.attempts + 1, next_attempt_at=instant(dialect, _TAKEN_FOR))
        )
        async with self._database.writing(system(_REASON)) as unit:
            await unit.session.execute(taking)
            return [Attempt(**row._mapping) for row in await unit.session.execute(_taken(token))]  # noqa: SLF001  # its public name

    async def _choose(self) -> list[UUID]:
        busy = Counter(self._under_way.values())
        room = AT_ONCE - busy.total()
        if room <= 0:
            return []
        dialect = self._database.dialect_name
        full = [endpoint_id for endpoint_id, count in busy.items() if count >= AT_ONCE_EACH]
        due = (
            select(DELIVERY.id, DELIVERY.endpoint_id, ENDPOINT.failing_since)
            .join_from(_DELIVERIES, _ENDPOINTS, ENDPOINT.id == DELIVERY.endpoint_id)
            .where(_is_due(dialect), ENDPOINT.is_enabled, _has_rested(dialect), ENDPOINT.id.not_in(full))
            # One that fails is tried with a single event until it answers again.
            .where(or_(ENDPOINT.failing_since.is_(None), ENDPOINT.id.not_in(busy)))
            .order_by(DELIVERY.next_attempt_at, DELIVERY.id)
            .limit(_PAGE)
        )
        chosen: list[UUID] = []
        async with self._database.reading(system(_REASON)) as session:
            for delivery_id, endpoint_id, failing_since in await session.execute(due):
                if busy[endpoint_id] < (AT_ONCE_EACH if failing_since is None else 1) and len(chosen) < room:
                    busy[endpoint_id] += 1
                    chosen.append(delivery_id)
        return chosen

    async def _carry_out(self, attempt: Attempt) -> None:
        outcome = await self._make(attempt)
        async with self._at_rows, self._database.writing(system(_REASON)) as unit:
            if await _write_down(unit.session, attempt, outcome):
                await self._judge(unit.session, attempt, outcome)

    async def _make(self, attempt: Attempt) -> Outcome:
        try:
            async with self._at_rows:
                data = await permitted(attempt, self._dispatcher)
            if data is None:
                return Outcome("withheld", error="The owner of the endpoint may not read it any more.")
            return await post(attempt, data, self._dispatcher, self._fetcher)
        except Exception as error:  # noqa: BLE001  # what is wrong with one of them stops none of the others
            _log.error("webhook_not_sent", delivery_id=str(attempt.delivery_id), error=type(error).__name__)
            return Outcome("pending", error="It could not be sent, by a fault of the sender.")

    async def _judge(self, db: Session, attempt: Attempt, outcome: Outcome) -> None:
        """What the outcome says of the endpoint: well again, in need of rest, or to be switched off."""
        if outcome.state == "delivered":
            well = update(_ENDPOINTS).where(ENDPOINT.id == attempt.endpoint_id, ENDPOINT.failing_since.is_not(None))
            await db.execute(well.values(failing_since=None, rests_until=None))
        if outcome.state != "pending":
            return
        since = attempt.failing_since or clock.now()
        failing_for = clock.now() - since
        rest = min(max(failing_for / 10, _SHORTEST_REST), _LONGEST_REST)
        values: dict[str, Any] = {
            "failing_since": func.coalesce(ENDPOINT.failing_since, literal(since, UTCDateTime())),
            "rests_until": instant(self._database.dialect_name, rest),
        }
        because: Disabled | None = "failing" if failing_for >= self._dispatcher.gives_up_after else None
        because = "gone" if outcome.status == GONE else because
        if because is not None:
            values |= {"is_enabled": False, "disabled_because": because}
        # Of another address nothing is known yet.
        mine = ENDPOINT.id == attempt.endpoint_id, ENDPOINT.url == attempt.url, ENDPOINT.is_enabled
        found = (await db.execute(update(_ENDPOINTS).where(*mine).values(values).returning(ENDPOINT.id))).all()
        if because is not None and found:
            _log.warning("webhook_endpoint_switched_off", endpoint_id=str(attempt.endpoint_id), because=because)
            await self._dispatcher.tell(db, SwitchedOff(attempt.endpoint_id, attempt.owner_id, attempt.url, because))

    async def _come_back(self) -> None:
        """Owe another run for what is due later."""
        rested = case(
            (ENDPOINT.rests_until > DELIVERY.next_attempt_at, ENDPOINT.rests_until), else_=DELIVERY.next_attempt_at
        )
        waits = select(func.min(rested)).join_from(_DELIVERIES, _ENDPOINTS, ENDPOINT.id == DELIVERY.endpoint_id)
        async with self._database.reading(system(_REASON)) as session:
            earliest = await session.scalar(waits.where(_is_pending(), ENDPOINT.is_enabled))
        if earliest is not None:
            async with running().writing() as db:
                await send.enqueue(db, key="send", run_at=earliest)


def _is_pending() -> ColumnElement[bool]:
    # Written out: a bound value would not match a partial index.
    return DELIVERY.state == literal_column("'pending'", Text)


def _is_due(dialect: str) -> ColumnElement[bool]:
    return and_(_is_pending(), DELIVERY.next_attempt_at <= instant(dialect))


def _has_rested(dialect: str) -> ColumnElement[bool]:
    return or_(ENDPOINT.rests_until.is_(None), ENDPOINT.rests_until <= instant(dialect))


def _taken(token: UUID) -> Any:
    return (
        select(
            DELIVERY.id.label("delivery_id"),
            DELIVERY.attempt.label("token"),
            DELIVERY.attempts.label("number"),
            *(DELIVERY[name] for name in ("endpoint_id", "owner_id", "event_id")),
            *(ENDPOINT[name] for name in _OF_ENDPOINT),
            *(EVENTS.c[name] for name in _OF_EVENT),
        )
        .join_from(_DELIVERIES, _ENDPOINTS, ENDPOINT.id == DELIVERY.endpoint_id)
        .join(EVENTS, EVENTS.c.id == DELIVERY.event_id)
        .where(DELIVERY.attempt == token)
        .order_by(EVENTS.c.sequence, DELIVERY.id)
    )


_OF_ENDPOINT = ("url", "acts_as", "sealed_secret", "sealed_former_secret", "former_secret_until", "failing_since")
_OF_EVENT = ("type", "sequence", "occurred_at", "subject_id", "data")


async def _write_down(db: Session, attempt: Attempt, outcome: Outcome) -> bool:
    """How the try went; False where another one has been begun since."""
    state, again = outcome.state, None
    if state == "pending":
        if attempt.number >= TRIES or outcome.status == GONE:
            state = "parked"
        else:
            again = instant(db.get_bind().dialect.name, BACKOFF.pause(attempt.number))
    values = {
        "state": state,
        "attempt": None,
        "next_attempt_at": again,
        "response_status": outcome.status,
        "error": outcome.error,
        "duration_ms": outcome.duration_ms,
        "delivered_at": clock.now() if state == "delivered" else None,
    }
    mine = DELIVERY.id == attempt.delivery_id, DELIVERY.attempt == attempt.token
    written = update(_DELIVERIES).where(*mine).values(values).returning(DELIVERY.id)
    return (await db.execute(written)).one_or_none() is not None
