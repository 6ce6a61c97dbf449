"""Reservations: made, answered, given up, lapsed. What is special to visits stands in the visits feature."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, exists, or_, select

from freehold import Forbidden, Principal, Session, audit
from freehold.fields import Reason, now
from freehold.wording import Phrase, paragraphs, phrase

from ..blocks import crud as blocks
from ..notices import crud as notices
from ..properties import crud as properties
from ..users import crud as users
from ..visits.opening import place
from . import events
from .models import HOLDING, Reservation, Status
from .news import NEWS, News, price, when
from .schemas import Contact, Party, Rescheduling, ReservationDraft, ReservationRead
from .states import WrongState, lapsed, require, stands
from .stays import hold_nights, refund_due


class OwnProperty(Forbidden):
    """A landlord does not book their own property."""

    code, title = "imba.own_property", "Your own property"


async def reserve(db: Session, actor: Principal, draft: ReservationDraft) -> Reservation:
    """Hold a property until the landlord answers; at once for good where its terms say so.

    Overlapping with what is held or booked breaks the invariant `imba.dates_taken` (409); touching does not.
    """
    assert actor.id is not None
    users.require_verified_email(db, await users.get(db, actor.id))
    listing = await properties.held(db, draft.property_id)
    if actor.id in properties.managers(listing):
        raise OwnProperty("You cannot reserve your own property, or one that you act for.")
    await users.take_turns(db, actor.id)  # who leaves at this moment gives up what is held by then, and holds no more
    booking = await (hold_nights(db, listing, draft) if draft.kind == "stay" else _visit(db, listing, draft))
    booking.tenant_id = actor.id
    db.add(booking)
    for manager_id in properties.managers(listing):
        await _tell(db, manager_id, booking, "requested", listing.title)
    await (events.confirmed if booking.status == "confirmed" else events.requested).emit(db, booking)
    return booking


async def confirm(db: Session, actor: Principal, booking: Reservation) -> Reservation:
    """Accept a hold that has not lapsed. A second confirmation is WrongState (409)."""
    require(booking, "pending")
    if booking.kind == "stay" and not await blocks.keep(db, booking.id):
        raise WrongState("This reservation is expired.")
    booking.status = "confirmed"
    booking.expires_at = None
    await _tell(db, booking.tenant_id, booking, "confirmed")
    await events.confirmed.emit(db, booking)
    return booking


async def reject(db: Session, actor: Principal, booking: Reservation, body: Reason) -> Reservation:
    """Turn a hold down; what it held is free again."""
    require(booking, "pending")
    booking.reason = body.reason
    await _end(db, booking, "rejected")
    await _tell(db, booking.tenant_id, booking, "rejected", after=body.reason)
    return booking


async def cancel(db: Session, actor: Principal, booking: Reservation) -> Reservation:
    """Give up a hold, or a confirmed one that has not ended; what it held is free again. Either side may.

    The refund follows the terms that were booked; whoever is cancelled on, or was never accepted, gets all of it.
    """
    require(booking, "pending", "confirmed")
    if booking.ends_at <= now():
        raise WrongState(f"This {booking.kind} is over.")
    by_tenant = actor.id == booking.tenant_id
    if booking.kind == "stay":
        booking.refund_amount = refund_due(booking) if by_tenant else booking.total_amount
    await _end(db, booking, "cancelled")
    if not by_tenant:
        await _tell(db, booking.tenant_id, booking, "cancelled")
    return booking


async def reschedule(db: Session, actor: Principal, booking: Reservation, body: Rescheduling) -> Reservation:
    """Move a visit to another time; it stays the same reservation, and waits for the landlord's answer again."""
    require(booking, "pending", "confirmed")
    if booking.kind != "visit":
        raise WrongState("Only a visit can be rescheduled; a stay is cancelled and booked anew.")
    if booking.starts_at <= now():
        raise WrongState("This visit has begun.")
    listing = await properties.held(db, booking.property_id)
    async with db.unscoped("holds that have lapsed give their time to whoever asks next") as system_db:
        await _lapse(system_db, Reservation.property_id == listing.id, Reservation.id != booking.id)
    for name, value in place(listing, body.starts_at).items():
        setattr(booking, name, value)
    for manager_id in properties.managers(listing):
        await _tell(db, manager_id, booking, "moved", listing.title)
    await events.rescheduled.emit(db, booking)
    return booking


async def contact(db: Session, actor: Principal, booking: Reservation) -> Contact:
    """Who the other side is, and where to go. Raises WrongState before it is confirmed."""
    require(booking, "confirmed")
    async with db.unscoped("the two sides of a confirmed reservation know each other") as system_db:
        listing = await properties.known(system_db, booking.property_id)
        tenant = await users.get(system_db, booking.tenant_id)
        landlord = await users.get(system_db, listing.landlord_id)
        return Contact(
            tenant=Party(full_name=tenant.full_name, email=tenant.email),
            landlord=Party(full_name=landlord.full_name, email=landlord.email),
            street=listing.street,
            postcode=listing.postcode,
            city=listing.city,
            country=listing.country,
        )


