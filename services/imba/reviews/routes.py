"""Reviews, as clients reach them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement

from freehold import Access, Queries, Resource, Schemas, owner, signed_in, unique_while, where

from ..properties import crud as properties
from ..reservations import crud as reservations
from . import crud
from .models import Review
from .schemas import ReviewChange, ReviewDraft, ReviewRead


def _hosted(caller: Any) -> ColumnElement[bool]:
    """A landlord reads what others say of a guest who has asked for a property of theirs."""
    return reservations.has_asked(Review.guest_id, caller.id)


AUTHOR = owner("author_id")
PUBLISHED = where(Review.published_at.is_not(None))
ON_MARKET = where(properties.on_market(Review.property_id))
LANDLORD = owner("property.landlord_id")

reviews = Resource(
    Review,
    schemas=Schemas(read=ReviewRead, create=ReviewDraft, update=ReviewChange),
    create=crud.write,
    access=Access(
        read=AUTHOR | PUBLISHED & (ON_MARKET | LANDLORD | owner("guest_id") | where(_hosted)),
        create=signed_in & AUTHOR,
        update=AUTHOR & ~PUBLISHED,
        read_fields={"reservation_id": AUTHOR, "author_id": AUTHOR},
    ),
    queries=Queries(
        filters=["subject", "property_id", "guest_id", "rating", "rating__gte", "rating__lte", "published_at__isnull"],
        sort=["-published_at", "rating", "created_at"],
        facets=["rating"],
    ),
    invariants=[
        unique_while("reservation_id", "author_id", code="imba.reviewed", name="imba_reviewed"),
    ],
    owner="author_id",
    untracked=["author_name", "text", "answer"],
    problems=[crud.NotReviewable],
)
reviews.action("answer", crud.answer, method="PUT", access=LANDLORD & PUBLISHED, summary="Answer as its landlord")
reviews.action("answer", crud.withdraw_answer, method="DELETE", status=204, access=LANDLORD & PUBLISHED)
