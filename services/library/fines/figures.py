"""What a report asks of fines and payments. Money in minor units, by currency."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select

from freehold import Session

from .models import Fine, Payment


async def owed_by_currency(db: Session) -> dict[str, int]:
    """What is owed in all."""
    summed = select(Fine.currency, func.sum(Fine.balance_amount)).where(Fine.balance_amount > 0)
    return {currency: int(amount) for currency, amount in await db.execute(summed.group_by(Fine.currency))}


async def paid_by_currency(db: Session, since: datetime, until: datetime) -> dict[str, int]:
    """What was paid."""
    taken = select(Payment.currency, func.sum(Payment.amount))
    within = taken.where(Payment.created_at >= since, Payment.created_at < until)
    return {currency: int(amount) for currency, amount in await db.execute(within.group_by(Payment.currency))}
