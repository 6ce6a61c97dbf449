"""Books, as clients reach them."""

from __future__ import annotations

from freehold import Access, Queries, Resource, Schemas, owner, role, signed_in, where

from ..reviews.routes import reviews
from . import crud
from .models import Book
from .schemas import BookDraft

OWNER = owner("owner_id")
IS_PUBLISHED = where(Book.is_published.is_(True))

books = Resource(
    Book,
    schemas=Schemas(create=BookDraft),
    access=Access(
        read=IS_PUBLISHED | OWNER | role("admin"),
        create=signed_in,
        update=OWNER,
        delete=OWNER | role("admin"),
    ),
    queries=Queries(
        filters=[
            "author",
            "author__contains",
            "title__contains",
            "year",
            "year__gte",
            "year__lte",
            "language",
            "is_published",
        ],
        sort=["-created_at", "title", "author", "year"],
        search=["title", "author"],
    ),
)
books.action("publication", crud.publish, method="PUT", access=OWNER, summary="Publish", problems=[crud.NotOutYet])
books.action("publication", crud.withdraw, method="DELETE", status=204, access=OWNER, summary="Withdraw")
books.nested("reviews", reviews, by="book_id")
