"""Checks of landlords and properties: asking, the reviewer's queue, and decisions. Every step is told to the landlord."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select

from freehold import Conflict, Forbidden, Principal, Session
from freehold.fields import Reason, now
from freehold.wording import Phrase, paragraphs, phrase

from ..notices import crud as notices
from ..properties import crud as properties
from ..users import crud as users
from ..wording import in_english
from . import events, evidence
from .models import OPEN, Status, VerificationRequest
from .schemas import Evidence, Note, VerificationDraft, VerificationRead

CLAIM = timedelta(minutes=30)


class VerificationDecided(Conflict):
    """The check is not in the state that this step starts from."""

    code, title = "imba.verification_state", "Not possible in this state"


class AlreadyVerified(Conflict):
    """The subject has been verified; nothing is left to check."""

    code, title = "imba.already_verified", "Already verified"


class ClaimedByAnother(Conflict):
    """Another reviewer is looking at the request."""

    code, title = "imba.verification_claimed", "Claimed by another reviewer"


async def submit(db: Session, actor: Principal, draft: VerificationDraft) -> VerificationRequest:
    """Open a check. The landlord's own property only; a second open one for the subject breaks an invariant (409)."""
    assert actor.id is not None
    if draft.property_id is not None:
        await _own_property(db, actor, draft.property_id)
    subject_id = draft.property_id or actor.id
    if await is_verified(db, subject_id):
        raise AlreadyVerified("This has been verified already.")
    request = VerificationRequest(
        landlord_id=actor.id,
        subject=draft.subject,
        subject_id=subject_id,
        property_id=draft.property_id,
        status="pending",
    )
    await evidence.attach(db, request, draft)
    db.add(request)
    await db.flush()
    await _tell(db, request, phrase("We have received your request and will look at it."))
    return request


async def resubmit(db: Session, actor: Principal, request: VerificationRequest, body: Evidence) -> VerificationRequest:
    """Answer a question of the reviewer's, with further documents. The request keeps its place in the queue."""
    _require(request, "information_needed")
    await evidence.attach(db, request, body)
    request.status = "pending"
    await _tell(db, request, phrase("We have received what you sent and will go on."))
    return request


async def claim(db: Session, actor: Principal, request: VerificationRequest) -> VerificationRequest:
    """Take the request for 30 minutes, or for 30 more. Of two reviewers at once one is too late (409)."""
    _require(request, "pending")
    _require_free(request, actor)
    request.claimed_by_id = actor.id
    request.claimed_until = now() + CLAIM
    return request


async def release(db: Session, actor: Principal, request: VerificationRequest) -> None:
    """Give the request back to the queue. Without effect on one that nobody holds."""
    _require_free(request, actor)
    _unclaim(request)


async def annotate(db: Session, actor: Principal, request: VerificationRequest, body: Note) -> VerificationRequest:
    """Write down what the other reviewers should know, for as long as the documents are there."""
    if request.redacted_at is not None:
        raise VerificationDecided("The documents have been deleted, and nothing is noted of them any more.")
    request.note = body.note
    return request


async def ask(db: Session, actor: Principal, request: VerificationRequest, body: Reason) -> VerificationRequest:
    """Ask the landlord for more, and say for what."""
    _decide(request, actor, "information_needed", was="pending", reason=body.reason)
    await _tell(db, request, phrase("We need more from you: {reason}", reason=body.reason))
    return request


async def approve(db: Session, actor: Principal, request: VerificationRequest) -> VerificationRequest:
    """Say yes, until the first of the documents expires. Of two reviewers at once one comes too late (409)."""
    _decide(request, actor, "approved", was="pending")
    request.expires_on = evidence.expires_on(request)
    if request.expires_on is not None and request.expires_on <= now().date():
        raise VerificationDecided("A document has expired since it was handed in; ask for another.")
    until = [phrase("It holds until {day}.", day=request.expires_on)] if request.expires_on else []
    await _tell(db, request, phrase("It has been approved."), *until)
    await events.decided.emit(db, request)
    return request


async def reject(db: Session, actor: Principal, request: VerificationRequest, body: Reason) -> VerificationRequest:
    """Say no, with a reason that the landlord reads. A new request may follow."""
    _decide(request, actor, "rejected", was="pending", reason=body.reason)
    await _tell(db, request, phrase("It was not approved: {reason}", reason=body.reason))
    await events.decided.emit(db, request)
    return request


async def close(db: Session, request: VerificationRequest, reason: Phrase) -> None:
    """Reject a request that waits for its landlord in vain. For a session in system scope, with the row locked."""
    request.status, request.reason, request.decided_at = "rejected", in_english(reason), now()
    await _tell(db, request, phrase("It was not approved: {reason}", reason=reason))
    await events.decided.emit(db, request)


