"""Holds, as clients reach them."""

from __future__ import annotations

from freehold import Access, Queries, Resource, Schemas, at_most, owner, role

from ..patrons.crud import NoCard, PatronBlocked
from . import crud
from .models import OPEN, Hold
from .schemas import HoldDraft, HoldRead

OWN = owner("patron_id")
STAFF = role("librarian")
IS_OPEN = Hold.status.in_(OPEN)

holds = Resource(
    Hold,
    schemas=Schemas(read=HoldRead, create=HoldDraft),
    create=crud.place,
    delete=crud.give_up,
    access=Access(
        read=OWN | STAFF,
        create=(role("patron") & OWN) | STAFF,
        delete=OWN | STAFF,
        write_fields={"patron_id": STAFF},
    ),
    queries=Queries(filters=["status", "patron_id", "book_id", "pickup_id"], sort=["-created_at"], expand=["book"]),
    invariants=[
        at_most(
            "hold_limit", per="patron_id", limit_in="row", when=IS_OPEN, name="library_holds", code="library.hold_limit"
        ),
        at_most(
            "record_limit",
            per=("patron_id", "book_id"),
            limit_in="row",
            when=IS_OPEN,
            name="library_holds_of_title",
            code="library.held_already",
        ),
    ],
    owner="patron_id",
    turnstile=crud.take_turn,
    problems=[crud.NotHoldable, NoCard, PatronBlocked],
)
