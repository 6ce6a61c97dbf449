"""Loans: borrowed, renewed, returned, given up for lost.

Every step first takes the title's turn (`books.lock`), then the patron's; so what is free, who is next and how often a
title was borrowed are looked at and changed by one at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, bindparam, select

from freehold import Conflict, Invalid, Principal, Session
from freehold.errors import FieldError
from freehold.fields import now
from freehold.local_time import local

from ..books import turns as books
from ..copies import crud as copies
from ..fines import crud as fines
from ..fines.calculation import overdue
from ..holds import queue
from ..libraries import crud as libraries
from ..patrons import crud as patrons
from ..rules import crud as rules
from ..rules.terms import Terms
from .due import days_late, due_at
from .models import Loan
from .schemas import LoanChange, LoanDraft, LoanRead


class NoCopy(Conflict):
    """No copy can be lent: none is on the shelf, or the one that was asked for is not."""

    code, title = "library.no_copy", "No copy is free"


class WrongState(Conflict):
    """The loan is over."""

    code, title = "library.loan_state", "Not possible in this state"


class NotRenewable(Conflict):
    """The loan cannot be renewed now; `code` says why."""

    code, title = "library.not_renewable", "Not renewable"


async def borrow(db: Session, actor: Principal, draft: LoanDraft) -> Loan:
    """Lend a copy. Over the limits of the rules the invariants `library.loan_limit` and `library.type_limit` refuse (409).

    A copy that is ready for this patron is taken first. A refused loan leaves nothing behind, in no history either.
    """
    patron_id = draft.patron_id or actor.id
    assert patron_id is not None
    async with db.unscoped("what is free and who is next is known to the library alone") as system_db:
        book_id = draft.book_id or await copies.book_of(system_db, draft.copy_id)
        await books.lock(system_db, book_id)
        patron = await patrons.lock(system_db, patron_id)
        owed = await fines.owed(system_db, patron_id)
        patrons.require_good_standing(system_db, patron, owed=owed, today=now().date())
        copy = await _take(system_db, book_id, draft.copy_id, patron_id)
        place = {"library_id": copy.library_id, "item_type": copy.item_type}
        terms = await rules.terms(system_db, category=patron.category, **place)
        opening = await libraries.open_days(system_db, copy.library_id, since=now().date())
        copy.status = "on_loan"
        await queue.fulfil(system_db, book_id, patron_id, copy.id)
        await books.count_loan(system_db, book_id)
        return Loan(
            copy_id=copy.id,
            book_id=book_id,
            patron_id=patron_id,
            due_at=due_at(terms, opening, since=now()),
            terms=terms.model_dump(mode="json"),
            loan_limit=terms.loan_limit,
            type_limit=terms.type_limit,
            **place,
        )


async def give_back(db: Session, actor: Principal, loan: Loan) -> Loan:
    """Take a copy back where it was lent; in the same commit it is set aside for whoever is next."""
    async with db.unscoped("who is next is known to the library alone") as system_db:
        copy = await copies.get(system_db, loan.copy_id)
        await _end(system_db, loan, copy)
        await queue.offer(system_db, copy)
    loan.status, loan.ended_at = "returned", now()
    return loan


async def take_in(db: Session, loan: Loan, *, library_id: UUID) -> Loan:
    """The same at the desk of any library. The title's turn was taken. For a session in system scope."""
    copy = await copies.get(db, loan.copy_id)
    await _end(db, loan, copy)
    copy.library_id = library_id
    loan.status, loan.ended_at = "returned", now()
    await queue.offer(db, copy)
    return loan


async def renew(db: Session, actor: Principal, loan: Loan) -> Loan:
    """Lend it for another while, from now on, and never for less than before. Raises NotRenewable or PatronBlocked."""
    async with db.unscoped("who waits is known to the library alone") as system_db:
        await _require_renewable(system_db, loan)
        opening = await libraries.open_days(system_db, loan.library_id, since=now().date())
        await charge_lateness(system_db, loan)
    terms = terms_of(loan)
    length = terms.renewal_length or terms.period_length
    found = due_at(terms, opening, since=now(), length=length)
    if found <= loan.due_at:
        raise NotRenewable("It would not be due any later.", code="library.renewal_too_early")
    loan.due_at = found
    loan.renewals += 1
    return loan


async def lose(db: Session, loan: Loan, *, price_amount: int | None) -> None:
    """Give a loan up for lost: its patron owes the price of the copy. For a session in system scope, in the title's turn."""
    require_open(loan)
    await charge_lateness(db, loan)
    if loan.patron_id is not None and price_amount:
        currency = (await libraries.get(db, loan.library_id)).currency
        await fines.charge(
            db, "lost", loan_id=loan.id, patron_id=loan.patron_id, amount=price_amount, currency=currency
        )
    loan.status, loan.ended_at = "lost", now()


async def change_due(db: Session, actor: Principal, loan: Loan, changes: LoanChange) -> Loan:
    """Set another due date by hand."""
    require_open(loan)
    if changes.due_at <= loan.loaned_at:
        raise Invalid("Too early.", errors=[FieldError("due", "is before the loan began", pointer="/due_at")])
    loan.due_at = changes.due_at
    return loan


async def open_of_copy(db: Session, copy_id: UUID) -> Loan | None:
    """The loan on which the copy is out, locked. For a session in system scope."""
    out = select(Loan).where(Loan.copy_id == copy_id, Loan.status == "open").with_for_update(key_share=True)
    return (await db.scalars(out, execution_options={"populate_existing": True})).one_or_none()


