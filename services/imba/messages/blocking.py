"""Not hearing from somebody any more: across all threads, until it is taken back."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import delete, or_, select

from freehold import Conflict, Principal, Session

from ..users import crud as users
from .models import BlockedPerson
from .schemas import BlockedPersonDraft, BlockedPersonRead
from .taking_part import own_thread


class Blocked(Conflict):
    """One of the two sides has blocked the other."""

    code, title = "imba.blocked", "No messages between the two of you"


async def block(db: Session, actor: Principal, draft: BlockedPersonDraft) -> BlockedPerson:
    """Block the other side of a thread; the present row where there is one."""
    assert actor.id is not None
    thread = await own_thread(db, actor, draft.thread_id)
    is_tenant = actor.id == thread.tenant_id
    other_id = thread.landlord_id if is_tenant else thread.tenant_id
    await users.take_turns(db, actor.id)
    known = await db.scalar(
        select(BlockedPerson).where(BlockedPerson.user_id == actor.id, BlockedPerson.blocked_id == other_id)
    )
    name = thread.landlord_name if is_tenant else thread.tenant_name
    return known or BlockedPerson(user_id=actor.id, blocked_id=other_id, thread_id=thread.id, name=name)


async def require_none(db: Session, one: UUID, other: UUID) -> None:
    """Raise Blocked where either has blocked the other. For a session in system scope, in the sender's turn."""
    between = select(BlockedPerson.user_id).where(
        or_(
            (BlockedPerson.user_id == one) & (BlockedPerson.blocked_id == other),
            (BlockedPerson.user_id == other) & (BlockedPerson.blocked_id == one),
        )
    )
    blocking = (await db.scalars(between)).all()
    if one in blocking:
        raise Blocked("You have blocked the other side. Take that back to write.")
    if blocking:
        raise Blocked("The other side takes no messages from you.")


async def held_about(db: Session, user_id: UUID) -> list[dict[str, Any]]:
    """Whom the person has blocked, for an export. For a session in system scope."""
    mine = select(BlockedPerson).where(BlockedPerson.user_id == user_id).order_by(BlockedPerson.id)
    return [BlockedPersonRead.model_validate(row).model_dump(mode="json") for row in await db.scalars(mine)]


async def erase(db: Session, user_id: UUID) -> None:
    """Forget whom they blocked, and who blocked them. For a session in system scope."""
    either = or_(BlockedPerson.user_id == user_id, BlockedPerson.blocked_id == user_id)
    await db.execute(delete(BlockedPerson).where(either))
