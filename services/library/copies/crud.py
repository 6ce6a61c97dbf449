"""What other features ask of copies. Those that write are called under the title's lock, in system scope."""

from __future__ import annotations

from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, exists, func, select

from freehold import Conflict, NotFound, Session

from ..fields import unknown
from .models import Copy, Status


class WrongState(Conflict):
    """The copy is not in the state that this step starts from."""

    code, title = "library.copy_state", "Not possible in this state"


class Count(NamedTuple):
    """How many copies a title has, and how many of them are on the shelf."""

    copies: int
    available: int


async def count(db: Session, book_id: UUID) -> Count:
    """How many there are."""
    free = func.count().filter(Copy.status == "available")
    counted = select(func.count(), free).where(Copy.book_id == book_id, Copy.deleted_at.is_(None))
    return Count(*(await db.execute(counted)).one())


def is_on_shelf(book_id: Any) -> ColumnElement[bool]:
    """SQL: a copy of the title that a column names is on the shelf."""
    return exists().where(Copy.book_id == book_id, Copy.status == "available", Copy.deleted_at.is_(None))


async def get(db: Session, copy_id: UUID) -> Copy:
    """The copy, locked until the commit and as it stands now."""
    locked = select(Copy).where(Copy.id == copy_id, Copy.deleted_at.is_(None)).with_for_update(key_share=True)
    found = (await db.scalars(locked, execution_options={"populate_existing": True})).one_or_none()
    if found is None:
        raise unknown("copy_id")
    return found


async def book_of(db: Session, copy_id: UUID | None) -> UUID:
    """The title of a copy. Raises Invalid where there is no such copy."""
    found = await db.scalar(select(Copy.book_id).where(Copy.id == copy_id, Copy.deleted_at.is_(None)))
    if found is None:
        raise unknown("copy_id")
    return found


async def find_free(db: Session, book_id: UUID) -> Copy | None:
    """A copy of the title on the shelf, of those the one with the first barcode."""
    free = select(Copy).where(Copy.book_id == book_id, Copy.status == "available", Copy.deleted_at.is_(None))
    locked = free.order_by(Copy.barcode).limit(1).with_for_update(key_share=True)
    return (await db.scalars(locked, execution_options={"populate_existing": True})).first()


async def by_barcode(db: Session, barcode: str) -> Copy:
    """The copy with this barcode. Raises NotFound."""
    found = (await db.scalars(select(Copy).where(Copy.barcode == barcode, Copy.deleted_at.is_(None)))).one_or_none()
    if found is None:
        raise NotFound("There is no copy with this barcode.")
    return found


def require(copy: Copy, *allowed: Status) -> None:
    """Raise WrongState unless the copy stands so."""
    if copy.status not in allowed:
        raise WrongState(f"This copy is {copy.status.replace('_', ' ')}.")


async def any_of(db: Session, book_id: UUID) -> Copy | None:
    """A copy of the title, wherever it is; None where there are none."""
    return (await db.scalars(select(Copy).where(Copy.book_id == book_id, Copy.deleted_at.is_(None)).limit(1))).first()
