"""Reports: counted by the database, in a librarian's session."""

from __future__ import annotations

from datetime import UTC, datetime, time

from freehold import Session

from ..copies import figures as copies
from ..fines import figures as fines
from ..loans import figures as loans
from .schemas import Lent, Period, Report

MOST_LENT = 10


async def report(db: Session, period: Period) -> Report:
    """What was lent, brought back, paid, and how things stand."""
    since, until = (datetime.combine(day, time(), UTC) for day in (period.since, period.until))
    return Report(
        since=period.since,
        until=period.until,
        loans=await loans.begun(db, since, until),
        returns=await loans.ended(db, since, until),
        by_item_type=await loans.by_item_type(db, since, until),
        most_lent=[
            Lent(book_id=key, title=title, loans=number)
            for key, title, number in await loans.most_lent(db, since, until, limit=MOST_LENT)
        ],
        copies=await copies.by_status(db),
        overdue=await loans.overdue(db),
        owed=await fines.owed_by_currency(db),
        paid=await fines.paid_by_currency(db, since, until),
    )
