"""Whose property a file may be put to, and what other features ask of documents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select

from freehold import Invalid, Principal, Session
from freehold import media as files
from freehold.errors import FieldError

from ..properties import crud as properties
from .models import Medium
from .schemas import MediumForm, MediumRead


async def attach(db: Session, actor: Principal, form: MediumForm) -> None:
    """Only a property that the caller manages."""
    if form.property_id is None:
        return
    listing = await properties.find(db, form.property_id)
    if listing is None:
        raise properties.unknown_property()
    properties.require_managed(listing, actor)


async def documents(db: Session, owner_id: UUID, ids: Sequence[UUID], *, pointer: str = "/document_ids") -> None:
    """Raise Invalid unless each is a document of this owner, and ready."""
    if not ids:
        return
    ready = select(Medium.id).where(
        Medium.id.in_(ids),
        Medium.owner_id == owner_id,
        Medium.purpose == "document",
        Medium.status == "ready",
        Medium.deleted_at.is_(None),
    )
    found = set(await db.scalars(ready))
    absent = [
        FieldError("unknown", "no such document", pointer=f"{pointer}/{place}")
        for place, each in enumerate(ids)
        if each not in found
    ]
    if absent:
        raise Invalid("There is no such document.", errors=absent)


async def hold(db: Session, ids: Sequence[UUID]) -> None:
    """Keep what its owner deletes: reviewers still read it."""
    await files.hold(db, ids)


async def release(db: Session, ids: Sequence[UUID]) -> None:
    """Nobody needs these any more: what the owner has deleted goes away for good."""
    await files.release(db, ids)


async def redact(db: Session, ids: Sequence[UUID]) -> None:
    """Erase for good, out of the store as well."""
    await files.redact(db, ids)


async def erase(db: Session, owner_id: UUID) -> None:
    """Erase everything that an account has uploaded."""
    await files.redact_of(db, owner_id)


async def held_about(db: Session, owner_id: UUID) -> list[dict[str, Any]]:
    """What an account has uploaded, for an export. For a session in system scope."""
    mine = select(Medium).where(Medium.owner_id == owner_id, Medium.deleted_at.is_(None)).order_by(Medium.id)
    return [MediumRead.model_validate(row).model_dump(mode="json") for row in await db.scalars(mine)]
