"""Notices, as clients reach them. How many are unread: `GET /v1/notices?unread=true&count=true&limit=1`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement

from freehold import (
    Access,
    Caller,
    Db,
    Filter,
    Queries,
    Resource,
    Router,
    Schemas,
    allow,
    signed_in,
    unique_while,
)
from freehold.fields import stamped

from ..access import KEPT, OWN
from . import crud
from .models import Notice, NoticePreference
from .schemas import NoticeRead, PreferenceChange, PreferenceDraft, PreferenceRead, Reading


def _unread(given: Mapping[str, Any]) -> ColumnElement[bool]:
    return Notice.read_at.is_(None) if given["unread"] else Notice.read_at.is_not(None)


notices = Resource(
    Notice,
    schemas=Schemas(read=NoticeRead),
    access=Access(read=OWN, delete=OWN),
    queries=Queries(
        filters=["kind", Filter(params={"unread": bool}, clause=_unread, description="Not read yet, or read")],
        sort=["-created_at"],
    ),
    invariants=[unique_while("user_id", "once_key", name="imba_told_once")],
)
notices.action("reading", stamped("read_at"), access=OWN, summary="Mark as read")

notice_preferences = Resource(
    NoticePreference,
    schemas=Schemas(read=PreferenceRead, create=PreferenceDraft, update=PreferenceChange),
    create=crud.prefer,
    access=replace(KEPT, update=OWN),
    queries=Queries(filters=["kind"], sort=["-created_at"]),
    invariants=[unique_while("user_id", "kind", name="imba_one_preference")],
    owner="user_id",
)

router = Router(prefix="/v1/notices", tags=["notices"])


@router.post("/reading", dependencies=[allow(signed_in)], summary="Mark all as read")
async def mark_all_read(db: Db, caller: Caller) -> Reading:
    """Mark every notice of the caller as read."""
    return Reading(marked=await crud.mark_all_read(db, caller))
