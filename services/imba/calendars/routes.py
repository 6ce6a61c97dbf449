"""Imported calendars, as their landlord reaches them, and the secret address under which other sites read ours."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Request, Response

from freehold import Access, Db, Queries, Resource, Router, Schemas, allow, anyone
from freehold.web import document_response

from ..access import MANAGER, MANAGING
from . import crud, feed
from .models import Calendar
from .schemas import CalendarDraft, CalendarRead

calendars = Resource(
    Calendar,
    schemas=Schemas(read=CalendarRead, create=CalendarDraft),
    prepare=crud.require_public,
    create=crud.add,
    delete=crud.remove,
    access=Access(read=MANAGER, create=MANAGING & MANAGER, delete=MANAGER),
    queries=Queries(filters=["property_id"], sort=["-created_at"]),
)
calendars.action("sync", crud.sync, access=MANAGER, status=202, summary="Import it once more")

router = Router(prefix="/v1/calendar-feeds", tags=["calendars"])


@router.get("/{token}.ics", dependencies=[allow(anyone)], summary="When a property is taken, by its secret address")
async def secret_calendar(token: Annotated[str, Path(max_length=60)], request: Request, db: Db) -> Response:
    """The iCalendar of a property for the other sites that it is offered on."""
    return document_response(request, await feed.secret_calendar(db, token))
