"""Threads and their messages, as the two sides reach them; nobody else does."""

from __future__ import annotations

from freehold import (
    Access,
    Caller,
    Db,
    Queries,
    Resource,
    Router,
    Schemas,
    allow,
    owner,
    signed_in,
    unique_while,
    where,
)

from ..access import KEPT, STAFF
from ..properties.crud import NotListed
from ..reports import crud as reports
from ..reservations.crud import OwnProperty
from . import blocking, crud
from .models import BlockedPerson, Message, Thread
from .schemas import BlockedPersonDraft, BlockedPersonRead, MessageDraft, MessageRead, ThreadDraft, ThreadRead, Unread

TENANT = owner("tenant_id")
LANDLORD = owner("landlord_id")
PARTICIPANT = owner("thread.tenant_id") | owner("thread.landlord_id")
# Staff read what was reported, for as long as that is undecided, and nothing else.
MODERATING = STAFF & where(reports.is_open(Thread.id))
MODERATING_MESSAGE = STAFF & where(reports.is_open(Message.thread_id))

messages = Resource(
    Message,
    schemas=Schemas(read=MessageRead, create=MessageDraft),
    create=crud.send,
    access=Access(read=PARTICIPANT | MODERATING_MESSAGE, create=signed_in & owner("sender_id") & PARTICIPANT),
    queries=Queries(filters=["thread_id", "sender_id"], sort=["-created_at"]),
    invariants=[unique_while("thread_id", "number", name="imba_message_number")],
    untracked=["text"],
    problems=[crud.ThreadClosed, crud.TooManyMessages, blocking.Blocked],
)

blocked_people = Resource(
    BlockedPerson,
    schemas=Schemas(read=BlockedPersonRead, create=BlockedPersonDraft),
    create=blocking.block,
    access=KEPT,
    queries=Queries(filters=["thread_id", "blocked_id"], sort=["-created_at"]),
    invariants=[unique_while("user_id", "blocked_id", name="imba_blocked_once")],
    owner="user_id",
    untracked=["name"],
)

threads = Resource(
    Thread,
    schemas=Schemas(read=ThreadRead, create=ThreadDraft),
    create=crud.open_thread,
    access=Access(
        read=TENANT | LANDLORD | MODERATING,
        create=signed_in & (TENANT | LANDLORD),
        read_fields={"tenant_unread": TENANT, "landlord_unread": LANDLORD},
    ),
    queries=Queries(
        filters=["property_id", "reservation_id", "closed_at__isnull"], sort=["-last_message_at"], expand=["property"]
    ),
    invariants=[unique_while("property_id", "tenant_id", "reservation_id", nulls_equal=True, name="imba_one_thread")],
    untracked=["tenant_name", "landlord_name", "message_count", "tenant_unread", "landlord_unread", "last_message_at"],
    problems=[crud.ThreadClosed, crud.TooManyMessages, blocking.Blocked, OwnProperty, NotListed],
)
threads.action("reading", crud.mark_read, access=TENANT | LANDLORD, summary="Mark as read, so far")
threads.nested("messages", messages, by="thread_id")

router = Router(prefix="/v1/unread-messages", tags=["threads"])


@router.get("", dependencies=[allow(signed_in)], summary="How much is unread")
async def unread_messages(db: Db, caller: Caller) -> Unread:
    """How many threads have unread messages for the caller, and how many those are."""
    return await crud.unread(db, caller)
