"""Pushed authorization requests (RFC 9126): sent by the client itself, used once, within 90 seconds (O12)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import delete, insert

from freehold.identity.provider.tables import PUSHED
from freehold.identity.sealing import new_token, token_hash
from freehold.resource import clock

if TYPE_CHECKING:
    from freehold.store.session import Session

PREFIX = "urn:ietf:params:oauth:request_uri:"
LIFETIME = timedelta(seconds=90)


async def push(session: Session, client_id: UUID, parameters: Mapping[str, str]) -> str:
    """Keep a request; its `request_uri`."""
    uri = new_token(PREFIX)
    values = {"uri_hash": token_hash(uri), "client_id": client_id, "parameters": dict(parameters)}
    await session.execute(insert(PUSHED).values(expires_at=clock.now() + LIFETIME, **values))
    return uri


async def take(session: Session, uri: str, client_id: UUID) -> dict[str, str] | None:
    """The request, which is used up: of many who try at once, one gets it. Another client's stays."""
    columns = PUSHED.c
    mine = (columns.uri_hash == token_hash(uri), columns.client_id == client_id, columns.expires_at > clock.now())
    taken = await session.execute(delete(PUSHED).where(*mine).returning(columns.parameters))
    found: dict[str, str] | None = taken.scalar_one_or_none()
    return found


async def sweep(session: Session) -> None:
    """Remove what nobody came for."""
    await session.execute(delete(PUSHED).where(PUSHED.c.expires_at < clock.now()))
