"""Loans, as clients reach them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement

from freehold import Access, Filter, Queries, Resource, Schemas, at_most, owner, role, unique_while

from ..patrons.crud import NoCard, PatronBlocked
from . import crud
from .models import Loan
from .schemas import LoanChange, LoanDraft, LoanRead

OWN = owner("patron_id")
STAFF = role("librarian")
IS_OPEN = Loan.status == "open"


def _overdue(given: Mapping[str, Any]) -> ColumnElement[bool]:
    return crud.is_overdue() if given["overdue"] else ~crud.is_overdue()


loans = Resource(
    Loan,
    schemas=Schemas(read=LoanRead, create=LoanDraft, update=LoanChange),
    create=crud.borrow,
    update=crud.change_due,
    access=Access(
        read=OWN | STAFF,
        create=(role("patron") & OWN) | STAFF,
        update=STAFF,
        write_fields={"patron_id": STAFF},
    ),
    queries=Queries(
        filters=[
            "status",
            "patron_id",
            "copy_id",
            "book_id",
            "due_at__lt",
            "due_at__gte",
            Filter(params={"overdue": bool}, clause=_overdue, description="Should be back, or not"),
        ],
        sort=["-loaned_at", "due_at"],
        expand=["book"],
    ),
    invariants=[
        unique_while("copy_id", when=IS_OPEN, name="library_one_loan", code="library.no_copy"),
        at_most(
            "loan_limit", per="patron_id", limit_in="row", when=IS_OPEN, name="library_loans", code="library.loan_limit"
        ),
        at_most(
            "type_limit",
            per=("patron_id", "item_type"),
            limit_in="row",
            when=IS_OPEN,
            name="library_loans_of_type",
            code="library.loan_limit",
        ),
    ],
    owner="patron_id",
    turnstile=crud.take_turn,
    problems=[crud.NoCopy, NoCard, PatronBlocked],
)
loans.action("return", crud.give_back, access=OWN | STAFF, summary="Bring it back", problems=[crud.WrongState])
loans.action(
    "renewal",
    crud.renew,
    access=OWN | STAFF,
    summary="Keep it for longer",
    problems=[crud.WrongState, crud.NotRenewable, PatronBlocked],
)
