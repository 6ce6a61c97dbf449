"""The table of checks."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal, TypeAlias
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from freehold import Base
from freehold.fields import one_of

Subject: TypeAlias = Literal["identity", "property"]
Status: TypeAlias = Literal["pending", "information_needed", "approved", "rejected", "revoked", "expired"]
DocumentKind: TypeAlias = Literal["identity", "ownership_proof", "mandate"]

# Of these there is one for each subject: an answer is being sought, or stands.
OPEN: tuple[Status, ...] = ("pending", "information_needed", "approved")


class VerificationRequest(Base):
    """One check of a landlord's identity or of one property, and how it ended.

    subject_id: the landlord's id or the property's, so that "one open check per subject" is one column.
    documents: what `DocumentRead` shows of each. They and `note` are blanked some time after the decision.
    expires_on: from this day on an approval counts for nothing.
    claimed_until: until then the request is the claiming reviewer's to decide.
    """

    __table_args__ = (
        Index("ix_verification_requests_expiring", "status", "expires_on"),
        Index("ix_verification_requests_redactable", "redacted_at", "decided_at"),
    )

    landlord_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), index=True)
    subject: Mapped[Subject] = mapped_column(one_of(Subject))
    subject_id: Mapped[UUID] = mapped_column(index=True)
    property_id: Mapped[UUID | None] = mapped_column(ForeignKey("properties.id"), index=True)
    document_ids: Mapped[list[str]] = mapped_column(JSON, default=list)
    documents: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    status: Mapped[Status] = mapped_column(one_of(Status), default="pending", index=True)
    reason: Mapped[str | None] = mapped_column(String(500))
    note: Mapped[str | None] = mapped_column(String(1000))
    reviewer_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"), index=True)
    claimed_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"), index=True)
    claimed_until: Mapped[datetime | None]
    decided_at: Mapped[datetime | None]
    expires_on: Mapped[date | None]
    redacted_at: Mapped[datetime | None]
