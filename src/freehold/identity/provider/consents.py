"""What people have allowed (O07): asked for once for a set of scopes, again when it grows; withdrawn at any time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import delete, select

from freehold.identity.provider.tables import CLIENTS, CONSENTS, GRANTS
from freehold.identity.tables import SESSIONS
from freehold.resource import clock
from freehold.store.audit import record
from freehold.store.upserts import put

if TYPE_CHECKING:
    from collections.abc import Iterable

    from freehold.identity.provider.families import Families
    from freehold.store.session import Session


async def given(session: Session, user_id: UUID, client_id: UUID) -> frozenset[str]:
    """The scopes that the user has allowed the client."""
    columns = CONSENTS.c
    query = select(columns.scope).where(columns.user_id == user_id, columns.client_id == client_id)
    text = (await session.execute(query)).scalar_one_or_none()
    return frozenset((text or "").split())


async def give(session: Session, user_id: UUID, client_id: UUID, scope: Iterable[str]) -> None:
    """Remember what was allowed, beside what was before."""
    wanted = await given(session, user_id, client_id) | set(scope)
    values = {"scope": " ".join(sorted(wanted)), "given_at": clock.now()}
    await put(session, CONSENTS, {"user_id": user_id, "client_id": client_id}, values)
    told = {"client_id": str(client_id), "scope": sorted(scope)}
    await record(session, "consent.given", subject_type="user", subject_id=user_id, after=told)


async def listed(session: Session, user_id: UUID) -> list[Any]:
    """What a user has allowed, with the names of the clients."""
    query = select(CONSENTS, CLIENTS.c.name).join(CLIENTS, CLIENTS.c.id == CONSENTS.c.client_id)
    return list(await session.execute(query.where(CONSENTS.c.user_id == user_id).order_by(CLIENTS.c.name)))


async def withdraw(session: Session, families: Families, user_id: UUID, client_id: UUID) -> bool:
    """Forget the consent and end everything that the client holds of the user. Whether there was any."""
    columns = CONSENTS.c
    mine = (columns.user_id == user_id, columns.client_id == client_id)
    gone = await session.execute(delete(CONSENTS).where(*mine).returning(columns.client_id))
    held = select(GRANTS.c.session_id).join(SESSIONS, SESSIONS.c.id == GRANTS.c.session_id)
    held = held.where(GRANTS.c.client_id == client_id, SESSIONS.c.user_id == user_id, SESSIONS.c.ended_at.is_(None))
    session_ids = (await session.execute(held)).scalars().all()
    for session_id in session_ids:
        await families.end(session, session_id, by="consent")
    found = gone.first() is not None or bool(session_ids)
    if found:
        told = {"client_id": str(client_id)}
        await record(session, "consent.withdrawn", subject_type="user", subject_id=user_id, after=told)
    return found


async def forget(session: Session, user_id: UUID) -> None:
    """Remove every trace: the user leaves."""
    await session.execute(delete(CONSENTS).where(CONSENTS.c.user_id == user_id))
