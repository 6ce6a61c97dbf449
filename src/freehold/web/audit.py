"""`/v1/audit` for those with the right, and `/v1/users/me/events`: what is on record of one's own account (E05)."""

# No `from __future__ import annotations`: FastAPI reads the signatures of functions within functions.

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Response
from pydantic import BaseModel
from sqlalchemy import Row, select

from freehold.resource.access import Rule, scope, signed_in
from freehold.store.audit import AUDIT
from freehold.store.session import Session
from freehold.web.identity_parts import guarded, known_id
from freehold.web.paging import MAX_PAGE_SIZE, PAGE_SIZE
from freehold.web.unit import Caller, Db, Router

Limit = Annotated[int, Query(ge=1, le=MAX_PAGE_SIZE)]
Before = Annotated[UUID | None, Query(description="The `next_cursor` of the page before")]


class AuditRecord(BaseModel):
    """One record. sequence, digest: its place in the chain; null until it is sealed, within a second.

    principal_id: who acted; null for nobody and for the system, which says why in system_reason.
    """

    id: UUID
    recorded_at: datetime
    principal_id: UUID | None
    system_reason: str | None
    action: str
    subject_type: str
    subject_id: str
    before: Any
    after: Any
    details: Any
    request_id: str | None
    sequence: int | None
    digest: str | None


class AuditPage(BaseModel):
    """Newest first."""

    items: list[AuditRecord]
    next_cursor: str | None = None


class OwnEvent(BaseModel):
    """Something that was done to your account. by_you: by yourself, and not by staff or the service."""

    id: UUID
    at: datetime
    action: str
    by_you: bool


class OwnEvents(BaseModel):
    """Newest first."""

    items: list[OwnEvent]
    next_cursor: str | None = None


def audit_router(rule: Rule) -> Router:
    """The whole trail. Values of rows are not in it: what became of a row is told by its history."""
    router = Router(tags=["audit"])

    @router.get("/v1/audit", operation_id="list_audit", dependencies=guarded(rule))
    async def listed(
        db: Db,
        response: Response,
        *,
        limit: Limit = PAGE_SIZE,
        cursor: Before = None,
        subject_type: Annotated[str | None, Query(max_length=200)] = None,
        subject_id: Annotated[str | None, Query(max_length=200)] = None,
    ) -> AuditPage:
        """The audit trail, or what is on record of one thing."""
        response.headers["Cache-Control"] = "private, no-store"
        wanted = {"subject_type": subject_type, "subject_id": subject_id}
        asked = {name: value for name, value in wanted.items() if value is not None}
        rows, following = await _page(db, limit, cursor, **asked)
        return AuditPage(items=[_record(row) for row in rows], next_cursor=following)

    return router


def own_events_router() -> Router:
    """What the owner of an account may know of what was done to it."""
    router = Router(tags=["users"])

    @router.get(
        "/v1/users/me/events", operation_id="list_own_events", dependencies=guarded(signed_in & scope("account"))
    )
    async def listed(
        db: Db, caller: Caller, response: Response, *, limit: Limit = PAGE_SIZE, cursor: Before = None
    ) -> OwnEvents:
        """What is on record of your account: log-ins, changes of what protects it, what staff did."""
        response.headers["Cache-Control"] = "private, no-store"
        me = known_id(caller)
        rows, following = await _page(db, limit, cursor, subject_type="user", subject_id=str(me))
        return OwnEvents(items=[_event(row, me) for row in rows], next_cursor=following)

    return router


async def _page(db: Session, limit: int, before: UUID | None, **asked: str) -> tuple[Sequence[Row[Any]], str | None]:
    query = select(AUDIT).order_by(AUDIT.c.id.desc()).limit(limit + 1)
    for name, value in asked.items():
        query = query.where(AUDIT.c[name] == value)
    if before is not None:
        query = query.where(AUDIT.c.id < before)
    rows = (await db.execute(query)).all()
    return rows[:limit], str(rows[limit - 1].id) if len(rows) > limit else None


def _record(row: Row[Any]) -> AuditRecord:
    values = {name: getattr(row, name) for name in AuditRecord.model_fields if name != "digest"}
    return AuditRecord(**values, digest=None if row.digest is None else row.digest.hex())


# A log-in and a mailed link are one's own, though no one was logged in yet when they came.
_BEFORE_LOG_IN = frozenset({"user.registered", "user.login", "user.email_verified"})


def _event(row: Row[Any], me: UUID) -> OwnEvent:
    by_you = row.principal_id == me or (row.principal_id is None and row.action in _BEFORE_LOG_IN)
    return OwnEvent(id=row.id, at=row.recorded_at, action=row.action, by_you=by_you)
