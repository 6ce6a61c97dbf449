"""What lending asks of titles: to take turns, to be counted, to be called by their name. In sessions in system scope."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select, update

from freehold import Session

from ..fields import unknown
from .models import Book


async def lock(db: Session, book_id: UUID) -> None:
    """Take turns with everybody who lends, returns, renews or holds this title, until the commit.

    The first lock of every such step; after it come the patron, the copy and the loan. Raises Invalid where there is
    no such title.
    """
    turn = select(Book.id).where(Book.id == book_id, Book.deleted_at.is_(None)).with_for_update(key_share=True)
    if (await db.scalars(turn)).first() is None:
        raise unknown("book_id")


async def count_loan(db: Session, book_id: UUID) -> None:
    """One loan more. Under the title's lock, in a session in system scope; no new version of the row: nobody edited it."""
    counted = {"times_borrowed": Book.times_borrowed + 1, "updated_at": Book.updated_at}
    await db.execute(update(Book).where(Book.id == book_id).values(counted))


async def title_of(db: Session, book_id: UUID) -> str:
    """What it is called."""
    return (await db.get_one(Book, book_id)).title
