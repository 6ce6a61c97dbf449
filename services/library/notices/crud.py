"""Telling patrons, each thing once: the row and the letter belong to the commit of their cause."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select

from freehold import Session
from freehold.mail import send_letter
from freehold.wording import Phrase, phrase

from ..books import turns as books
from ..users import crud as users
from ..wording import CATALOGUES
from .models import LONGEST_SUBJECT, Kind, Notice
from .schemas import NoticeRead


async def tell(db: Session, patron_id: UUID, *, kind: Kind, subject: Phrase, text: Phrase, once: str) -> bool:
    """Tell a patron something, by a notice and a letter in their language; whether they were told now, and not before.

    once: what makes two notices the same. For a session in system scope.
    """
    told = select(Notice.id).where(Notice.patron_id == patron_id, Notice.once_key == once)
    receiver = await users.receiver(db, patron_id)
    if receiver is None or (await db.scalars(told)).first() is not None:
        return False
    words = CATALOGUES.words(receiver.language)
    heading, said = words.say(subject)[:LONGEST_SUBJECT], words.say(text)
    db.add(Notice(patron_id=patron_id, kind=kind, subject=heading, text=said, once_key=once))
    await db.flush()
    await send_letter(db, "message", to=receiver.email, language=words.language, heading=heading, text=said)
    return True


async def tell_of_hold(db: Session, patron_id: UUID, hold_id: UUID, book_id: UUID, *, until: date) -> None:
    """That a copy is ready. For a session in system scope."""
    title = await books.title_of(db, book_id)
    subject = phrase("Ready: {title}", title=title)
    text = phrase("{title} is ready for you. It is kept until the end of {until}.", title=title, until=until)
    await tell(db, patron_id, kind="hold_ready", subject=subject, text=text, once=f"ready:{hold_id}")


async def held_about(db: Session, patron_id: UUID) -> list[dict[str, Any]]:
    """The patron's notices, for an export. For a session in system scope."""
    mine = select(Notice).where(Notice.patron_id == patron_id).order_by(Notice.id)
    return [NoticeRead.model_validate(row).model_dump(mode="json") for row in await db.scalars(mine)]


async def erase(db: Session, patron_id: UUID) -> None:
    """Remove them. For a session in system scope."""
    await db.execute(delete(Notice).where(Notice.patron_id == patron_id))
