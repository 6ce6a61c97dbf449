"""Patrons, as clients reach them."""

from __future__ import annotations

from freehold import Access, Principal, Queries, Resource, Schemas, Session, owner, role
from freehold.fields import partial

from ..fields import sent
from ..loans import remembering
from . import crud
from .models import Patron
from .schemas import HistoryChoice, PatronChange, PatronDraft, PatronRead

OWN = owner("id")
STAFF = role("librarian")


async def issue(db: Session, actor: Principal, draft: PatronDraft) -> Patron:
    """Give an account a card."""
    async with db.unscoped("accounts are read by themselves alone") as system_db:
        return await crud.issue(system_db, draft.user_id, draft.category)


async def change(db: Session, actor: Principal, patron: Patron, changes: PatronChange) -> Patron:
    """Change the category, the end of the card, or its blocks."""
    for name, value in sent(changes).items():
        setattr(patron, name, value)
    return patron


async def choose_history(db: Session, actor: Principal, patron: Patron, body: HistoryChoice) -> Patron:
    """Have the reading history kept, or not any more: then it is forgotten in this commit."""
    patron.keeps_history = body.keep
    if not body.keep:
        async with db.unscoped("a patron's own history") as system_db:
            await remembering.forget_of(system_db, patron.id)
    return patron


patrons = Resource(
    Patron,
    schemas=Schemas(read=PatronRead, create=PatronDraft, update=partial(PatronChange)),
    create=issue,
    update=change,
    access=Access(read=OWN | STAFF, create=STAFF, update=STAFF),
    queries=Queries(filters=["card_number", "category", "expires_on__lt"], sort=["-created_at"]),
    problems=[crud.NoCard],
)
patrons.action(
    "reading-history", choose_history, method="PUT", access=OWN, summary="Whether one's reading history is kept"
)
