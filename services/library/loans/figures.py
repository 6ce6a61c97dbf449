"""What a report asks of loans: counted by the database, as far as the session's caller sees them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, select

from freehold import Session

from . import crud
from .models import Loan


async def begun(db: Session, since: datetime, until: datetime) -> int:
    """How many loans began."""
    return await _count(db, _within(Loan.loaned_at, since, until))


async def ended(db: Session, since: datetime, until: datetime) -> int:
    """How many copies came back."""
    return await _count(db, and_(Loan.status == "returned", _within(Loan.ended_at, since, until)))


async def overdue(db: Session) -> int:
    """How many copies should be back now."""
    return await _count(db, crud.is_overdue())


async def by_item_type(db: Session, since: datetime, until: datetime) -> dict[str, int]:
    """How many loans of each item type began."""
    counted = select(Loan.item_type, func.count()).where(_within(Loan.loaned_at, since, until))
    rows = await db.execute(counted.group_by(Loan.item_type).order_by(Loan.item_type))
    return {row[0]: row[1] for row in rows}


async def most_lent(db: Session, since: datetime, until: datetime, *, limit: int) -> Sequence[tuple[UUID, str, int]]:
    """Key, title and number of loans of those lent most often, most first."""
    book = Loan.book.property.mapper.class_
    number = func.count().label("number")
    counted = select(book.id, book.title, number).select_from(Loan).join(Loan.book)
    ranked = counted.where(_within(Loan.loaned_at, since, until)).group_by(book.id, book.title)
    rows = await db.execute(ranked.order_by(number.desc(), book.id).limit(limit))
    return [(row[0], row[1], row[2]) for row in rows]


async def _count(db: Session, condition: ColumnElement[bool]) -> int:
    return (await db.execute(select(func.count()).select_from(Loan).where(condition))).scalar_one()


def _within(column: Any, since: datetime, until: datetime) -> ColumnElement[bool]:
    return and_(column >= since, column < until)
