"""Titles, as clients reach them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement

from freehold import Access, Filter, Queries, Resource, Schemas, anyone, role, unique_while
from freehold.traffic import Cache, Limits, per_hour

from ..copies import crud as copies_crud
from ..copies.routes import copies
from . import crud
from .cataloguing import draft_of
from .models import Book
from .schemas import Availability, BookDraft, BookRead

STAFF = role("librarian")
# Dropped by the commit of a loan that changes it, and in any case after this long.
SHORTLY = Cache(seconds=300)


def _available(given: Mapping[str, Any]) -> ColumnElement[bool]:
    on_shelf = copies_crud.is_on_shelf(Book.id)
    return on_shelf if given["available"] else ~on_shelf


books = Resource(
    Book,
    schemas=Schemas(read=BookRead, create=BookDraft),
    create=crud.add,
    update=crud.change,
    delete=crud.withdraw,
    soft_delete="deleted_at",
    access=Access(read=anyone, write=STAFF),
    queries=Queries(
        filters=[
            "author",
            "author__contains",
            "title__contains",
            "language",
            "year",
            "year__gte",
            "year__lte",
            "times_borrowed__gte",
            Filter(params={"isbn": str}, clause=crud.number_filter, description="In either form, also with hyphens"),
            Filter(params={"isbn13": str}, clause=crud.number_filter, description="In either form, also with hyphens"),
            Filter(params={"available": bool}, clause=_available, description="A copy is on the shelf now"),
        ],
        sort=["-created_at", "title", "author", "year", "average_rating", "times_borrowed"],
        search=["title", "author"],
        facets=["language"],
    ),
    invariants=[
        unique_while("isbn13", when=Book.deleted_at.is_(None), name="library_isbn", code="library.isbn_taken"),
        unique_while("source_id", when=Book.deleted_at.is_(None), name="library_source", code="library.source_taken"),
    ],
    untracked=["times_borrowed"],
    limits=Limits(read=per_hour(1000)),
    public_facts=["isbn13", "source_id"],
    problems=[crud.HasCopies],
)
books.restoration(access=STAFF, summary="Bring a deleted title back")
books.view("availability", crud.availability, returns=Availability, summary="How many copies are on the shelf")
books.nested("copies", copies, by="book_id")
books.overview("popular", crud.popular, returns=list[BookRead], cache=SHORTLY, summary="The ten most borrowed")
books.overview("new", crud.newest, returns=list[BookRead], cache=SHORTLY, summary="The ten that came last")
books.imports(key=["source_id"], clean=draft_of, access=STAFF)
books.exports(access=anyone)
