"""What happens to loans by the clock: fines, reminders, renewals by themselves, and forgetting."""

from __future__ import annotations

from datetime import time, timedelta
from typing import Literal
from uuid import UUID

from sqlalchemy import Select, select

from freehold import Conflict, Principal, Session, job, schedule, system
from freehold.fields import now
from freehold.local_time import local

from ..books import turns as books
from ..libraries import crud as libraries
from ..notices import crud as notices
from ..settings import LibrarySettings
from . import crud, remembering, told
from .models import Loan

BATCH = 200
DAILY = time(4, 30)


@schedule("library.fines", at=DAILY)
@job("library.fines", system="charge what lateness costs by now")
async def charge_fines(db: Session, *, after: UUID | None = None) -> None:
    """Bring the fine of each overdue loan up to date, and tell its patron once that it is overdue."""
    loans = await _batch(db, select(Loan).where(crud.is_overdue()), after)
    for loan in loans:
        await crud.charge_lateness(db, loan)
        await _tell(db, loan, "overdue", told.overdue)
    if len(loans) == BATCH:
        await charge_fines.enqueue(db, after=loans[-1].id)


@schedule("library.reminders", at=DAILY)
@job("library.reminders", system="remind patrons of what is due")
async def remind(db: Session, *, after: UUID | None = None) -> None:
    """Remind patrons, once, of loans due within days; renew those that renew themselves."""
    until = now() + timedelta(days=db.part(LibrarySettings).remind_days)
    loans = await _batch(
        db, select(Loan).where(Loan.status == "open", Loan.due_at > now(), Loan.due_at <= until), after
    )
    for loan in loans:
        if crud.terms_of(loan).automatic_renewal:
            await renew_by_itself.enqueue(db, loan_id=loan.id, key=str(loan.id))
        else:
            await _tell(db, loan, "due_soon", told.due)
    if len(loans) == BATCH:
        await remind.enqueue(db, after=loans[-1].id)


@job("library.renew_by_itself", system="renew a loan whose rule says so")
async def renew_by_itself(db: Session, *, loan_id: UUID) -> None:
    """Renew one loan, or remind its patron where it cannot be renewed."""
    await crud.take_turn(db, loan_id)
    loan = await db.get_one(Loan, loan_id, with_for_update=True, populate_existing=True)
    if loan.status != "open":
        return
    try:
        async with db.begin_nested():
            await crud.renew(db, _LIBRARY, loan)
    except Conflict:
        await db.refresh(loan)
        await _tell(db, loan, "due_soon", told.not_renewed)
        return
    await db.flush()
    await _tell(db, loan, "renewed", told.renewed)


@schedule("library.forget", at=DAILY)
@job("library.forget", system="forget who had what")
async def forget(db: Session) -> None:
    """Take the names off loans that are long over, where no history is kept."""
    await remembering.forget_old(db)


_LIBRARY: Principal = system("renew a loan whose rule says so")


async def _batch(db: Session, wanted: Select[Loan], after: UUID | None) -> list[Loan]:
    # A loan that is being returned at this moment is charged by its return.
    locked = wanted.order_by(Loan.id).limit(BATCH).with_for_update(skip_locked=True, key_share=True)
    return list(await db.scalars(locked if after is None else locked.where(Loan.id > after)))


async def _tell(db: Session, loan: Loan, kind: Literal["due_soon", "overdue", "renewed"], said: told.Said) -> None:
    if loan.patron_id is None:
        return
    title = await books.title_of(db, loan.book_id)
    day = local(loan.due_at, (await libraries.get(db, loan.library_id)).time_zone).date()
    subject, text = said(title, day)
    await notices.tell(db, loan.patron_id, kind=kind, subject=subject, text=text, once=f"{kind}:{loan.id}:{day}")
