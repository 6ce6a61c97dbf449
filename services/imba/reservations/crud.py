"""Stays: a hold of 24 hours, and what becomes of it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, SQLColumnExpression, and_, bindparam, or_, select

from freehold import Conflict, Forbidden, Principal, Session, audit, public_fact
from freehold.fields import now

from ..fields import Reason
from ..properties import crud as properties
from ..users import crud as users
from .models import HOLDING, Reservation, Status
from .schemas import ReservationDraft, ReservationRead

HOLD = timedelta(hours=24)


class WrongState(Conflict):
    """The reservation is not in the state that this step starts from."""

    code, title = "imba.reservation_state", "Not possible in this state"


class OwnProperty(Forbidden):
    """A landlord does not book their own property."""

    code, title = "imba.own_property", "Your own property"


async def reserve(db: Session, actor: Principal, draft: ReservationDraft) -> Reservation:
    """Hold the nights for 24 hours, at the price of this moment, until the landlord answers.

    Overlapping with another hold or stay breaks the invariant `imba.dates_taken` (409); touching nights do not.
    """
    assert actor.id is not None
    users.require_verified_email(db, await users.get(db, actor.id))
    home = await properties.held(db, draft.property_id)
    if home.landlord_id == actor.id:
        raise OwnProperty("You cannot reserve your own property.")
    properties.require_nightly(home)
    async with db.unscoped("holds that have lapsed give their dates to whoever asks next") as system_db:
        await _lapse(system_db, Reservation.property_id == home.id)
    stay = Reservation(
        **draft.model_dump(),
        tenant_id=actor.id,
        status="pending",
        total_amount=(draft.check_out - draft.check_in).days * home.price_amount,
        currency=home.price_currency,
        expires_at=now() + HOLD,
    )
    db.add(stay)
    await users.tell(db, home.landlord_id, subject="A request for a stay", text=f"{home.title}\n\n{_nights(stay)}")
    return stay


async def confirm(db: Session, actor: Principal, stay: Reservation) -> Reservation:
    """Accept a hold that has not lapsed. A second confirmation is WrongState (409)."""
    _require(stay, "pending")
    stay.status = "confirmed"
    stay.expires_at = None
    await users.tell(db, stay.tenant_id, subject="Your stay is confirmed", text=_nights(stay))
    return stay


async def reject(db: Session, actor: Principal, stay: Reservation, body: Reason) -> Reservation:
    """Turn a hold down; its dates are free again."""
    _require(stay, "pending")
    stay.status = "rejected"
    stay.expires_at = None
    stay.reason = body.reason
    await users.tell(db, stay.tenant_id, subject="Your stay was not accepted", text=f"{_nights(stay)}\n\n{body.reason}")
    return stay


async def cancel(db: Session, actor: Principal, stay: Reservation) -> Reservation:
    """Give up a hold, or a confirmed stay that has not ended; its dates are free again. Either side may."""
    _require(stay, "pending", "confirmed")
    if stay.check_out <= now().date():
        raise WrongState("This stay is over.")
    stay.status = "cancelled"
    stay.expires_at = None
    return stay


async def lapse_due(db: Session) -> int:
    """Write `expired` on up to 500 holds past their end, in a session of system scope. Returns how many."""
    return await _lapse(db)


def is_taken(property_id: SQLColumnExpression[UUID], since: date, until: date) -> ColumnElement[bool]:
    """SQL: some hold or stay takes a night from `since` up to `until`, whoever asks: taken dates are public."""
    taking = select(Reservation.id).where(
        Reservation.property_id == property_id, _in_force(), *_overlapping(since, until)
    )
    return public_fact(taking.exists(), reason="taken dates are public, their guests are not")


async def taken(db: Session, property_id: UUID, since: date, until: date) -> list[tuple[date, date]]:
    """The ranges that are taken between the days: half-open, merged where they touch, in order, cut to the window."""
    nights = (
        select(Reservation.check_in, Reservation.check_out)
        .where(Reservation.property_id == property_id, _in_force(), *_overlapping(since, until))
        .order_by(Reservation.check_in)
    )
    async with db.unscoped("taken dates are public, their guests are not") as system_db:
        rows = (await system_db.execute(nights)).all()
    merged: list[tuple[date, date]] = []
    for check_in, check_out in rows:
        start, end = max(check_in, since), min(check_out, until)
        if merged and merged[-1][1] == start:
            start = merged.pop()[0]
        merged.append((start, end))
    return merged


def stands(status: str) -> ColumnElement[bool]:
    """SQL: the reservation stands so at this moment, a hold past its end counting as `expired`."""
    if status == "pending":
        return and_(Reservation.status == "pending", ~_lapsed())
    if status == "expired":
        return or_(Reservation.status == "expired", _lapsed())
    return Reservation.status == status


async def _lapse(db: Session, *conditions: ColumnElement[bool]) -> int:
    # A hold that is being confirmed at this moment is locked: skipped by the sweep's next turn or waited for here,
    # and judged by what it has become.
    due = select(Reservation).where(_lapsed(), *conditions).order_by(Reservation.id).limit(500).with_for_update()
    stays = (await db.scalars(due, execution_options={"populate_existing": True})).all()
    for stay in stays:
        stay.status = "expired"
        change = {"before": {"status": "pending"}, "after": {"status": "expired"}}
        await audit(db, "reservations.lapsed", subject_type="reservations", subject_id=stay.id, **change)
    return len(stays)


def _lapsed() -> ColumnElement[bool]:
    return and_(Reservation.status == "pending", Reservation.expires_at <= _this_moment())


def _in_force() -> ColumnElement[bool]:
    return or_(Reservation.status == "confirmed", and_(Reservation.status == "pending", ~_lapsed()))


def _this_moment() -> ColumnElement[Any]:
    # Read when the statement runs, not when it is built: plans are built once.
    return bindparam("this_moment", callable_=now, unique=True)


def _overlapping(since: date, until: date) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return Reservation.check_in < until, Reservation.check_out > since


def _require(stay: Reservation, *allowed: Status) -> None:
    has_lapsed = stay.status == "pending" and stay.expires_at is not None and stay.expires_at <= now()
    standing = "expired" if has_lapsed else stay.status
    if standing not in allowed:
        raise WrongState(f"This reservation is {standing}.")


def _nights(stay: Reservation) -> str:
    return f"From {stay.check_in} to {stay.check_out}, guests: {stay.guests}."


async def held_about(db: Session, tenant_id: UUID) -> list[dict[str, Any]]:
    """The tenant's reservations, for an export. For a session in system scope."""
    mine = select(Reservation).where(Reservation.tenant_id == tenant_id).order_by(Reservation.id)
    return [ReservationRead.model_validate(row).model_dump(mode="json") for row in await db.scalars(mine)]


async def give_up_all(db: Session, tenant_id: UUID) -> None:
    """Cancel the tenant's holds and the stays that have not ended. For a session in system scope."""
    mine = select(Reservation).where(
        Reservation.tenant_id == tenant_id, Reservation.status.in_(HOLDING), Reservation.check_out > now().date()
    )
    for stay in await db.scalars(mine.with_for_update()):
        stay.status = "cancelled"
        stay.expires_at = None
