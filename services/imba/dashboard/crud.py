"""A landlord's figures: nine statements, however many properties, stays and months."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from freehold import Principal, Session

from ..favourites import crud as favourites
from ..messages import crud as messages
from ..properties import crud as properties
from ..reservations import figures
from ..views import crud as views
from .schemas import Dashboard, Income, Month, Period, PropertyFigures


async def look(db: Session, actor: Principal, period: Period) -> Dashboard:
    """The figures of what the caller offers, under the caller's own rules."""
    assert actor.id is not None
    since, until = period.days()
    own = await properties.offered_by(db, actor.id)
    async with db.unscoped("what a landlord has offered, deleted or not") as system_db:
        ids = list(await system_db.scalars(properties.ids_of(actor.id)))
    by_property = await figures.by_property(db, ids, since, until)
    liked = await favourites.counts(db, [each.id for each in own])
    seen = await views.by_property(db, ids, since, until)
    shown = [
        _of_property(
            each,
            by_property.get(each.id),
            views=seen.get(each.id, 0),
            favourites=liked.get(each.id, 0),
            days=(until - since).days,
        )
        for each in own
    ]
    return Dashboard(
        start=since,
        end=until,
        months=await _months(db, ids, period, sum(properties.is_nightly(each) for each in own)),
        properties=shown,
        pending_requests=sum(found.pending for found in by_property.values()),
        unread_messages=(await messages.unread(db, actor)).messages,
    )


async def _months(db: Session, ids: Sequence[UUID], period: Period, nightly: int) -> list[Month]:
    months = period.months()
    nights = await figures.nights(db, ids, months)
    income = await figures.income(db, ids, *period.days())
    seen = await views.by_month(db, ids, *period.days())
    return [
        _month(
            start,
            end,
            views=seen.get((start.year, start.month), 0),
            nights=nights.get(start, 0),
            offered=nightly * (end - start).days,
            income=income.get((start.year, start.month), {}),
        )
        for start, end in months
    ]


def _month(start: date, end: date, *, views: int, nights: int, offered: int, income: Mapping[str, int]) -> Month:
    return Month(
        start=start,
        end=end,
        views=views,
        nights=nights,
        nights_offered=offered,
        occupancy=_share(nights, offered),
        income=[Income(currency=currency, amount=amount) for currency, amount in sorted(income.items())],
    )


def _of_property(
    listing: Any, found: figures.OfProperty | None, *, views: int, favourites: int, days: int
) -> PropertyFigures:
    found = found or figures.OfProperty(0, 0, 0, 0, 0)
    return PropertyFigures(
        property_id=listing.id,
        title=listing.title,
        status=listing.status,
        occupancy=round(found.nights / days, 4),
        conversion=_share(found.confirmed, found.requests),
        views=views,
        favourites=favourites,
        rating_average=listing.rating_average,
        rating_count=listing.rating_count,
        **found._asdict(),
    )


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None
