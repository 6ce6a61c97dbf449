"""What happens to checks by the clock: warnings, expiry, redaction."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import select

from freehold import Session, schedule
from freehold.fields import now
from freehold.wording import phrase

from ..notices import crud as notices
from ..settings import ImbaSettings
from . import crud, evidence
from .models import VerificationRequest

WARNING = timedelta(days=30)
ANSWER = timedelta(days=30)
BATCH = 100


@schedule("imba.warn_of_expiry", every=timedelta(hours=1))
async def warn_of_expiry(db: Session) -> None:
    """Tell landlords, 30 days before and once, that an approval will expire."""
    today = now().date()
    soon = select(VerificationRequest).where(
        VerificationRequest.status == "approved",
        VerificationRequest.expires_on > today,
        VerificationRequest.expires_on <= today + WARNING,
    )
    for request in await db.scalars(soon.order_by(VerificationRequest.id)):
        await notices.notify(
            db,
            request.landlord_id,
            kind="verification",
            subject=phrase("A verification is about to expire"),
            text=phrase(
                "From {day} on it counts for nothing, and what rests on it is no longer listed.",
                day=request.expires_on,
            ),
            link=f"/v1/verification-requests/{request.id}",
            once=f"verification-expiry:{request.id}",
        )


@schedule("imba.expire_approvals", every=timedelta(minutes=1))
async def expire_approvals(db: Session) -> None:
    """End approvals whose documents have expired, as a revocation does. At most 100 at a time."""
    due = select(VerificationRequest).where(
        VerificationRequest.status == "approved", VerificationRequest.expires_on <= now().date()
    )
    for request in await _taken(db, due):
        request.status = "expired"
        await db.flush()
        await crud.withdraw(db, request, phrase("The approval has expired, because a document has."))


@schedule("imba.close_unanswered", every=timedelta(hours=1))
async def close_unanswered(db: Session) -> None:
    """Reject what a question of the reviewer's has not been answered for 30 days: its documents may not stay for ever."""
    due = select(VerificationRequest).where(
        VerificationRequest.status == "information_needed", VerificationRequest.updated_at <= now() - ANSWER
    )
    for request in await _taken(db, due):
        unanswered = phrase("Our question was not answered within {days} days.", days=ANSWER.days)
        await crud.close(db, request, unanswered)


@schedule("imba.redact_documents", every=timedelta(hours=1))
async def redact_documents(db: Session) -> None:
    """Delete the documents of checks decided long enough ago, and blank what was noted of them."""
    kept_from = now() - timedelta(days=db.part(ImbaSettings).keep_documents_days)
    due = select(VerificationRequest).where(
        VerificationRequest.redacted_at.is_(None),
        VerificationRequest.decided_at <= kept_from,
        VerificationRequest.status.not_in(("pending", "information_needed")),
    )
    for request in await _taken(db, due):
        await evidence.redact(db, request)


async def _taken(db: Session, due: Any) -> list[VerificationRequest]:
    # A request that somebody is deciding at this moment is left for the next turn: a reviewer who revokes holds it and
    # waits for the landlord's listings, which this job may hold.
    statement = due.order_by(VerificationRequest.id).limit(BATCH).with_for_update(skip_locked=True)
    return list(await db.scalars(statement, execution_options={"populate_existing": True}))
