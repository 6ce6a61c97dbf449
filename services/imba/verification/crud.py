"""Checks of landlords and properties. The landlord is told of every step by mail."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select

from freehold import Conflict, Forbidden, Invalid, Principal, Session
from freehold.errors import FieldError
from freehold.fields import now

from ..fields import Reason
from ..properties import crud as properties
from ..users import crud as users
from .models import Status, VerificationRequest
from .schemas import VerificationDraft, VerificationRead


class VerificationDecided(Conflict):
    """The check is not in the state that this step starts from."""

    code, title = "imba.verification_state", "Not possible in this state"


class AlreadyVerified(Conflict):
    """The subject has been verified; nothing is left to check."""

    code, title = "imba.already_verified", "Already verified"


async def submit(db: Session, actor: Principal, draft: VerificationDraft) -> VerificationRequest:
    """Open a check. The landlord's own property only; a second open one for the subject breaks an invariant (409)."""
    assert actor.id is not None
    if draft.property_id is not None:
        await _own_property(db, actor, draft.property_id)
    if draft.document_ids:
        absent = FieldError("unknown", "no such document", pointer="/document_ids/0")
        raise Invalid("There is no such document.", errors=[absent])
    subject_id = draft.property_id or actor.id
    if await is_verified(db, subject_id):
        raise AlreadyVerified("This has been verified already.")
    request = VerificationRequest(
        landlord_id=actor.id,
        subject=draft.subject,
        subject_id=subject_id,
        property_id=draft.property_id,
        document_ids=[],
        status="pending",
    )
    db.add(request)
    await _tell(db, request, "We have received your request and will look at it.")
    return request


async def approve(db: Session, actor: Principal, request: VerificationRequest) -> VerificationRequest:
    """Say yes. Of two reviewers at once one comes too late (409)."""
    _decide(request, actor, "approved", was="pending")
    await _tell(db, request, "It has been approved.")
    return request


async def reject(db: Session, actor: Principal, request: VerificationRequest, body: Reason) -> VerificationRequest:
    """Say no, with a reason that the landlord reads. A new request may follow."""
    _decide(request, actor, "rejected", was="pending", reason=body.reason)
    await _tell(db, request, f"It was not approved: {body.reason}")
    return request


async def revoke(db: Session, actor: Principal, request: VerificationRequest, body: Reason) -> VerificationRequest:
    """Take an approval back, and unlist what rested on it in the same commit."""
    _decide(request, actor, "revoked", was="approved", reason=body.reason)
    async with db.unscoped("a revocation unlists the landlord's properties") as system_db:
        titles = await properties.unlist_of(system_db, request.landlord_id, request.property_id)
        if request.subject == "identity":
            # A property made, verified and published since the look above was not in it. Publications of this
            # landlord take turns on the account's row; so does this, and then looks once more.
            await users.lock(system_db, request.landlord_id)
            titles += await properties.unlist_of(system_db, request.landlord_id, None)
    consequence = "".join(["\n\nNo longer listed:", *(f"\n- {title}" for title in titles)]) if titles else ""
    await _tell(db, request, f"The approval has been revoked: {body.reason}{consequence}")
    return request


async def is_verified(db: Session, subject_id: UUID) -> bool:
    """Whether an approval of this landlord or property stands, as far as the session's caller may see it."""
    approved = select(VerificationRequest.id).where(
        VerificationRequest.subject_id == subject_id, VerificationRequest.status == "approved"
    )
    return (await db.scalars(approved.limit(1))).first() is not None


async def _own_property(db: Session, actor: Principal, property_id: UUID) -> None:
    listing = await properties.find(db, property_id)
    if listing is None:
        raise properties.unknown_property()
    if listing.landlord_id != actor.id:
        raise Forbidden("Only its landlord can ask for a property's verification.")


def _decide(
    request: VerificationRequest, actor: Principal, status: Status, *, was: Status, reason: str | None = None
) -> None:
    if request.status != was:
        raise VerificationDecided(f"This request is {request.status}; only one that is {was} can become {status}.")
    request.status = status
    request.reason = reason
    request.reviewer_id = actor.id
    request.decided_at = now()


async def _tell(db: Session, request: VerificationRequest, news: str) -> None:
    subject = "your identity" if request.subject == "identity" else "your property"
    await users.tell(db, request.landlord_id, subject=f"Verification of {subject}", text=news)


async def held_about(db: Session, landlord_id: UUID) -> list[dict[str, Any]]:
    """The landlord's requests, for an export. For a session in system scope."""
    mine = select(VerificationRequest).where(VerificationRequest.landlord_id == landlord_id)
    rows = await db.scalars(mine.order_by(VerificationRequest.id))
    return [VerificationRead.model_validate(row).model_dump(mode="json", exclude={"reviewer_id"}) for row in rows]
