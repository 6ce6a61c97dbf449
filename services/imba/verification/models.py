"""The table of checks."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, TypeAlias
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from freehold import Base

from ..fields import one_of

Subject: TypeAlias = Literal["identity", "property"]
Status: TypeAlias = Literal["pending", "approved", "rejected", "revoked"]


class VerificationRequest(Base):
    """One check of a landlord's identity or of one property, and how it ended.

    subject_id: the landlord's id or the property's, so that "one open check per subject" is one column.
    """

    landlord_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), index=True)
    subject: Mapped[Subject] = mapped_column(one_of(Subject))
    subject_id: Mapped[UUID] = mapped_column(index=True)
    property_id: Mapped[UUID | None] = mapped_column(ForeignKey("properties.id"), index=True)
    document_ids: Mapped[list[str]] = mapped_column(JSON, default=list)
    status: Mapped[Status] = mapped_column(one_of(Status), default="pending", index=True)
    reason: Mapped[str | None] = mapped_column(String(500))
    reviewer_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    decided_at: Mapped[datetime | None]
