"""Keeping a search, checked by the parser of the list itself; and stopping its mails."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import delete, select

from freehold import Invalid, NotFound, Principal, Session
from freehold.errors import FieldError
from freehold.fields import now

from ..properties import searching
from ..users import crud as users
from . import stopping
from .models import SavedSearch, SearchAlert
from .schemas import SearchChange, SearchDraft, SearchRead

# What belongs to one look at the list, and not to what is looked for.
PAGING = frozenset({"cursor", "limit", "count", "expand", "facets"})


async def save(db: Session, actor: Principal, draft: SearchDraft) -> SavedSearch:
    """Keep a search. Raises Invalid for a query that the list would refuse."""
    assert actor.id is not None
    check(db, actor, draft.query)
    await users.take_turns(db, actor.id)
    return SavedSearch(user_id=actor.id, alerts_since=now(), checked_at=now(), **draft.model_dump())


async def change(db: Session, actor: Principal, search: SavedSearch, changes: SearchChange) -> None:
    """Change it. What is listed already is news to nobody."""
    given = changes.model_dump(exclude_unset=True)
    if "query" in given:
        check(db, actor, given["query"])
    if given.get("query", search.query) != search.query or (given.get("alerts") and not search.alerts):
        search.alerts_since = now()
    for name, value in given.items():
        setattr(search, name, value)


async def remove(db: Session, actor: Principal, search: SavedSearch) -> None:
    """Forget a search, and what it has told."""
    search_id = search.id
    async with db.unscoped("what a search has told goes with it") as system_db:
        await system_db.execute(delete(SearchAlert).where(SearchAlert.search_id == search_id))
    await db.delete(search)


async def stop(db: Session, token: str) -> None:
    """End the mails that hold this token. Without effect where they have ended. Raises NotFound for one never given."""
    search_id = stopping.opened(db, token)
    async with db.unscoped("whoever has the mail may stop those that follow it") as system_db:
        search = await system_db.get(SavedSearch, search_id, with_for_update=True)
        if search is None:
            raise NotFound
        search.alerts = False


def check(db: Session, actor: Principal, query: str) -> None:
    """Raise Invalid where the list of properties would refuse the query, or it asks for a page of it."""
    try:
        asked = searching.check(db, query, seen_by=actor)
    except Invalid as refused:
        raise Invalid(
            "The list of properties does not take this query.",
            errors=[
                FieldError(each.code, f"{each.parameter}: {each.message}", pointer="/query") for each in refused.errors
            ],
        ) from None
    paging = sorted(PAGING & asked)
    if paging:
        wrong = FieldError("paging", f"leave out {', '.join(paging)}: a search has no pages", pointer="/query")
        raise Invalid("A saved search has no pages.", errors=[wrong])


async def held_about(db: Session, user_id: UUID) -> list[dict[str, Any]]:
    """The person's searches, for an export. For a session in system scope."""
    mine = select(SavedSearch).where(SavedSearch.user_id == user_id).order_by(SavedSearch.id)
    return [SearchRead.model_validate(row).model_dump(mode="json") for row in await db.scalars(mine)]


async def erase(db: Session, user_id: UUID) -> None:
    """Remove them. For a session in system scope."""
    mine = select(SavedSearch.id).where(SavedSearch.user_id == user_id)
    await db.execute(delete(SearchAlert).where(SearchAlert.search_id.in_(mine)))
    await db.execute(delete(SavedSearch).where(SavedSearch.user_id == user_id))
