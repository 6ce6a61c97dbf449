"""Writing to the other side. The turns: the people's accounts, then the thread."""

from __future__ import annotations

from datetime import timedelta
from math import ceil
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import case, func, or_, select, update

from freehold import Conflict, Forbidden, Principal, Session, audit
from freehold.errors import TooManyRequests
from freehold.fields import now
from freehold.wording import phrase

from ..notices import crud as notices
from ..properties import crud as properties
from ..reservations import crud as reservations
from ..settings import ImbaSettings
from ..users import crud as users
from . import blocking
from .models import Message, Thread
from .schemas import MessageDraft, MessageRead, Seen, ThreadDraft, ThreadRead, Unread
from .taking_part import unknown_thread

HOUR = timedelta(hours=1)


class ThreadClosed(Conflict):
    """A side of the thread has left, or a moderator has closed it."""

    code, title = "imba.thread_closed", "Nobody writes here any more"


class TooManyMessages(TooManyRequests):
    """The person has sent as many messages within an hour as the service allows."""

    code, title = "imba.too_many_messages", "Too many messages"


class _Sides(NamedTuple):
    property_id: UUID
    tenant_id: UUID
    landlord_id: UUID


async def open_thread(db: Session, actor: Principal, draft: ThreadDraft) -> Thread:
    """Send a message about a listing or a reservation, in the thread that there is or a new one."""
    assert actor.id is not None
    sides = await _sides(db, actor, draft)
    # Both turns: the two sides of a reservation could open its thread at once, and the other side could be leaving.
    await users.take_turns(db, actor.id, sides.tenant_id, sides.landlord_id)
    known = await db.scalar(
        select(Thread).where(
            Thread.property_id == sides.property_id,
            Thread.tenant_id == sides.tenant_id,
            Thread.reservation_id.is_not_distinct_from(draft.reservation_id),
        )
    )
    thread = known or await _new(db, sides, draft.reservation_id)
    await _say(db, actor.id, thread.id, draft.text)
    return thread


async def send(db: Session, actor: Principal, draft: MessageDraft) -> Message:
    """Send a message in a thread that the caller takes part in."""
    assert actor.id is not None
    await users.take_turns(db, actor.id)
    return await _say(db, actor.id, draft.thread_id, draft.text)


async def mark_read(db: Session, actor: Principal, thread: Thread, body: Seen) -> Thread:
    """Remember how far the caller has read. What they have read before stays read."""
    others = select(func.count()).select_from(Message)
    others = others.where(Message.thread_id == thread.id, Message.sender_id != actor.id)
    left = 0 if body.up_to is None else await db.scalar(others.where(Message.number > body.up_to)) or 0
    if actor.id == thread.tenant_id:
        thread.tenant_unread = min(left, thread.tenant_unread)
    else:
        thread.landlord_unread = min(left, thread.landlord_unread)
    return thread


async def unread(db: Session, actor: Principal) -> Unread:
    """How much the caller has not read yet, over the threads that they take part in."""
    mine = case((Thread.tenant_id == actor.id, Thread.tenant_unread), else_=Thread.landlord_unread)
    counted = select(func.count(case((mine > 0, 1))), func.coalesce(func.sum(mine), 0)).select_from(Thread)
    threads, messages = (await db.execute(counted.where(_takes_part(actor.id)))).one()
    return Unread(threads=threads, messages=messages)


async def is_from_other(db: Session, message_id: UUID, *, thread_id: UUID, reader_id: UUID) -> bool:
    """Whether the message stands in that thread, was written by the other side, and the session's caller sees it."""
    found = select(Message.sender_id).where(Message.id == message_id, Message.thread_id == thread_id)
    return await db.scalar(found) not in (None, reader_id)


async def close(db: Session, thread_id: UUID, *, why: str) -> None:
    """Let nobody write in a thread any more, and tell both sides why. Without effect on one that is closed."""
    async with db.unscoped("a moderator closes a thread that was reported") as system_db:
        locked = select(Thread).where(Thread.id == thread_id).with_for_update()
        thread = (await system_db.scalars(locked, execution_options={"populate_existing": True})).one()
        if thread.closed_at is not None:
            return
        thread.closed_at = now()
        await audit(system_db, "threads.closed", subject_type="threads", subject_id=thread.id, after={"why": why})
        text = phrase("Messages in it were reported and break our rules: {reason}", reason=why)
        for side in (thread.tenant_id, thread.landlord_id):
            subject, link = phrase("A conversation was closed"), f"/v1/threads/{thread.id}"
            await notices.notify(system_db, side, kind="message", subject=subject, text=text, link=link)


async def held_about(db: Session, user_id: UUID) -> dict[str, list[dict[str, Any]]]:
    """The person's threads, and what they wrote, for an export. For a session in system scope."""
    threads = await db.scalars(select(Thread).where(_takes_part(user_id)).order_by(Thread.id))
    messages = await db.scalars(select(Message).where(Message.sender_id == user_id).order_by(Message.id))
    return {
        "threads": [
            ThreadRead.model_validate(row).model_dump(mode="json", exclude={_other_count(row, user_id)})
            for row in threads
        ],
        "messages": [MessageRead.model_validate(row).model_dump(mode="json") for row in messages],
        "blocked_people": await blocking.held_about(db, user_id),
    }


