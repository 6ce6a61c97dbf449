"""What happens to books, as plain functions that know no HTTP. They run inside the request's one transaction."""

from __future__ import annotations

from freehold import Conflict, Principal, Session
from freehold.fields import now

from .models import Book


class NotOutYet(Conflict):
    """A book cannot be published before its year."""

    code, title = "books.not_out_yet", "Not out yet"


async def publish(db: Session, actor: Principal, book: Book) -> Book:
    """Let everyone see the book; without effect on one that is published already."""
    if book.year > now().year:
        raise NotOutYet(f"This book comes out in {book.year}.")
    book.is_published = True
    return book


async def withdraw(db: Session, actor: Principal, book: Book) -> None:
    """Let only its owner see the book again."""
    book.is_published = False
