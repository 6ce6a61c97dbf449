"""Offering, accepting and ending mandates. The turns: the mandate's row, then the property's."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import or_, select

from freehold import Conflict, Invalid, Principal, Session
from freehold.errors import FieldError
from freehold.fields import now
from freehold.wording import Phrase, phrase

from ..notices import crud as notices
from ..properties import crud as properties
from ..users import crud as users
from .models import Mandate, Status
from .schemas import MandateDraft, MandateRead


class WrongMandate(Conflict):
    """The mandate is not in the state that this step starts from."""

    code, title = "imba.mandate_state", "Not possible in this state"


async def offer(db: Session, actor: Principal, draft: MandateDraft) -> Mandate:
    """Ask an agent. A second one for the property, offered or active, breaks `imba.mandated` (409)."""
    assert actor.id is not None
    listing = await properties.held(db, draft.property_id)
    properties.require_landlord(listing, actor)
    await users.take_turns(db, actor.id, draft.agent)
    async with db.unscoped("an agent is known by the id that they gave") as system_db:
        if not await users.is_agent(system_db, draft.agent):
            unknown = FieldError("unknown_reference", "There is no such agent", pointer="/agent")
            raise Invalid("There is no such agent.", errors=[unknown])
        name = (await users.get(system_db, actor.id)).full_name
    mandate = Mandate(landlord_id=actor.id, agent_id=draft.agent, property_id=listing.id)
    db.add(mandate)
    await db.flush()
    subject = phrase("{name} asks you to act for {title}", name=name, title=listing.title)
    await _tell(db, mandate, draft.agent, subject, phrase("Accept or decline the mandate."))
    return mandate


async def accept(db: Session, actor: Principal, mandate: Mandate) -> Mandate:
    """Act for the property from now on."""
    if mandate.status != "offered":
        raise WrongMandate(f"This mandate is {mandate.status}.")
    async with db.unscoped("an agent takes a property on") as system_db:
        title = await properties.appoint(system_db, mandate.property_id, mandate.agent_id)
    mandate.status, mandate.accepted_at = "active", now()
    subject = phrase("Your agent acts for {title} now", title=title)
    await _tell(db, mandate, mandate.landlord_id, subject, phrase("Requests for it go to both of you."))
    return mandate


async def end(db: Session, actor: Principal, mandate: Mandate) -> Mandate:
    """End it, or decline what was offered. Either side may; the agent manages nothing of the property from the commit on.

    What the agent has read stays known, the secret address of its calendar too: the landlord makes a new one.
    """
    if mandate.status == "ended":
        raise WrongMandate("This mandate is ended.")
    async with db.unscoped("an agent gives a property back") as system_db:
        title = await _end(system_db, mandate)
    other = mandate.agent_id if actor.id == mandate.landlord_id else mandate.landlord_id
    subject = phrase("The mandate for {title} has ended", title=title)
    told = phrase("Requests for it go to the landlord alone from now on.")
    await _tell(db, mandate, other, subject, told)
    return mandate


async def end_all(db: Session, user_id: UUID) -> None:
    """End the mandates of a landlord or an agent who leaves. For a session in system scope."""
    mine = select(Mandate).where(or_(Mandate.landlord_id == user_id, Mandate.agent_id == user_id))
    for mandate in await db.scalars(mine.where(Mandate.status != "ended").order_by(Mandate.id).with_for_update()):
        await _end(db, mandate)


async def held_about(db: Session, user_id: UUID) -> list[dict[str, Any]]:
    """The person's mandates, for an export. For a session in system scope."""
    mine = select(Mandate).where(or_(Mandate.landlord_id == user_id, Mandate.agent_id == user_id))
    rows = await db.scalars(mine.order_by(Mandate.id))
    return [MandateRead.model_validate(row).model_dump(mode="json") for row in rows]


async def _end(db: Session, mandate: Mandate) -> str:
    was: Status = mandate.status
    mandate.status, mandate.ended_at = "ended", now()
    if was == "active":
        return await properties.appoint(db, mandate.property_id, None)
    return (await properties.known(db, mandate.property_id)).title


async def _tell(db: Session, mandate: Mandate, user_id: UUID, subject: Phrase, text: Phrase) -> None:
    await notices.notify(db, user_id, kind="reservation", subject=subject, text=text, link=f"/v1/mandates/{mandate.id}")
