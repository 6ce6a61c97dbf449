"""Reporting, and deciding on reports. Both sides' names stay where they are: a moderator reads the thread itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, exists, select, update

from freehold import Conflict, Invalid, Principal, Session
from freehold.errors import FieldError
from freehold.fields import now
from freehold.wording import Phrase, phrase

from ..messages import crud as messages
from ..messages.taking_part import own_thread
from ..notices import crud as notices
from ..users import crud as users
from .models import Report, Status
from .schemas import Decision, ReportDraft, ReportRead, Upholding

OUTCOMES: Mapping[Status, Phrase] = {
    "upheld": phrase("We have acted on it."),
    "dismissed": phrase("We found nothing that we have to act on."),
}


class ReportDecided(Conflict):
    """The report has been decided on."""

    code, title = "imba.report_decided", "Already decided"


async def report(db: Session, actor: Principal, draft: ReportDraft) -> Report:
    """Report a thread. A second open report of the same person on it breaks `imba.reported` (409)."""
    assert actor.id is not None
    await own_thread(db, actor, draft.thread_id)
    await users.take_turns(db, actor.id)
    if draft.message_id is not None and not await messages.is_from_other(
        db, draft.message_id, thread_id=draft.thread_id, reader_id=actor.id
    ):
        wrong = FieldError("unknown_reference", "no message of the other side in this thread", pointer="/message_id")
        raise Invalid("There is no such message.", errors=[wrong])
    return Report(reporter_id=actor.id, **draft.model_dump())


async def uphold(db: Session, actor: Principal, row: Report, body: Upholding) -> Report:
    """Find it right. The thread may be closed in the same commit; its readers are told why."""
    if body.closes_thread:
        if body.told is None:
            raise Invalid(errors=[FieldError("missing", "say what both sides are told", pointer="/told")])
        await messages.close(db, row.thread_id, why=body.told)
    return await _decide(db, actor, row, body, "upheld")


async def dismiss(db: Session, actor: Principal, row: Report, body: Decision) -> Report:
    """Find nothing in it."""
    return await _decide(db, actor, row, body, "dismissed")


def is_open(thread_id: Any) -> ColumnElement[bool]:
    """SQL: an open report is about the thread that a column names."""
    return exists().where(Report.thread_id == thread_id, Report.status == "open")


async def held_about(db: Session, user_id: UUID) -> list[dict[str, Any]]:
    """What the person has reported, for an export. For a session in system scope."""
    mine = select(Report).where(Report.reporter_id == user_id).order_by(Report.id)
    rows = await db.scalars(mine)
    return [
        ReportRead.model_validate(row).model_dump(mode="json", exclude={"decision", "moderator_id"}) for row in rows
    ]


async def erase(db: Session, user_id: UUID) -> None:
    """Take the person's words out of their reports. For a session in system scope."""
    await db.execute(update(Report).where(Report.reporter_id == user_id).values(text=""))


async def _decide(db: Session, actor: Principal, row: Report, body: Decision, status: Status) -> Report:
    if row.status != "open":
        raise ReportDecided(f"This report is {row.status}.")
    row.status, row.decision, row.moderator_id, row.decided_at = status, body.decision, actor.id, now()
    await db.flush()
    subject, link = phrase("We have looked at what you reported"), f"/v1/reports/{row.id}"
    await notices.notify(db, row.reporter_id, kind="message", subject=subject, text=OUTCOMES[status], link=link)
    return row
