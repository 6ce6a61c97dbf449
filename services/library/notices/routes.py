"""Notices, as their patrons reach them. Unread: `GET /v1/notices?read_at__isnull=true`."""

from __future__ import annotations

from freehold import Access, Queries, Resource, Schemas, owner, unique_while
from freehold.fields import stamped

from .models import Notice
from .schemas import NoticeRead

OWN = owner("patron_id")

notices = Resource(
    Notice,
    schemas=Schemas(read=NoticeRead),
    access=Access(read=OWN, delete=OWN),
    queries=Queries(filters=["kind", "read_at__isnull"], sort=["-created_at"]),
    invariants=[unique_while("patron_id", "once_key", name="library_told_once")],
)
notices.action("reading", stamped("read_at"), access=OWN, summary="Mark as read")
