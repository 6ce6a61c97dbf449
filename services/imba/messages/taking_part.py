"""Which thread is meant by somebody who names one, and whether they take part in it."""

from __future__ import annotations

from uuid import UUID

from freehold import Invalid, Principal, Session
from freehold.errors import FieldError

from .models import Thread


async def own_thread(db: Session, actor: Principal, thread_id: UUID) -> Thread:
    """The thread. Raises Invalid where the caller takes no part in it, though staff may read it, or there is none."""
    thread = await db.get(Thread, thread_id)
    if thread is None or actor.id not in (thread.tenant_id, thread.landlord_id):
        raise unknown_thread()
    return thread


def unknown_thread() -> Invalid:
    """The same refusal for a thread that is not there and one that the caller takes no part in."""
    unknown = FieldError("unknown_reference", "There is no such row", pointer="/thread_id")
    return Invalid("There is no such thread.", errors=[unknown])