async def last_of_copy(db: Session, copy_id: UUID) -> Loan | None:
    """The loan on which the copy was out last. For a session in system scope."""
    return (
        await db.scalars(select(Loan).where(Loan.copy_id == copy_id).order_by(Loan.loaned_at.desc()).limit(1))
    ).first()


async def open_of_patron(db: Session, patron_id: UUID) -> Sequence[Loan]:
    """What the patron has, what is due first in front."""
    mine = select(Loan).where(Loan.patron_id == patron_id, Loan.status == "open")
    return (await db.scalars(mine.order_by(Loan.due_at, Loan.id))).all()


async def has_open(db: Session, book_id: UUID, patron_id: UUID) -> bool:
    """Whether the patron has a copy of the title now. For a session in system scope."""
    mine = select(Loan.id).where(Loan.book_id == book_id, Loan.patron_id == patron_id, Loan.status == "open")
    return (await db.scalars(mine.limit(1))).first() is not None


async def take_turn(db: Session, loan_id: UUID) -> None:
    """The turnstile of a loan: its title's turn, before the loan itself is locked."""
    async with db.unscoped("a step of a loan takes its title's turn") as system_db:
        book_id = await system_db.scalar(select(Loan.book_id).where(Loan.id == loan_id))
        if book_id is not None:
            await books.lock(system_db, book_id)


def require_open(loan: Loan) -> None:
    """Raise WrongState for a loan that is over."""
    if loan.status != "open":
        raise WrongState(
            f"This loan is {'over: the copy is back' if loan.status == 'returned' else 'given up for lost'}."
        )


def is_overdue() -> ColumnElement[bool]:
    """SQL: the copy should be back."""
    # The moment is read when the statement runs, not when it is built: plans are built once.
    moment: ColumnElement[Any] = bindparam("this_moment", callable_=now, unique=True)
    return and_(Loan.status == "open", Loan.due_at < moment)


def terms_of(loan: Loan) -> Terms:
    """What was agreed when it was lent."""
    return Terms.model_validate(loan.terms)


async def _take(db: Session, book_id: UUID, copy_id: UUID | None, patron_id: UUID) -> Any:
    ready = await queue.ready_for(db, book_id, patron_id)
    kept_id = None if ready is None else ready.copy_id
    wanted_id = copy_id or kept_id
    copy = await (copies.find_free(db, book_id) if wanted_id is None else copies.get(db, wanted_id))
    if copy is None:
        raise NoCopy("All copies are out or kept for others; place a hold.")
    if copy.status != "available" and copy.id != kept_id:
        raise NoCopy(f"This copy is {copy.status.replace('_', ' ')}.")
    return copy


async def _end(db: Session, loan: Loan, copy: Any) -> None:
    require_open(loan)
    late = await charge_lateness(db, loan, price_amount=copy.price_amount)
    days = late * terms_of(loan).suspension_days
    if days and loan.patron_id is not None:
        await patrons.suspend(db, loan.patron_id, until=now().date() + timedelta(days=days))


async def charge_lateness(db: Session, loan: Loan, *, price_amount: int | None = None) -> int:
    """See that what the lateness costs by now is charged, once; the days late, on which the library was open.

    For a session in system scope, with the loan locked.
    """
    moment = now()
    if moment <= loan.due_at or loan.patron_id is None:
        return 0
    terms = terms_of(loan)
    opening = await libraries.open_days(db, loan.library_id, since=loan.due_at.date())
    late = days_late(loan.due_at, opening, at=moment)
    if terms.cap_at_price and price_amount is None:
        price_amount = (await copies.get(db, loan.copy_id)).price_amount
    amount = overdue(terms, days_late=late, price_amount=price_amount)
    if amount:
        currency = (await libraries.get(db, loan.library_id)).currency
        until = local(moment, opening.zone).date()
        await fines.charge(
            db,
            "overdue",
            loan_id=loan.id,
            patron_id=loan.patron_id,
            amount=amount,
            currency=currency,
            until=until,
        )
    return late


async def _require_renewable(db: Session, loan: Loan) -> None:
    require_open(loan)
    assert loan.patron_id is not None
    terms = terms_of(loan)
    if await queue.is_awaited(db, await copies.get(db, loan.copy_id)):
        raise NotRenewable("Somebody waits for this title.", code="library.held")
    if loan.renewals >= terms.renewals:
        raise NotRenewable(f"It was renewed {loan.renewals} times, and may not be again.", code="library.renewal_limit")
    if _opens(loan.due_at, terms) > now():
        raise NotRenewable(f"Not before {_opens(loan.due_at, terms):%Y-%m-%d}.", code="library.renewal_too_early")
    patron = await patrons.lock(db, loan.patron_id)
    owed = await fines.owed(db, loan.patron_id)
    patrons.require_good_standing(db, patron, owed=owed, today=now().date())


def _opens(due: datetime, terms: Terms) -> datetime:
    if terms.no_renewal_before_days is None:
        return datetime.min.replace(tzinfo=due.tzinfo)
    return due - timedelta(days=terms.no_renewal_before_days)


async def held_about(db: Session, patron_id: UUID) -> list[dict[str, Any]]:
    """The patron's loans, as far as they are remembered, for an export. For a session in system scope."""
    mine = select(Loan).where(Loan.patron_id == patron_id).order_by(Loan.id)
    return [LoanRead.model_validate(row).model_dump(mode="json") for row in await db.scalars(mine)]
