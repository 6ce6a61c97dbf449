"""Mails about what is new. Each listing is told to the owner of a search once."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import insert, select

from freehold import Invalid, Session, schedule
from freehold.fields import now
from freehold.wording import Paragraphs, Phrase, paragraphs, phrase

from ..notices import crud as notices
from ..properties import searching
from . import stopping
from .models import SavedSearch, SearchAlert

BATCH = 200
MOST_TOLD = 20
# A publication is dated when it happens and seen when it commits: one this much older than the last look may be new.
LATENESS = timedelta(minutes=2)


@schedule("imba.search_alerts", every=timedelta(minutes=1))
async def search_alerts(db: Session) -> None:
    """Look through up to 200 saved searches, those first that have waited longest; none where nothing is new."""
    newest = await searching.last_listed_at(db)
    if newest is None:
        return
    due = select(SavedSearch).where(SavedSearch.alerts.is_(True), SavedSearch.checked_at <= newest + LATENESS)
    locked = due.order_by(SavedSearch.checked_at).limit(BATCH).with_for_update(skip_locked=True)
    for search in list(await db.scalars(locked, execution_options={"populate_existing": True})):
        since = max(search.checked_at - LATENESS, search.alerts_since)
        await _look(db, search, since)


async def _look(db: Session, search: SavedSearch, since: datetime) -> None:
    looked_at = now()
    told = select(SearchAlert.property_id).where(SearchAlert.search_id == search.id)
    try:
        found = await searching.news(db, search.query, reader_id=search.user_id, since=since, told=told, limit=BATCH)
    except Invalid:  # kept under an older version of the list
        search.alerts = False
        unread = phrase('Your search "{name}" cannot be read any more', name=search.name)
        await _tell(db, search, unread, phrase("Please save it anew."))
        return
    if len(found) < BATCH:  # otherwise there is more, which the next turn finds
        search.checked_at = looked_at
    if not found:
        return
    await db.execute(insert(SearchAlert), [{"search_id": search.id, "property_id": key} for key, _ in found])
    lines = "\n".join(f"- {title}" for _, title in found[:MOST_TOLD])
    more = [phrase("and {count} more", count=len(found) - MOST_TOLD)] if len(found) > MOST_TOLD else []
    subject = (
        phrase('A new listing for "{name}"', name=search.name)
        if len(found) == 1
        else phrase('{count} new listings for "{name}"', count=len(found), name=search.name)
    )
    await _tell(db, search, subject, paragraphs(lines, *more))


async def _tell(db: Session, search: SavedSearch, subject: Phrase, text: Phrase | Paragraphs) -> None:
    await notices.notify(
        db,
        search.user_id,
        kind="alert",
        subject=subject,
        text=text,
        link=f"/v1/saved-searches/{search.id}",
        stop=stopping.address(db, search.id),
    )
