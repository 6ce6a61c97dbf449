"""Telling patrons, each thing once: the row and the letter belong to the commit of their cause."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select

from freehold import Principal, Session, send_letter
from freehold.fields import now

from ..books import turns as books
from ..users import crud as users
from .models import Kind, Notice
from .schemas import NoticeRead


async def tell(db: Session, patron_id: UUID, *, kind: Kind, subject: str, text: str, once: str) -> bool:
    """Tell a patron something, by a notice and a letter; whether they were told now, and not before.

    once: what makes two notices the same. For a session in system scope.
    """
    told = select(Notice.id).where(Notice.patron_id == patron_id, Notice.once_key == once)
    receiver = await users.receiver(db, patron_id)
    if receiver is None or (await db.scalars(told)).first() is not None:
        return False
    db.add(Notice(patron_id=patron_id, kind=kind, subject=subject[:200], text=text, once_key=once))
    await db.flush()
    await send_letter(db, "notice", to=receiver, heading=subject[:200], text=text)
    return True


async def tell_of_hold(db: Session, patron_id: UUID, hold_id: UUID, book_id: UUID, *, until: date) -> None:
    """That a copy is ready. For a session in system scope."""
    title = await books.title_of(db, book_id)
    text = f"{title} is ready for you. It is kept until the end of {until}."
    await tell(db, patron_id, kind="hold_ready", subject=f"Ready: {title}", text=text, once=f"ready:{hold_id}")


async def mark_read(db: Session, actor: Principal, notice: Notice) -> Notice:
    """Remember that the notice was read. Without effect on one that was."""
    notice.read_at = notice.read_at or now()
    return notice


async def held_about(db: Session, patron_id: UUID) -> list[dict[str, Any]]:
    """The patron's notices, for an export. For a session in system scope."""
    mine = select(Notice).where(Notice.patron_id == patron_id).order_by(Notice.id)
    return [NoticeRead.model_validate(row).model_dump(mode="json") for row in await db.scalars(mine)]


async def erase(db: Session, patron_id: UUID) -> None:
    """Remove them. For a session in system scope."""
    await db.execute(delete(Notice).where(Notice.patron_id == patron_id))
