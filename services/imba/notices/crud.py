"""Telling people things: the row and the mail belong to the commit of their cause."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, update

from freehold import Principal, Session, audit
from freehold.fields import now
from freehold.mail import leave_address, send_letter
from freehold.settings import Settings
from freehold.wording import Paragraphs, Phrase

from ..users import crud as users
from ..wording import CATALOGUES
from .models import ESSENTIAL, LONGEST_SUBJECT, Kind, Notice, NoticePreference
from .schemas import NoticeRead, PreferenceDraft, PreferenceRead

_PAGES = {"/v1/reservations/": "/app/stays/", "/v1/properties/": "/app/homes/"}


async def notify(
    db: Session,
    user_id: UUID,
    *,
    kind: Kind,
    subject: Phrase,
    text: Phrase | Paragraphs,
    link: str | None = None,
    once: str | None = None,
    stop: str | None = None,
) -> bool:
    """Tell a person something, by a notice and, unless they prefer otherwise, by mail. Whether they were told.

    Both are in the language of the account at this moment.
    link: the path of what it is about. once: with the same one the person is told a single time.
    stop: the address that ends mails of this sort with one click; without it the whole kind is left, if it may be.
    Nobody is told where the account is gone. The mail leaves if and only if the unit commits.
    """
    async with db.unscoped("a notice is for another than its cause") as system_db:
        receiver = await users.receiver(system_db, user_id)
        if receiver is None or (once is not None and await _was_told(system_db, user_id, once)):
            return False
        words = CATALOGUES.words(receiver.language)
        heading, said = words.say(subject)[:LONGEST_SUBJECT], words.say(text)
        system_db.add(Notice(user_id=user_id, kind=kind, subject=heading, text=said, link=link, once_key=once))
        if await _wants_mail(system_db, user_id, kind):
            leave = stop or (None if kind in ESSENTIAL else leave_address(system_db, user_id, kind))
            await send_letter(
                system_db,
                "message",
                to=receiver.email,
                language=words.language,
                leave=leave,
                heading=heading,
                text=said,
                link=_page(system_db, link),
                label=None,
            )
    return True


async def mark_all_read(db: Session, actor: Principal) -> int:
    """The same for every notice of the caller; how many were unread."""
    unread = update(Notice).where(Notice.user_id == actor.id, Notice.read_at.is_(None)).values(read_at=now())
    async with db.unscoped("the caller's own notices, in one statement") as system_db:
        marked = (await system_db.execute(unread.returning(Notice.id))).all()
    if marked:
        await audit(db, "notices.all_read", subject_type="users", subject_id=actor.id, after={"marked": len(marked)})
    return len(marked)


async def leave(db: Session, user_id: UUID, kind: str) -> None:
    """Mail the person no more notices of this kind, as they ask by the link in one. For a session in system scope."""
    known = await db.scalar(
        select(NoticePreference).where(NoticePreference.user_id == user_id, NoticePreference.kind == kind)
    )
    if known is None:
        db.add(NoticePreference(user_id=user_id, kind=kind, mail=False))
    else:
        known.mail = False


async def prefer(db: Session, actor: Principal, draft: PreferenceDraft) -> NoticePreference:
    """Say whether a kind comes by mail, for the first time or anew."""
    assert actor.id is not None
    known = await db.scalar(
        select(NoticePreference).where(NoticePreference.user_id == actor.id, NoticePreference.kind == draft.kind)
    )
    if known is None:
        return NoticePreference(user_id=actor.id, **draft.model_dump())
    known.mail = draft.mail
    return known


def _page(db: Session, link: str | None) -> str | None:
    """The address of the client's page that shows what a path of the API is about."""
    for path, page in _PAGES.items():
        if link is not None and link.startswith(path):
            return db.part(Settings).public_url.rstrip("/") + page + link.removeprefix(path)
    return None


async def _was_told(db: Session, user_id: UUID, once: str) -> bool:
    same = select(Notice.id).where(Notice.user_id == user_id, Notice.once_key == once)
    return (await db.scalars(same)).first() is not None


async def _wants_mail(db: Session, user_id: UUID, kind: Kind) -> bool:
    if kind in ESSENTIAL:
        return True
    refusal = select(NoticePreference.id).where(
        NoticePreference.user_id == user_id, NoticePreference.kind == kind, NoticePreference.mail.is_(False)
    )
    return (await db.scalars(refusal)).first() is None


async def held_about(db: Session, user_id: UUID) -> dict[str, list[dict[str, Any]]]:
    """The person's notices and preferences, for an export. For a session in system scope."""
    notices = await db.scalars(select(Notice).where(Notice.user_id == user_id).order_by(Notice.id))
    preferences = await db.scalars(select(NoticePreference).where(NoticePreference.user_id == user_id))
    return {
        "notices": [NoticeRead.model_validate(row).model_dump(mode="json") for row in notices],
        "notice_preferences": [PreferenceRead.model_validate(row).model_dump(mode="json") for row in preferences],
    }


async def erase(db: Session, user_id: UUID) -> None:
    """Remove them. For a session in system scope."""
    await db.execute(delete(Notice).where(Notice.user_id == user_id))
    await db.execute(delete(NoticePreference).where(NoticePreference.user_id == user_id))
