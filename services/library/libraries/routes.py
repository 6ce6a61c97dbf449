"""Libraries and their closed days, as clients reach them."""

from __future__ import annotations

from freehold import Access, Queries, Resource, Schemas, anyone, role, unique_while

from .models import ClosedDay, Library
from .schemas import ClosedDayDraft, ClosedDayRead, LibraryDraft, LibraryRead

STAFF = role("librarian")

libraries = Resource(
    Library,
    schemas=Schemas(read=LibraryRead, create=LibraryDraft),
    access=Access(read=anyone, create=STAFF, update=STAFF),
    queries=Queries(filters=["name__contains"], sort=["name", "-created_at"]),
)
closed_days = Resource(
    ClosedDay,
    schemas=Schemas(read=ClosedDayRead, create=ClosedDayDraft),
    access=Access(read=anyone, create=STAFF, delete=STAFF),
    queries=Queries(filters=["library_id", "day__gte", "day__lte"], sort=["day"]),
    invariants=[unique_while("library_id", "day", name="library_closed_once", code="library.closed_already")],
)
libraries.nested("closed-days", closed_days, by="library_id")
