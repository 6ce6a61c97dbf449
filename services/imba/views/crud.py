"""Counting looks at listings, and what landlords see of the counts."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import extract, func, select
from sqlalchemy.dialects import postgresql, sqlite

from freehold import Session
from freehold.fields import new_id, now
from freehold.store import Tally
from freehold.web import Seen

from ..properties import crud as properties
from .models import PropertyViews

STAFF = frozenset({"reviewer", "admin"})
# What programs call themselves that fetch pages without anybody who looks at them.
_BOT = re.compile(
    r"bot\b|crawl|spider|slurp|preview|facebookexternalhit|monitor|uptime|headless|"
    r"^(curl|wget|python|go-http-client|java|okhttp|axios|node|libwww)",
    re.IGNORECASE,
)


class Look(NamedTuple):
    """What looks are counted by until they are written. viewer_id: to leave out the landlord's own."""

    property_id: UUID
    day: date
    viewer_id: UUID | None
    is_bot: bool


class Views(Tally[Look]):
    """The looks at listings that this process has served since it wrote last. A crash loses those of five seconds."""

    def __init__(self) -> None:
        super().__init__(_write, reason="views of listings")


def note(seen: Seen) -> None:
    """Count one look, unless staff looks."""
    if seen.principal.roles.isdisjoint(STAFF):
        agent = seen.headers.get("user-agent", "")
        views = seen.database.parts[Views]
        views.add(Look(seen.key, now().date(), seen.principal.id, not agent or bool(_BOT.search(agent))))


async def by_property(db: Session, ids: Sequence[UUID], since: date, until: date) -> Mapping[UUID, int]:
    """People's views by property, in the half-open period."""
    counted = (
        select(PropertyViews.property_id, func.sum(PropertyViews.people))
        .where(PropertyViews.property_id.in_(ids), PropertyViews.day >= since, PropertyViews.day < until)
        .group_by(PropertyViews.property_id)
    )
    async with db.unscoped("how often a landlord's listings were looked at, without by whom") as system_db:
        return {property_id: int(count) for property_id, count in await system_db.execute(counted)}


async def by_month(db: Session, ids: Sequence[UUID], since: date, until: date) -> Mapping[tuple[int, int], int]:
    """The same of all of them, by year and month."""
    year, month = extract("year", PropertyViews.day), extract("month", PropertyViews.day)
    counted = (
        select(year, month, func.sum(PropertyViews.people))
        .where(PropertyViews.property_id.in_(ids), PropertyViews.day >= since, PropertyViews.day < until)
        .group_by(year, month)
    )
    async with db.unscoped("how often a landlord's listings were looked at, without by whom") as system_db:
        return {(int(of), int(at)): int(count) for of, at, count in await system_db.execute(counted)}


async def _write(db: Session, looks: Mapping[Look, int]) -> None:
    offering = await properties.landlords_of(db, {look.property_id for look in looks})
    counts: defaultdict[tuple[UUID, date], Counter[str]] = defaultdict(Counter)
    for look, count in looks.items():
        # One that is not there any more was removed for good meanwhile.
        if look.property_id in offering and offering[look.property_id] != look.viewer_id:
            counts[look.property_id, look.day]["bots" if look.is_bot else "people"] += count
    if not counts:
        return
    # In one order, so that two processes which write at once do not wait for each other.
    rows = [
        {"id": new_id(), "created_at": now(), "updated_at": now(), "row_version": 1, "property_id": property_id}
        | {"day": day, "people": found["people"], "bots": found["bots"]}
        for (property_id, day), found in sorted(counts.items())
    ]
    insert = postgresql.insert if db.get_bind().dialect.name == "postgresql" else sqlite.insert
    added = insert(PropertyViews)
    summed = {name: getattr(PropertyViews, name) + added.excluded[name] for name in ("people", "bots")}
    await db.execute(added.on_conflict_do_update(index_elements=["property_id", "day"], set_=summed), rows)