async def get(db: Session, reservation_id: UUID) -> Reservation:
    """The reservation, which the session's caller may see: asked after the link to it was checked."""
    return await db.get_one(Reservation, reservation_id)


async def lapse_due(db: Session) -> int:
    """Write `expired` on up to 500 holds past their end, in a session of system scope. Returns how many."""
    return await _lapse(db)


def is_completed(booking: Reservation) -> bool:
    """Whether it is a stay whose tenant has stayed, and left."""
    return booking.kind == "stay" and booking.status == "confirmed" and booking.ends_at <= now()


def has_asked(tenant_id: Any, landlord_id: Any) -> ColumnElement[bool]:
    """SQL: the tenant has, at some time, asked for a property of the landlord."""
    return exists().where(Reservation.tenant_id == tenant_id, Reservation.property.has(landlord_id=landlord_id))


async def visits_between(
    db: Session, property_id: UUID, since: datetime, until: datetime
) -> list[tuple[datetime, datetime]]:
    """When visits take the property between the instants, whoever's they are: their times are public."""
    found = (
        select(Reservation.starts_at, Reservation.clear_at)
        .where(
            Reservation.property_id == property_id,
            Reservation.kind == "visit",
            or_(stands("pending"), stands("confirmed")),
            Reservation.starts_at < until,
            Reservation.clear_at > since,
        )
        .order_by(Reservation.starts_at)
    )
    async with db.unscoped("the times of visits are public, their visitors are not") as system_db:
        return [(row.starts_at, row.clear_at) for row in await system_db.execute(found)]


async def held_about(db: Session, tenant_id: UUID) -> list[dict[str, Any]]:
    """The tenant's reservations, for an export. For a session in system scope."""
    mine = select(Reservation).where(Reservation.tenant_id == tenant_id).order_by(Reservation.id)
    return [ReservationRead.model_validate(row).model_dump(mode="json") for row in await db.scalars(mine)]


async def give_up_all(db: Session, tenant_id: UUID) -> None:
    """Cancel the tenant's holds and what has not ended. For a session in system scope."""
    mine = select(Reservation).where(
        Reservation.tenant_id == tenant_id, Reservation.status.in_(HOLDING), Reservation.ends_at > now()
    )
    for booking in await db.scalars(mine.order_by(Reservation.id).with_for_update()):
        if booking.kind == "stay":
            booking.refund_amount = refund_due(booking)
        await _end(db, booking, "cancelled")


async def call_off_all(db: Session, landlord_id: UUID) -> None:
    """Cancel what is ahead at the homes of a landlord who leaves: all of the money goes back, and the tenants are told.

    For a session in system scope, once the homes are off the market and nobody can reserve them any more.
    """
    ahead = select(Reservation).where(
        Reservation.property.has(landlord_id=landlord_id), Reservation.status.in_(HOLDING), Reservation.ends_at > now()
    )
    for booking in await db.scalars(ahead.order_by(Reservation.id).with_for_update()):
        booking.refund_amount = booking.total_amount
        await _end(db, booking, "cancelled")
        await _tell(db, booking.tenant_id, booking, "cancelled", after=phrase("The landlord has left."))


async def _visit(db: Session, listing: Any, draft: ReservationDraft) -> Reservation:
    assert draft.starts_at is not None
    properties.require_listed(listing)
    async with db.unscoped("holds that have lapsed give their time to whoever asks next") as system_db:
        await _lapse(system_db, Reservation.property_id == listing.id)
    return Reservation(kind="visit", property_id=listing.id, **place(listing, draft.starts_at))


async def _end(db: Session, booking: Reservation, status: Status) -> None:
    booking.status = status
    booking.expires_at = None
    if booking.deposit_status == "due":
        booking.deposit_status = "released"
    if booking.kind == "stay":
        await blocks.release(db, booking.id)
    await events.ENDED[status].emit(db, booking)


async def _lapse(db: Session, *conditions: ColumnElement[bool]) -> int:
    # A hold that is being confirmed at this moment is locked: skipped by the sweep's next turn or waited for here,
    # and judged by what it has become.
    due = select(Reservation).where(lapsed(), *conditions).order_by(Reservation.id).limit(500).with_for_update()
    bookings = (await db.scalars(due, execution_options={"populate_existing": True})).all()
    for booking in bookings:
        await _end(db, booking, "expired")
        change = {"before": {"status": "pending"}, "after": {"status": "expired"}}
        await audit(db, "reservations.lapsed", subject_type="reservations", subject_id=booking.id, **change)
    return len(bookings)


async def _tell(
    db: Session, user_id: UUID, booking: Reservation, news: News, before: str = "", *, after: Phrase | str = ""
) -> None:
    await db.flush()  # what the notice leads to is there
    link = f"/v1/reservations/{booking.id}"
    kind: Literal["visit", "reservation"] = "visit" if booking.kind == "visit" else "reservation"
    text = paragraphs(before, when(booking), *price(booking), after)
    await notices.notify(db, user_id, kind=kind, subject=NEWS[booking.kind, news], text=text, link=link)
