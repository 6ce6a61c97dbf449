"""Fines and payments, as clients reach them."""

from __future__ import annotations

from freehold import Access, Queries, Resource, Schemas, never_below, owner, role, unique_while

from . import crud
from .models import Fine, Payment
from .schemas import FineRead, PaymentDraft, PaymentRead

OWN = owner("patron_id")
STAFF = role("librarian")

payments = Resource(
    Payment,
    schemas=Schemas(read=PaymentRead, create=PaymentDraft),
    create=crud.pay,
    access=Access(read=OWN | STAFF, create=STAFF),
    queries=Queries(filters=["fine_id", "patron_id", "created_at__gte", "created_at__lt"], sort=["-created_at"]),
    owner="taken_by",
    problems=[crud.Overpaid],
)
fines = Resource(
    Fine,
    schemas=Schemas(read=FineRead),
    access=Access(read=OWN | STAFF),
    queries=Queries(filters=["patron_id", "loan_id", "kind", "balance_amount__gt"], sort=["-created_at"]),
    invariants=[
        unique_while("loan_id", "kind", when=Fine.kind != "damage", name="library_fined_once"),
        never_below("balance_amount", name="library_balance", code="library.overpaid"),
    ],
)
fines.action("waiver", crud.waive, access=STAFF, summary="Let the patron off")
fines.nested("payments", payments, by="fine_id")
