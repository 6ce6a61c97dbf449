"""An open log-in that has proved more, or anew; or whose proof is none any more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import select, update

from freehold.identity.authentication import Authentication
from freehold.identity.tables import SESSIONS
from freehold.identity.tokens import AccessTokens
from freehold.resource import clock
from freehold.resource.principal import MULTI_FACTOR

if TYPE_CHECKING:
    from freehold.store.session import Session


async def strengthen(
    session: Session,
    tokens: AccessTokens,
    user: Any,
    session_id: UUID,
    *,
    authentication: Authentication,
    scope: frozenset[str] | None,
) -> tuple[str, int] | None:
    """A new access token for an open log-in of `user`, and its seconds. None where it has ended.

    Tokens given before stay as weak as they were, for they may be copied; a refresh gives strong ones.
    """
    open_one = select(SESSIONS).where(
        SESSIONS.c.id == session_id,
        SESSIONS.c.user_id == user.id,
        SESSIONS.c.ended_at.is_(None),
        SESSIONS.c.expires_at > clock.now(),
    )
    row = (await session.execute(open_one.with_for_update())).first()
    if row is None:
        return None
    before = Authentication.stored(row.created_at, row.amr)
    proved = Authentication(before.amr | authentication.amr, authentication.at)
    await session.execute(
        update(SESSIONS).where(SESSIONS.c.id == row.id).values(authenticated_at=proved.at, amr=proved.text)
    )
    return await tokens.issue(
        subject=user.id,
        session_id=row.id,
        roles=user.roles,
        scope=scope,
        not_after=row.expires_at,
        authentication=proved,
    )


async def weaken(session: Session, user_id: UUID) -> None:
    """The account has no second factor any more: no open log-in of it counts as one by two. The user's row is locked.

    Whoever calls it tells of it (`Sessions.tell`), so that tokens given before are judged anew.
    """
    columns = SESSIONS.c
    rows = await session.execute(
        select(columns.id, columns.amr).where(
            columns.user_id == user_id, columns.ended_at.is_(None), columns.amr.contains(MULTI_FACTOR)
        )
    )
    for row in rows.all():
        left = " ".join(sorted(set(row.amr.split()) - {MULTI_FACTOR}))
        await session.execute(update(SESSIONS).where(columns.id == row.id).values(amr=left))
