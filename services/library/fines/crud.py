"""Fines: charged, paid, waived."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, exists, func, select

from freehold import Conflict, Principal, Session
from freehold.fields import Reason

from .models import Fine, Kind, Payment
from .schemas import FineRead, PaymentDraft, PaymentRead


class Overpaid(Conflict):
    """More is paid than is owed."""

    code, title = "library.overpaid", "More than is owed"


async def charge(  # what a fine consists of
    db: Session,
    kind: Kind,
    *,
    loan_id: UUID,
    patron_id: UUID,
    amount: int,
    currency: str,
    until: date | None = None,
    reason: str | None = None,
) -> None:
    """See that the loan costs at least this much. The same again changes nothing; a lower amount neither.

    The loan is locked by now. For a session in system scope.
    """
    known = select(Fine).where(Fine.loan_id == loan_id, Fine.kind == kind).with_for_update()
    fine = (await db.scalars(known, execution_options={"populate_existing": True})).one_or_none()
    if fine is None:
        if amount > 0:
            money = {"amount": amount, "balance_amount": amount, "currency": currency}
            db.add(Fine(kind=kind, loan_id=loan_id, patron_id=patron_id, counted_until=until, reason=reason, **money))
    elif amount > fine.amount:
        fine.balance_amount += amount - fine.amount
        fine.amount, fine.counted_until = amount, until
    await db.flush()


async def owed(db: Session, patron_id: UUID) -> int:
    """What the patron owes in all, in minor units. For a session in system scope."""
    open_ones = select(func.coalesce(func.sum(Fine.balance_amount), 0))
    return int((await db.execute(open_ones.where(Fine.patron_id == patron_id, Fine.balance_amount > 0))).scalar_one())


async def forgive_loss(db: Session, loan_id: UUID) -> None:
    """A lost copy is back: what of its price is not paid is not owed. For a session in system scope."""
    lost = select(Fine).where(Fine.loan_id == loan_id, Fine.kind == "lost").with_for_update()
    for fine in await db.scalars(lost, execution_options={"populate_existing": True}):
        fine.balance_amount, fine.reason = 0, "The copy was found."


async def pay(db: Session, actor: Principal, draft: PaymentDraft) -> Payment:
    """Take money for a fine. Raises Overpaid. Locks the fine."""
    locked = select(Fine).where(Fine.id == draft.fine_id).with_for_update()
    fine = (await db.scalars(locked, execution_options={"populate_existing": True})).one()
    if draft.amount > fine.balance_amount:
        raise Overpaid(f"Only {fine.balance_amount} is owed.")
    patron_id, currency = fine.patron_id, fine.currency
    async with db.unscoped("a payment lowers what is owed") as system_db:
        paid = await system_db.get_one(Fine, draft.fine_id)
        paid.balance_amount -= draft.amount
    return Payment(**draft.model_dump(), patron_id=patron_id, currency=currency, taken_by=actor.id)


async def waive(db: Session, actor: Principal, fine: Fine, body: Reason) -> Fine:
    """Let the patron off what is still owed."""
    if fine.balance_amount == 0:
        raise Conflict("Nothing is owed.", code="library.nothing_owed")
    fine.balance_amount, fine.reason = 0, body.reason
    return fine


async def held_about(db: Session, patron_id: UUID) -> dict[str, list[dict[str, Any]]]:
    """The patron's fines and payments, for an export. For a session in system scope."""
    fines = await db.scalars(select(Fine).where(Fine.patron_id == patron_id).order_by(Fine.id))
    payments = await db.scalars(select(Payment).where(Payment.patron_id == patron_id).order_by(Payment.id))
    return {
        "fines": [FineRead.model_validate(row).model_dump(mode="json") for row in fines],
        "payments": [PaymentRead.model_validate(row).model_dump(mode="json") for row in payments],
    }


def is_owed_for(loan_id: Any) -> ColumnElement[bool]:
    """SQL: something is owed for the loan that a column names."""
    return exists().where(Fine.loan_id == loan_id, Fine.balance_amount > 0)
