"""Titles: added, changed, counted, ranked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select

from freehold import Conflict, Invalid, Principal, Session
from freehold.errors import FieldError

from ..copies import crud as copies
from ..fields import sent
from ..holds import queue
from . import isbn
from .models import Book
from .schemas import Availability, BookDraft

MOST_POPULAR = 10


class HasCopies(Conflict):
    """A title of which there are copies stays."""

    code, title = "library.has_copies", "There are copies of it"


async def add(db: Session, actor: Principal, draft: BookDraft) -> Book:
    """Add a title, under both of its numbers."""
    return Book(**draft.model_dump() | _numbers(draft.isbn, draft.isbn13))


async def change(db: Session, actor: Principal, book: Book, changes: BookDraft) -> Book:
    """Change what was sent. A new number of either form replaces both."""
    values = sent(changes)
    if values.keys() & {"isbn", "isbn13"}:
        values |= _numbers(values.get("isbn"), values.get("isbn13"))
    for name, value in values.items():
        setattr(book, name, value)
    return book


async def withdraw(db: Session, actor: Principal, book: Book) -> None:
    """Let a title be deleted. Raises HasCopies."""
    if (await copies.count(db, book.id)).copies:
        raise HasCopies("Remove its copies first.")


async def popular(db: Session, actor: Principal | None) -> Sequence[Book]:
    """The ten most borrowed of all, most first: one walk down an index."""
    ranked = select(Book).where(Book.times_borrowed > 0).order_by(Book.times_borrowed.desc(), Book.id.desc())
    return (await db.scalars(ranked.limit(MOST_POPULAR))).all()


async def newest(db: Session, actor: Principal | None) -> Sequence[Book]:
    """The ten titles that came last, newest first."""
    return (await db.scalars(select(Book).order_by(Book.created_at.desc(), Book.id.desc()).limit(MOST_POPULAR))).all()


async def availability(db: Session, actor: Principal | None, book: Book) -> Availability:
    """How many copies there are, how many are on the shelf, how many holds wait."""
    found = await copies.count(db, book.id)
    async with db.unscoped("how many wait is public, who waits is not") as system_db:
        waiting = await queue.length(system_db, book.id)
    return Availability(copies=found.copies, available=found.available, waiting=waiting)


def number_filter(given: Mapping[str, Any]) -> Any:
    """SQL: the title has this number, asked for in either form. Raises Invalid for what is no number."""
    name, text = next((name, text) for name, text in given.items() if text is not None)
    try:
        return Book.isbn13 == isbn.parse(text)
    except isbn.BadISBN as error:
        raise Invalid("No ISBN.", errors=[FieldError("isbn", str(error), parameter=name)]) from None


def _numbers(*given: str | None) -> dict[str, str | None]:
    numbers = {number for number in given if number is not None}
    if len(numbers) > 1:
        raise Invalid("Two numbers.", errors=[FieldError("isbn", "is another book than `isbn`", pointer="/isbn13")])
    thirteen = next(iter(numbers), None)
    return {"isbn13": thirteen, "isbn": None if thirteen is None else isbn.short(thirteen)}
