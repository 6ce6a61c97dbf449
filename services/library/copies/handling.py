"""What happens to copies: shelved, sent, lost, damaged, found. Each step takes the title's turn first (`take_turn`)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select

from freehold import Conflict, Principal, Session
from freehold.fields import now

from ..books import turns as books
from ..fields import sent
from ..fines import crud as fines
from ..holds import queue
from ..libraries import crud as libraries
from ..loans import crud as loans
from . import crud
from .models import Copy
from .schemas import CopyChange, CopyDraft, Damage, Transfer


async def add(db: Session, actor: Principal, draft: CopyDraft) -> Copy:
    """Put a copy on the shelf; where somebody waits for the title it is set aside at once."""
    async with db.unscoped("who waits is known to the library alone") as system_db:
        await books.lock(system_db, draft.book_id)
        library_id = draft.library_id or await libraries.main(system_db)
        copy = Copy(**draft.model_dump(exclude={"library_id"}), home_id=library_id, library_id=library_id)
        system_db.add(copy)
        await system_db.flush()
        await queue.offer(system_db, copy)
        copy_id = copy.id
    return await db.get_one(Copy, copy_id)


async def change(db: Session, actor: Principal, copy: Copy, changes: CopyChange) -> Copy:
    """Change what is written on it."""
    for name, value in sent(changes).items():
        setattr(copy, name, value)
    return copy


async def remove(db: Session, actor: Principal, copy: Copy) -> None:
    """Take it out of the stock. Raises WrongState for one that somebody has, or that is kept for somebody."""
    crud.require(copy, "available", "lost", "damaged")
    copy.deleted_at = now()


async def transfer(db: Session, actor: Principal, copy: Copy, body: Transfer) -> Copy:
    """Send a copy that is on the shelf to another library. It is lent again once it has arrived."""
    crud.require(copy, "available")
    if body.library_id == copy.library_id:
        raise Conflict("It is there already.", code="library.same_library")
    copy.status, copy.library_id = "in_transit", (await libraries.get(db, body.library_id)).id
    return copy


async def arrive(db: Session, actor: Principal, copy: Copy) -> Copy:
    """A copy that was sent is there: for the one it was sent for, for whoever is next, or for the shelf."""
    crud.require(copy, "in_transit")
    await receive(db, copy)
    return copy


async def receive(db: Session, copy: Copy) -> None:
    """Decide what becomes of a copy in its library. In a librarian's session or one in system scope."""
    async with db.unscoped("who waits is known to the library alone") as system_db:
        there = await crud.get(system_db, copy.id)
        hold = await queue.set_aside_for(system_db, copy.id)
        if hold is None:
            await queue.offer(system_db, there)
        else:
            await queue.set_aside(system_db, hold, there)
    await db.refresh(copy)


async def lose(db: Session, actor: Principal, copy: Copy) -> Copy:
    """Give a copy up for lost. Where it is out, its patron owes its price; where it was kept, whoever is next has it."""
    crud.require(copy, "available", "on_loan", "on_hold", "in_transit", "damaged")
    async with db.unscoped("a loss ends a loan and concerns its patron") as system_db:
        loan = await loans.open_of_copy(system_db, copy.id)
        if loan is not None:
            await loans.lose(system_db, loan, price_amount=copy.price_amount)
        await _free_of_hold(system_db, copy.id)
    copy.status = "lost"
    return copy


async def damage(db: Session, actor: Principal, copy: Copy, body: Damage) -> Copy:
    """Take a damaged copy from the shelf. amount: charged to whoever had it last, where that is remembered."""
    crud.require(copy, "available", "on_hold")
    async with db.unscoped("damage concerns whoever had the copy last, and who waits for it") as system_db:
        await _free_of_hold(system_db, copy.id)
        if body.amount:
            await _charge_last(system_db, copy, body)
    copy.status, copy.note = "damaged", body.note
    return copy


async def recover(db: Session, actor: Principal, copy: Copy) -> Copy:
    """A lost copy was found, or a damaged one repaired: it is lent again, and an unpaid price is not owed any more."""
    crud.require(copy, "lost", "damaged")
    if copy.status == "lost":
        async with db.unscoped("what was charged for the loss is not owed") as system_db:
            loan = await loans.last_of_copy(system_db, copy.id)
            if loan is not None and loan.status == "lost":
                await fines.forgive_loss(system_db, loan.id)
    await receive(db, copy)
    return copy


async def take_turn(db: Session, copy_id: UUID) -> None:
    """The turnstile of a copy: its title's turn, before the copy itself is locked."""
    async with db.unscoped("a step of a copy takes its title's turn") as system_db:
        book_id = await system_db.scalar(select(Copy.book_id).where(Copy.id == copy_id))
        if book_id is not None:
            await books.lock(system_db, book_id)


async def _free_of_hold(db: Session, copy_id: UUID) -> None:
    """Whoever it was kept for is first in the queue again, and gets another copy where there is one."""
    hold = await queue.set_aside_for(db, copy_id)
    if hold is not None:
        await queue.put_first(db, hold)
        free = await crud.find_free(db, hold.book_id)
        if free is not None and free.id != copy_id:
            await queue.offer(db, free)


async def _charge_last(db: Session, copy: Copy, body: Damage) -> None:
    loan: Any = await loans.last_of_copy(db, copy.id)
    if loan is None or loan.patron_id is None:
        raise Conflict("Nobody is known who had it last: leave out the amount.", code="library.nobody_to_charge")
    currency = (await libraries.get(db, copy.home_id)).currency
    who = {"loan_id": loan.id, "patron_id": loan.patron_id}
    await fines.charge(db, "damage", amount=body.amount, currency=currency, reason=body.note, **who)
