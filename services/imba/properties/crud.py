"""What may happen to a listing. Publication stands beside it, since it asks the verification feature."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, exists, select

from freehold import Conflict, Forbidden, Invalid, Principal, Session, audit
from freehold.errors import FieldError
from freehold.fields import now
from freehold.store import forget_history

from . import events
from .models import Property
from .schemas import PropertyRead


class NotForStays(Conflict):
    """The property is not listed, or not priced per night."""

    code, title = "imba.not_for_stays", "Not offered for stays"


class NotListed(Conflict):
    """The property is not on the market."""

    code, title = "imba.not_listed", "Not listed"


async def unpublish(db: Session, actor: Principal, listing: Property) -> None:
    """Take the listing off the market; without effect on one that is not listed."""
    if listing.status == "listed":
        listing.status = "unlisted"
        await events.unlisted.emit(db, listing)


async def find(db: Session, property_id: UUID) -> Property | None:
    """The listing, as far as the session's caller may see it."""
    return await db.get(Property, property_id)


async def held(db: Session, property_id: UUID) -> Property:
    """The listing, kept from changing until the commit, so that its price and status are those booked on.

    Raises Invalid where the session's caller may see no such listing.
    """
    locked = select(Property).where(Property.id == property_id).with_for_update(read=True)
    listing = (await db.scalars(locked, execution_options={"populate_existing": True})).one_or_none()
    if listing is None:
        raise unknown_property()
    return listing


async def lock(db: Session, property_id: UUID) -> None:
    """Wait for whoever holds the listing, and keep it from being held until the commit. For system scope."""
    await db.execute(select(Property.id).where(Property.id == property_id).with_for_update())


async def known(db: Session, property_id: UUID) -> Property:
    """The listing, deleted or not. For a session in system scope."""
    return await db.get_one(Property, property_id)


def managers(listing: Property) -> list[UUID]:
    """Its landlord, and the agent with a mandate for it."""
    return [listing.landlord_id, *([] if listing.agent_id is None else [listing.agent_id])]


def require_managed(listing: Property, actor: Principal) -> None:
    """Raise Forbidden for who does not manage it: before anything of it is looked at, taken dates included."""
    if actor.id not in managers(listing):
        raise Forbidden("Only its landlord, or the agent with a mandate for it, may do this.")


def require_landlord(listing: Property, actor: Principal) -> None:
    """Raise Forbidden where the listing is somebody else's, also for its agent."""
    if listing.landlord_id != actor.id:
        raise Forbidden("Only its landlord may do this.")


async def appoint(db: Session, property_id: UUID, agent_id: UUID | None) -> str:
    """Let an agent manage the listing, or nobody but its landlord; its title. For a session in system scope."""
    listing = await db.get_one(Property, property_id, with_for_update=True, populate_existing=True)
    listing.agent_id = agent_id
    return listing.title


def require_listed(listing: Property) -> None:
    """Raise NotListed where the listing is off the market: its landlord and staff see it still."""
    if listing.status != "listed":
        raise NotListed("This property is not listed.")


def on_market(property_id: Any) -> ColumnElement[bool]:
    """Whether everyone sees the property that a column names: what belongs to it is seen with it."""
    return exists().where(Property.id == property_id, Property.status == "listed", Property.deleted_at.is_(None))


async def show_cover(db: Session, property_id: UUID, medium_id: UUID | None) -> None:
    """Show this photo first. For a session in system scope."""
    listing = await db.get(Property, property_id, with_for_update=True)
    if listing is not None and listing.cover_id != medium_id:
        listing.cover_id = medium_id


async def rate(db: Session, ratings: Sequence[tuple[UUID, int]]) -> None:
    """Count published ratings in. For a session in system scope; the listings are locked, in the order of their ids."""
    rated = select(Property).where(Property.id.in_({each for each, _ in ratings})).order_by(Property.id)
    locked = rated.with_for_update(key_share=True)
    listings = {row.id: row for row in await db.scalars(locked, execution_options={"populate_existing": True})}
    for property_id, rating in ratings:
        listing = listings[property_id]
        listing.rating_count += 1
        listing.rating_sum += rating
        listing.rating_average = round(listing.rating_sum / listing.rating_count, 2)


def ids_of(landlord_id: UUID) -> Select[UUID]:
    """SQL: what the landlord offers, deleted or not. For a statement in system scope."""
    return select(Property.id).where(Property.landlord_id == landlord_id)


async def landlords_of(db: Session, ids: Iterable[UUID]) -> Mapping[UUID, UUID]:
    """Whose each of these is, of those that there are. For a session in system scope."""
    found = await db.execute(select(Property.id, Property.landlord_id).where(Property.id.in_(ids)))
    return {row.id: row.landlord_id for row in found}


async def offered_by(db: Session, landlord_id: UUID) -> Sequence[Property]:
    """What the landlord offers, as far as the session's caller sees it, oldest first."""
    own = select(Property).where(Property.landlord_id == landlord_id, Property.deleted_at.is_(None))
    return (await db.scalars(own.order_by(Property.id))).all()


def is_nightly(listing: Property) -> bool:
    """Whether it can be booked by the night now."""
    return listing.status == "listed" and listing.price_per == "night"


def require_nightly(listing: Property) -> None:
    """Raise NotForStays where the listing cannot be booked by the night."""
    if not is_nightly(listing):
        raise NotForStays("This property is not listed with a price per night.")


def unknown_property() -> Invalid:
    """The same refusal for a property that is not there and one that the caller may not see."""
    unknown = FieldError("unknown_reference", "There is no such row", pointer="/property_id")
    return Invalid("There is no such property.", errors=[unknown])


async def unlist_of(db: Session, landlord_id: UUID, property_id: UUID | None) -> list[str]:
    """Unlist what rested on a verification: one property, or all of a landlord's. Their titles.

    For a session in system scope. Locks the rows whatever their status: one that is being published at this moment
    reads as a draft until the other commit, and would be passed over by a condition on its status.
    """
    resting = select(Property).where(Property.landlord_id == landlord_id).order_by(Property.id).with_for_update()
    if property_id is not None:
        resting = resting.where(Property.id == property_id)
    rows = (await db.scalars(resting, execution_options={"populate_existing": True})).all()
    listed = [row for row in rows if row.status == "listed"]
    for row in listed:
        row.status = "unlisted"
        change = {"before": {"status": "listed"}, "after": {"status": "unlisted"}}
        await audit(db, "properties.unlisted", subject_type="properties", subject_id=row.id, **change)
        await events.unlisted.emit(db, row)
    return [row.title for row in listed]


async def held_about(db: Session, landlord_id: UUID) -> list[dict[str, Any]]:
    """The landlord's listings, for an export. For a session in system scope."""
    mine = select(Property).where(Property.landlord_id == landlord_id).order_by(Property.id)
    return [PropertyRead.model_validate(row).model_dump(mode="json") for row in await db.scalars(mine)]


async def withdraw_all(db: Session, landlord_id: UUID) -> None:
    """Delete, softly, whatever the landlord offers, and forget what it was before. For a session in system scope."""
    await unlist_of(db, landlord_id, None)
    mine = (await db.scalars(select(Property).where(Property.landlord_id == landlord_id))).all()
    for row in mine:
        row.deleted_at = row.deleted_at or now()
    await db.flush()
    await forget_history(db, "properties", [row.id for row in mine])
