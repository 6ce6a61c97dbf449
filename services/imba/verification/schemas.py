"""What clients send and see of a check."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Self, TypeAlias
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from freehold.fields import INPUT, Day, Line, Prose, not_blank, now

from .models import DocumentKind, Status, Subject

MOST_DOCUMENTS = 20


def _not_over(day: date) -> date:
    if day <= now().date():
        raise PydanticCustomError("expired", "the document has expired (in UTC)")
    return day


class DocumentDraft(BaseModel):
    """A document that was uploaded (`POST /v1/media`, purpose `document`), and what it is."""

    model_config = INPUT

    id: UUID
    kind: DocumentKind
    number: Annotated[Line, Field(min_length=1, max_length=60)] | None = None
    expires_on: Annotated[Day, AfterValidator(_not_over)] | None = None


class DocumentRead(BaseModel):
    """A document of a check. Some time after the decision it is deleted; its kind and dates stay."""

    id: UUID | None
    kind: DocumentKind
    number: str | None
    expires_on: date | None


class Evidence(BaseModel):
    """Documents: by their ids alone, or with what is known of them."""

    model_config = INPUT

    document_ids: list[UUID] = Field(default=[], max_length=MOST_DOCUMENTS)
    documents: list[DocumentDraft] = Field(default=[], max_length=MOST_DOCUMENTS)

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        ids = [*self.document_ids, *(each.id for each in self.documents)]
        if len(set(ids)) < len(ids) or len(ids) > MOST_DOCUMENTS:
            raise PydanticCustomError("documents", "each document once, and at most 20")
        return self


class VerificationDraft(Evidence):
    """Ask for a check of the caller's identity, or of one of the caller's properties."""

    subject: Subject
    property_id: UUID | None = Field(default=None, description="The property, where that is the subject")

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        if (self.subject == "property") != (self.property_id is not None):
            raise PydanticCustomError("subject", "property_id goes with the subject `property`, and only with it")
        return self


class Note(BaseModel):
    """What a reviewer wants to remember. Staff alone read it."""

    model_config = INPUT

    note: Annotated[Prose, Field(min_length=1, max_length=1000), AfterValidator(not_blank)]


CheckStatus: TypeAlias = Status


class VerificationRead(BaseModel):
    """A check and how it stands at this moment. The fields of the reviewer and the note are for staff alone."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    landlord_id: UUID
    subject: Subject
    property_id: UUID | None
    document_ids: list[UUID]
    documents: list[DocumentRead]
    status: Status
    reason: str | None
    note: str | None = None
    reviewer_id: UUID | None = None
    claimed_by_id: UUID | None = None
    claimed_until: datetime | None = None
    decided_at: datetime | None
    expires_on: date | None
    redacted_at: datetime | None
    created_at: datetime
    updated_at: datetime
