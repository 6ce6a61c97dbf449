"""What the rows say against what the clients were told."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from email import message_from_bytes
from pathlib import Path
from uuid import UUID

import httpx2
from services.imba.properties.models import Property
from services.imba.reservations.models import HOLDING, Reservation
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from tests.faults.campaign.events import Heard, Subscriber
from tests.faults.campaign.profiles import Profile
from tests.faults.campaign.traffic import PATIENCE_SECONDS, Told
from tests.faults.served import PUBLIC_URL, World
from tests.faults.wire import ask, request

from freehold.jobs.tables import JOBS, State
from freehold.store.audit import AUDIT

DRAINED_SECONDS = 120.0


@dataclass
class Verdict:
    """What was found amiss, by kind."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    overlaps: int = 0
    out_of_order: int = 0
    jobs_left: int = 0
    jobs_dead: int = 0
    jobs_parked: int = 0
    mails_missing: int = 0
    mails_repeated: int = 0
    events: Heard = field(default_factory=Heard)

    @property
    def is_amiss(self) -> bool:
        """A mail that is handed over again has the same id, and is told as such: that alone is nothing amiss."""
        lists = len(self.lost) + len(self.doubled)
        rows = self.overlaps + self.out_of_order + self.jobs_left + self.jobs_dead + self.mails_missing
        return bool(lists + rows + self.events.amiss)


async def judge(profile: Profile, world: World, told: Told, subscriber: Subscriber, before: Verdict) -> None:
    """Add to `before` what is amiss with the work of one batch. All clients have ended."""
    engine = create_async_engine(profile.url)
    try:
        async with engine.connect() as connection:
            await _rows(connection, world, told, before)
            await connection.rollback()
            parked = await _parked(connection)
            if parked:
                await profile.retry(parked)
                before.jobs_parked += len(parked)
            before.jobs_left, before.jobs_dead = await _drained(connection)
            await _mails(profile, connection, before)
            await connection.rollback()
            await subscriber.judge(connection, told, before.events)
        await _contents(profile, world, told, before)
    finally:
        await engine.dispose()


async def _rows(connection: AsyncConnection, world: World, told: Told, found: Verdict) -> None:
    stays = (
        await connection.execute(
            select(
                Reservation.id, Reservation.tenant_id, Reservation.property_id, Reservation.check_in, Reservation.status
            ).where(Reservation.property_id.in_(world.houses))
        )
    ).all()
    status = {str(row.id): row.status for row in stays}
    found.lost += [key for key, row in told.booked.items() if row not in status]
    found.lost += [f"cancellation of {row}" for row in told.cancelled if status.get(row) != "cancelled"]
    asked = Counter((row.tenant_id, row.property_id, row.check_in) for row in stays)
    found.doubled += [str(key) for key, number in asked.items() if number > 1]
    holding = Counter((row.property_id, row.check_in) for row in stays if row.status in HOLDING)
    found.overlaps += sum(number - 1 for number in holding.values())
    await _known_by_name(connection, Property.title, Property.landlord_id, world, told.listed, found)
    audited = select(AUDIT.c.subject_id, AUDIT.c.action, AUDIT.c.sequence).where(AUDIT.c.subject_id.in_(status))
    order = {(row.subject_id, row.action): row.sequence for row in await connection.execute(audited)}
    for row in told.cancelled:
        began, ended = order.get((row, "reservations.created")), order.get((row, "reservations.cancellation"))
        found.out_of_order += began is not None and ended is not None and began > ended


async def _known_by_name(connection, column, owner, world, told, found):  # noqa: PLR0917
    rows = (await connection.execute(select(column, column.class_.id).where(owner == world.landlord))).all()
    there = {str(row.id) for row in rows}
    found.lost += [name for name, row in told.items() if row not in there]
    found.doubled += [name for name, number in Counter(row[0] for row in rows).items() if number > 1 and name in told]


async def _parked(connection: AsyncConnection) -> list[UUID]:
    """Jobs that five processes were killed with, three of them while they ran nothing else, and that so are taken for what killed them (J03)."""
    await _ended(connection)
    found = await connection.scalars(
        select(JOBS.c.id).where(JOBS.c.state == State.DEAD, JOBS.c.error.startswith("poison:"))
    )
    parked = list(found)
    await connection.rollback()
    return parked


async def _drained(connection: AsyncConnection) -> tuple[int, int]:
    """Jobs that did not end within the patience (a lease is a minute), and those that were given up."""
    left = await _ended(connection)
    dead = await connection.scalar(select(func.count()).where(JOBS.c.state == State.DEAD))
    return left, dead or 0


async def _ended(connection: AsyncConnection) -> int:
    until = time.monotonic() + DRAINED_SECONDS
    open_ = select(func.count()).where(JOBS.c.state.in_([State.READY, State.RUNNING]), JOBS.c.run_at <= func.now())
    while left := await connection.scalar(open_):
        await connection.rollback()
        if time.monotonic() > until:
            break
        await asyncio.sleep(0.5)
    return left or 0


async def _mails(profile: Profile, connection: AsyncConnection, found: Verdict) -> None:
    owed = await connection.scalar(
        select(func.count()).where(JOBS.c.name == "freehold.mail.send", JOBS.c.state == State.DONE)
    )
    ids = await asyncio.to_thread(_message_ids, profile.mail)
    found.mails_missing = max(0, (owed or 0) - len(ids))
    found.mails_repeated = ids.total() - len(ids)


def _message_ids(folder: Path) -> Counter[str]:
    files = [each for each in folder.iterdir() if each.is_file()] if folder.exists() else []
    return Counter(str(message_from_bytes(each.read_bytes())["Message-ID"]) for each in files)


async def _contents(profile: Profile, world: World, told: Told, found: Verdict) -> None:
    """Every file that was acknowledged can be had."""
    for name, row in told.uploaded.items():
        sent = request("POST", f"/v1/media/{row}/address", token=world.landlord_token)
        answer = await ask(profile.ports[-1], sent)
        if answer.status not in (200, 201):
            found.lost.append(f"{name}: {answer.status} {answer.body[:100]!r}")
            continue
        content = await _get(answer.json["url"], profile.ports[-1])
        if name.encode() not in content:
            found.lost.append(f"{name}: {content[:100]!r}")


async def _get(url: str, port: int) -> bytes:
    """From the service, or from the object store that it leads to."""
    mine = url.removeprefix(PUBLIC_URL)
    at = f"http://127.0.0.1:{port}"
    async with httpx2.AsyncClient(base_url=at, follow_redirects=True, timeout=PATIENCE_SECONDS) as client:
        return (await client.get(mine, headers={"Host": "127.0.0.1"} if mine.startswith("/") else {})).content
