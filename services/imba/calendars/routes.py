"""Imported calendars, as their landlord reaches them."""

from __future__ import annotations

from freehold import Access, Queries, Resource, Schemas, owner, role

from . import crud
from .models import Calendar
from .schemas import CalendarDraft, CalendarRead

LANDLORD = owner("property.landlord_id")

calendars = Resource(
    Calendar,
    schemas=Schemas(read=CalendarRead, create=CalendarDraft),
    create=crud.add,
    delete=crud.remove,
    access=Access(read=LANDLORD, create=role("landlord") & LANDLORD, delete=LANDLORD),
    queries=Queries(filters=["property_id"], sort=["-created_at"]),
)
calendars.action("sync", crud.sync, access=LANDLORD, status=202, summary="Import it once more")
