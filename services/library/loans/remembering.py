"""Reading histories: who had what is forgotten after a while, unless its patron wants to keep it."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, exists, select, update

from freehold import Session
from freehold.fields import now

from ..fines import crud as fines
from ..patrons import crud as patrons
from ..settings import LibrarySettings
from .models import Loan


async def forget_old(db: Session) -> None:
    """Take the names off loans that ended a while ago, save those of patrons who keep a history. In system scope."""
    before = now() - timedelta(days=db.part(LibrarySettings).forget_after_days)
    await _forget(db, Loan.ended_at < before, ~patrons.keeps_history(Loan.patron_id))


async def forget_of(db: Session, patron_id: UUID) -> None:
    """Take this patron's name off every loan that is over and settled. For a session in system scope."""
    await _forget(db, Loan.patron_id == patron_id)


async def _forget(db: Session, *which: ColumnElement[bool]) -> None:
    over = [Loan.status != "open", Loan.patron_id.is_not(None), ~fines.is_owed_for(Loan.id)]
    await db.execute(update(Loan).where(*over, *which).values(patron_id=None, updated_at=Loan.updated_at))


async def has_open(db: Session, patron_id: UUID) -> bool:
    """Whether the patron has anything. For a session in system scope."""
    mine = exists().where(Loan.patron_id == patron_id, Loan.status == "open")
    return bool((await db.execute(select(mine))).scalar_one())
