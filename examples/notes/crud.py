from freehold import Conflict, Principal, Session

from .models import Note


async def finish(db: Session, actor: Principal, note: Note) -> Note:
    """Mark a note as done."""
    if note.is_done:
        raise Conflict("It is done already.", code="notes.done")
    note.is_done = True
    return note