async def revoke(db: Session, actor: Principal, request: VerificationRequest, body: Reason) -> VerificationRequest:
    """Take an approval back, and unlist what rested on it in the same commit."""
    _decide(request, actor, "revoked", was="approved", reason=body.reason)
    await withdraw(db, request, phrase("The approval has been revoked: {reason}", reason=body.reason))
    return request


async def withdraw(db: Session, request: VerificationRequest, news: Phrase) -> None:
    """Unlist what rested on an approval that has just ended, and tell the landlord."""
    async with db.unscoped("an approval that ends unlists the landlord's properties") as system_db:
        titles = await properties.unlist_of(system_db, request.landlord_id, request.property_id)
        if request.subject == "identity":
            # A property made, verified and published since the look above was not in it. Publications of this
            # landlord take turns on the account's row; so does this, and then looks once more.
            await users.lock(system_db, request.landlord_id)
            titles += await properties.unlist_of(system_db, request.landlord_id, None)
    rows = "\n".join(f"- {title}" for title in titles)
    await _tell(db, request, news, *([phrase("No longer listed:\n{homes}", homes=rows)] if titles else []))
    await events.decided.emit(db, request)


async def is_verified(db: Session, subject_id: UUID) -> bool:
    """Whether an approval of this landlord or property stands, as far as the session's caller may see it."""
    approved = select(VerificationRequest.id).where(
        VerificationRequest.subject_id == subject_id,
        VerificationRequest.status == "approved",
        or_(VerificationRequest.expires_on.is_(None), VerificationRequest.expires_on > now().date()),
    )
    return (await db.scalars(approved.limit(1))).first() is not None


async def standing(db: Session, subject_id: UUID) -> Status | None:
    """How the newest check of this landlord or property stands, as far as the session's caller sees it."""
    newest = select(VerificationRequest.status).where(VerificationRequest.subject_id == subject_id)
    return await db.scalar(newest.order_by(VerificationRequest.id.desc()).limit(1))


async def _own_property(db: Session, actor: Principal, property_id: UUID) -> None:
    listing = await properties.find(db, property_id)
    if listing is None:
        raise properties.unknown_property()
    if listing.landlord_id != actor.id:
        raise Forbidden("Only its landlord can ask for a property's verification.")


def _require(request: VerificationRequest, was: Status) -> None:
    if request.status != was:
        raise VerificationDecided(f"This request is {request.status}, and this step is for one that is {was}.")


def _require_free(request: VerificationRequest, actor: Principal) -> None:
    holds = request.claimed_until is not None and request.claimed_until > now()
    if holds and request.claimed_by_id != actor.id:
        raise ClaimedByAnother("Another reviewer is looking at this request.")


def _unclaim(request: VerificationRequest) -> None:
    request.claimed_by_id = None
    request.claimed_until = None


def _decide(
    request: VerificationRequest, actor: Principal, status: Status, *, was: Status, reason: str | None = None
) -> None:
    _require(request, was)
    _require_free(request, actor)
    _unclaim(request)
    request.status = status
    request.reason = reason
    request.reviewer_id = actor.id
    request.decided_at = None if status == "information_needed" else now()


async def _tell(db: Session, request: VerificationRequest, *news: Phrase) -> None:
    of_identity = request.subject == "identity"
    await notices.notify(
        db,
        request.landlord_id,
        kind="verification",
        subject=phrase("Verification of your identity") if of_identity else phrase("Verification of your property"),
        text=paragraphs(*news),
        link=f"/v1/verification-requests/{request.id}",
    )


async def held_about(db: Session, landlord_id: UUID) -> list[dict[str, Any]]:
    """The landlord's requests, for an export. For a session in system scope."""
    mine = select(VerificationRequest).where(VerificationRequest.landlord_id == landlord_id)
    rows = await db.scalars(mine.order_by(VerificationRequest.id))
    staff_only = {"reviewer_id", "note", "claimed_by_id", "claimed_until"}
    return [VerificationRead.model_validate(row).model_dump(mode="json", exclude=staff_only) for row in rows]


async def close_all(db: Session, landlord_id: UUID) -> None:
    """End what is open of a landlord who leaves, and blank the documents. For a session in system scope."""
    mine = select(VerificationRequest).where(VerificationRequest.landlord_id == landlord_id).with_for_update()
    for request in await db.scalars(mine):
        if request.status in OPEN:
            request.status = "revoked" if request.status == "approved" else "rejected"
            request.decided_at = now()
            _unclaim(request)
        await evidence.redact(db, request)
