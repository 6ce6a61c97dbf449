"""Looking at the log-ins of a user."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, exists, select

from freehold.identity.tables import BROWSER_SESSIONS, IMPERSONATIONS, SESSIONS
from freehold.resource import clock
from freehold.traffic.limits import address_key

if TYPE_CHECKING:
    from freehold.store.session import Session


async def listed(session: Session, user_id: UUID, *, browser_idle: timedelta) -> list[Row[Any]]:
    """The open log-ins, the newest use first; `is_browser` of those by cookie, which are over after `browser_idle`.

    `is_by_staff` of those in which staff act.
    """
    now, by_cookie = clock.now(), BROWSER_SESSIONS.c.session_id.is_not(None)
    by_staff = IMPERSONATIONS.c.session_id.is_not(None)
    found = await session.execute(
        select(SESSIONS, by_cookie.label("is_browser"), by_staff.label("is_by_staff"))
        .outerjoin(BROWSER_SESSIONS, BROWSER_SESSIONS.c.session_id == SESSIONS.c.id)
        .outerjoin(IMPERSONATIONS, IMPERSONATIONS.c.session_id == SESSIONS.c.id)
        .where(SESSIONS.c.user_id == user_id, SESSIONS.c.ended_at.is_(None), SESSIONS.c.expires_at > now)
        .where(~by_cookie | (SESSIONS.c.last_used_at > now - browser_idle))
        .order_by(SESSIONS.c.last_used_at.desc())
    )
    return list(found.all())


def is_known_address(user_id: ColumnElement[UUID], address: str, *, within: timedelta) -> ColumnElement[bool]:
    """Whether the user has logged in from this address (or its /64) lately."""
    columns = SESSIONS.c
    return exists().where(
        columns.user_id == user_id,
        columns.address_key == address_key(address),
        columns.created_at > clock.now() - within,
    )