async def erase(db: Session, user_id: UUID) -> None:
    """Close the person's threads and take their words and name out of them. For a session in system scope."""
    await blocking.erase(db, user_id)
    mine = select(Thread).where(_takes_part(user_id)).order_by(Thread.id).with_for_update()
    for thread in await db.scalars(mine, execution_options={"populate_existing": True}):
        thread.closed_at = thread.closed_at or now()
        if thread.tenant_id == user_id:
            thread.tenant_name = ""
        else:
            thread.landlord_name = ""
    await db.execute(update(Message).where(Message.sender_id == user_id).values(text=""))


async def _sides(db: Session, actor: Principal, draft: ThreadDraft) -> _Sides:
    if draft.property_id is not None:
        listing = await properties.find(db, draft.property_id)
        if listing is None:
            raise properties.unknown_property()
        if listing.landlord_id == actor.id:
            raise reservations.OwnProperty("This is your own property; answer those who write to you.")
        properties.require_listed(listing)
        assert actor.id is not None
        return _Sides(listing.id, actor.id, listing.landlord_id)
    assert draft.reservation_id is not None
    booking = await reservations.get(db, draft.reservation_id)
    async with db.unscoped("a reservation has two sides") as system_db:
        landlord_id = (await properties.known(system_db, booking.property_id)).landlord_id
    if actor.id not in (booking.tenant_id, landlord_id):
        raise Forbidden("Only the two sides of a reservation write about it.")
    return _Sides(booking.property_id, booking.tenant_id, landlord_id)


async def _new(db: Session, sides: _Sides, reservation_id: UUID | None) -> Thread:
    async with db.unscoped("the two sides of a thread know each other's first names") as system_db:
        names = [await users.first_name(system_db, each) for each in (sides.tenant_id, sides.landlord_id)]
    thread = Thread(
        **sides._asdict(),
        reservation_id=reservation_id,
        tenant_name=names[0],
        landlord_name=names[1],
        last_message_at=now(),
    )
    db.add(thread)
    await db.flush()
    return thread


async def _say(db: Session, sender_id: UUID, thread_id: UUID, text: str) -> Message:
    async with db.unscoped("a message is counted for the other side") as system_db:
        locked = select(Thread).where(Thread.id == thread_id).with_for_update()
        thread = (await system_db.scalars(locked, execution_options={"populate_existing": True})).one_or_none()
        if thread is None or sender_id not in (thread.tenant_id, thread.landlord_id):
            raise unknown_thread()  # before anything of it is told
        receiver_id = thread.landlord_id if sender_id == thread.tenant_id else thread.tenant_id
        if await users.receiver(system_db, receiver_id) is None:
            raise ThreadClosed("The other side has left.")
        if thread.closed_at is not None:
            raise ThreadClosed("This conversation was closed.")
        await blocking.require_none(system_db, sender_id, receiver_id)
        await _require_quota(system_db, sender_id)
        is_first = _count(thread, receiver_id) == 1
        title = (await properties.known(system_db, thread.property_id)).title
        number = thread.message_count
    message = Message(thread_id=thread_id, sender_id=sender_id, number=number, text=text)
    db.add(message)
    await db.flush()
    if is_first:  # told once; those that follow before it is read are found with it
        news = phrase("There is a new message about {title}.", title=title)
        link = f"/v1/threads/{thread_id}"
        await notices.notify(db, receiver_id, kind="message", subject=phrase("A new message"), text=news, link=link)
    return message


def _count(thread: Thread, receiver_id: UUID) -> int:
    """Count a message; how many the receiver has not read now."""
    thread.message_count += 1
    thread.last_message_at = now()
    if receiver_id == thread.tenant_id:
        thread.tenant_unread += 1
        return thread.tenant_unread
    thread.landlord_unread += 1
    return thread.landlord_unread


async def _require_quota(db: Session, sender_id: UUID) -> None:
    """Raise TooManyMessages after so many in the last hour. Exact: the sender's turn is taken."""
    limit = db.part(ImbaSettings).messages_per_hour
    sent = select(Message.created_at).where(Message.sender_id == sender_id).order_by(Message.created_at.desc())
    blocking = await db.scalar(sent.offset(limit - 1).limit(1))
    if blocking is not None and (wait := blocking + HOUR - now()) > timedelta(0):
        raise TooManyMessages(f"At most {limit} messages an hour.", retry_after=ceil(wait.total_seconds()))


def _takes_part(user_id: UUID | None) -> Any:
    return or_(Thread.tenant_id == user_id, Thread.landlord_id == user_id)


def _other_count(thread: Thread, user_id: UUID) -> str:
    return "landlord_unread" if thread.tenant_id == user_id else "tenant_unread"
