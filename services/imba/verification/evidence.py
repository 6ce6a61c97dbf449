"""The documents of a check: what they are, until when they count, and how they go away again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from uuid import UUID

from sqlalchemy import select

from freehold import Session
from freehold.fields import now

from ..media import crud as media
from .models import Subject, VerificationRequest
from .schemas import DocumentDraft, DocumentRead, Evidence

# What a document is taken for when only its id is given.
_USUAL = {"identity": "identity", "property": "ownership_proof"}


async def attach(db: Session, request: VerificationRequest, given: Evidence) -> None:
    """Add documents of the landlord's to a check, each once. Raises Invalid for one that is no ready document of theirs."""
    await media.documents(db, request.landlord_id, given.document_ids)
    await media.documents(db, request.landlord_id, [each.id for each in given.documents], pointer="/documents")
    there = set(request.document_ids or [])
    added = [each for each in _drafts(given, request.subject) if str(each.id) not in there]
    await media.hold(db, [each.id for each in added])
    # Whole new lists: a change inside a JSON value is not seen.
    request.document_ids = [*(request.document_ids or []), *(str(each.id) for each in added)]
    request.documents = [*(request.documents or []), *(each.model_dump(mode="json") for each in added)]


def expires_on(request: VerificationRequest) -> date | None:
    """The day from which the first of the documents counts for nothing."""
    days = [document.expires_on for document in _read(request) if document.expires_on is not None]
    return min(days, default=None)


async def redact(db: Session, request: VerificationRequest) -> None:
    """Delete the documents for good, and blank what was noted of them. Their kinds and dates stay.

    A document that another check of the landlord's has is left to that one. For a session in system scope.
    """
    others = select(VerificationRequest.document_ids).where(
        VerificationRequest.landlord_id == request.landlord_id, VerificationRequest.id != request.id
    )
    shared = {document_id for ids in await db.scalars(others) for document_id in ids}
    await media.redact(db, [UUID(document_id) for document_id in request.document_ids if document_id not in shared])
    kept = [document.model_copy(update={"id": None, "number": None}) for document in _read(request)]
    request.documents = [document.model_dump(mode="json") for document in kept]
    request.document_ids = []
    request.note = None
    request.redacted_at = request.redacted_at or now()


def _drafts(given: Evidence, subject: Subject) -> Iterator[DocumentDraft]:
    for document_id in given.document_ids:
        yield DocumentDraft.model_validate({"id": document_id, "kind": _USUAL[subject]})
    yield from given.documents


def _read(request: VerificationRequest) -> list[DocumentRead]:
    return [DocumentRead.model_validate(document) for document in request.documents]
