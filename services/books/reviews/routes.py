"""Reviews, as clients reach them."""

from __future__ import annotations

from freehold import Access, Queries, Resource, Schemas, owner, role, signed_in, unique_while, where

from . import crud
from .models import Review
from .schemas import ReviewDraft

WRITER = owner("owner_id")
OF_A_PUBLISHED_BOOK = where(lambda: Review.book.has(is_published=True))

reviews = Resource(
    Review,
    schemas=Schemas(create=ReviewDraft),
    create=crud.add,
    access=Access(
        read=OF_A_PUBLISHED_BOOK | WRITER | role("admin"),
        create=signed_in,
        update=WRITER,
        delete=WRITER | role("admin"),
    ),
    queries=Queries(
        filters=[
            "rating",
            "rating__gte",
            "rating__lte",
            "book_id",
            "created_at__gte",
        ],
        sort=[
            "-created_at",
            "rating",
        ],
        expand=[
            "book",
        ],
    ),
    invariants=[unique_while("book_id", "owner_id", code="books.reviewed")],
)
