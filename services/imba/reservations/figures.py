"""What the reservations of some properties come to, counted by the database under the caller's own rule."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Date, Integer, and_, case, cast, extract, func, literal, select, union_all

from freehold import Session

from .models import Reservation
from .states import stands

_DAY_SECONDS = 86_400


class OfProperty(NamedTuple):
    """One property's: nights of confirmed stays; stays asked for, those confirmed, visits; what waits now."""

    nights: int
    requests: int
    confirmed: int
    visits: int
    pending: int


async def by_property(db: Session, ids: Sequence[UUID], since: date, until: date) -> Mapping[UUID, OfProperty]:
    """By property: nights in the period, what was asked for in it, and what waits now."""
    first, last = (datetime.combine(day, time(), UTC) for day in (since, until))
    asked = and_(Reservation.created_at >= first, Reservation.created_at < last)
    stay, confirmed = Reservation.kind == "stay", Reservation.status == "confirmed"
    start, end = literal(since, Date()), literal(until, Date())
    overlaps = and_(stay, confirmed, Reservation.check_in < end, Reservation.check_out > start)
    counted = (
        select(
            Reservation.property_id,
            func.coalesce(func.sum(case((overlaps, _nights(start, end)))), 0),
            func.count(case((and_(stay, asked), 1))),
            func.count(case((and_(stay, asked, confirmed), 1))),
            func.count(case((and_(~stay, asked), 1))),
            func.count(case((stands("pending"), 1))),
        )
        .where(Reservation.property_id.in_(ids))
        .group_by(Reservation.property_id)
    )
    return {property_id: OfProperty(*found) for property_id, *found in await db.execute(counted)}


async def nights(db: Session, ids: Sequence[UUID], months: Sequence[tuple[date, date]]) -> Mapping[date, int]:
    """Nights of confirmed stays, by the first day of each half-open month."""
    columns = ((literal(start, Date()).label("first"), literal(end, Date()).label("beyond")) for start, end in months)
    month = union_all(*(select(*each) for each in columns)).subquery("fh_month")
    counted = (
        select(month.c.first, func.sum(_nights(month.c.first, month.c.beyond)))
        .join_from(
            month, Reservation, and_(Reservation.check_in < month.c.beyond, Reservation.check_out > month.c.first)
        )
        .where(Reservation.property_id.in_(ids), Reservation.kind == "stay", Reservation.status == "confirmed")
        .group_by(month.c.first)
    )
    return {first: int(count) for first, count in await db.execute(counted)}


async def income(
    db: Session, ids: Sequence[UUID], since: date, until: date
) -> Mapping[tuple[int, int], Mapping[str, int]]:
    """By year and month of check-in, and currency: what confirmed stays cost, and what cancelled ones did not give back."""
    kept = Reservation.total_amount - func.coalesce(Reservation.refund_amount, Reservation.total_amount)
    amount = func.sum(case((Reservation.status == "confirmed", Reservation.total_amount), else_=kept))
    year, month = extract("year", Reservation.check_in), extract("month", Reservation.check_in)
    summed = (
        select(year, month, Reservation.currency, amount)
        .where(
            Reservation.property_id.in_(ids),
            Reservation.kind == "stay",
            Reservation.status.in_(("confirmed", "cancelled")),
            Reservation.check_in >= since,
            Reservation.check_in < until,
        )
        .group_by(year, month, Reservation.currency)
        .having(amount > 0)
    )
    found: defaultdict[tuple[int, int], dict[str, int]] = defaultdict(dict)
    for in_year, in_month, currency, total in await db.execute(summed):
        found[int(in_year), int(in_month)][currency or ""] = int(total)
    return found


def _nights(start: ColumnElement[Any], end: ColumnElement[Any]) -> ColumnElement[int]:
    """The nights of a stay that lie between two days."""
    arrival = case((Reservation.check_in > start, Reservation.check_in), else_=start)
    departure = case((Reservation.check_out < end, Reservation.check_out), else_=end)
    return cast((extract("epoch", departure) - extract("epoch", arrival)) / _DAY_SECONDS, Integer)
