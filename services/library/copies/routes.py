"""Copies, as clients reach them."""

from __future__ import annotations

from freehold import Access, Queries, Resource, Schemas, anyone, role, unique_while
from freehold.fields import partial

from . import handling
from .crud import WrongState
from .models import Copy
from .schemas import CopyChange, CopyDraft, CopyRead

STAFF = role("librarian")

copies = Resource(
    Copy,
    schemas=Schemas(read=CopyRead, create=CopyDraft, update=partial(CopyChange)),
    create=handling.add,
    update=handling.change,
    delete=handling.remove,
    soft_delete="deleted_at",
    access=Access(read=anyone, write=STAFF),
    queries=Queries(filters=["book_id", "barcode", "status", "library_id", "item_type"], sort=["-created_at"]),
    invariants=[
        unique_while("barcode", when=Copy.deleted_at.is_(None), name="library_barcode", code="library.barcode_taken")
    ],
    public_facts=["barcode"],
    turnstile=handling.take_turn,
    problems=[WrongState],
)
copies.action("transfer", handling.transfer, access=STAFF, summary="Send to another library", problems=[WrongState])
copies.action("arrival", handling.arrive, access=STAFF, summary="It has arrived", problems=[WrongState])
copies.action("loss", handling.lose, access=STAFF, summary="Give up for lost", problems=[WrongState])
copies.action("damage", handling.damage, access=STAFF, summary="Take from the shelf, damaged", problems=[WrongState])
copies.action("recovery", handling.recover, access=STAFF, summary="Found or repaired", problems=[WrongState])
