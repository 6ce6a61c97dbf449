"""Where a listing is on its way to the market and off it again; and the archive."""

from __future__ import annotations

from typing import Literal, TypeAlias
from uuid import UUID

from pydantic import BaseModel, Field

from freehold import Conflict, Principal, Session

from ..verification import crud as verification
from ..verification.schemas import CheckStatus
from .crud import unpublish
from .models import Property

Stage: TypeAlias = Literal["draft", "submitted", "verified", "published", "paused", "archived"]


class Archived(Conflict):
    """The listing is in the archive."""

    code, title = "imba.archived", "In the archive"


class Lifecycle(BaseModel):
    """How far a listing is. identity, property: how the newest check of each stands; null without any."""

    property_id: UUID
    stage: Stage = Field(description="submitted: a check of the property waits; paused: was on the market once")
    identity: CheckStatus | None
    property: CheckStatus | None


async def look(db: Session, actor: Principal, listing: Property) -> Lifecycle:
    """How far the listing is."""
    async with db.unscoped("an agent sees how far the landlord's checks are, and nothing of them") as system_db:
        identity = await verification.standing(system_db, listing.landlord_id)
        of_property = await verification.standing(system_db, listing.id)
    stage = _stage(listing, identity, of_property)
    return Lifecycle(property_id=listing.id, stage=stage, identity=identity, property=of_property)


async def archive(db: Session, actor: Principal, listing: Property) -> Property:
    """Put it away: off the market, and to be published only once it is back. What is booked stays booked."""
    await unpublish(db, actor, listing)
    listing.status = "archived"
    return listing


async def unarchive(db: Session, actor: Principal, listing: Property) -> None:
    """Bring it back, unlisted. Without effect on one that is not in the archive."""
    if listing.status == "archived":
        listing.status = "unlisted" if listing.listed_at is not None else "draft"


def require_not_archived(listing: Property) -> None:
    """Raise Archived."""
    if listing.status == "archived":
        raise Archived("Take it out of the archive first.")


def _stage(listing: Property, identity: CheckStatus | None, of_property: CheckStatus | None) -> Stage:
    if listing.status == "archived":
        return "archived"
    if listing.status == "listed":
        return "published"
    if listing.listed_at is not None:
        return "paused"
    if identity == of_property == "approved":
        return "verified"
    return "submitted" if of_property in ("pending", "information_needed", "approved") else "draft"
