"""`/v1/auth/sessions`: one's own log-ins, by token and by cookie, listed and ended; never what they are used by (C06)."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from fastapi import Response
from pydantic import BaseModel

from freehold.errors import NotFound
from freehold.identity.devices import device_name
from freehold.identity.locations import UNKNOWN, Location, locations_of
from freehold.identity.service import Identity
from freehold.resource.principal import Principal
from freehold.web.identity_parts import PathId, below_auth, guarded, known_id
from freehold.web.own_account import ACCOUNT
from freehold.web.path_keys import key_in_path
from freehold.web.unit import Caller, Db, Router


class SessionRead(BaseModel):
    """A log-in, without anything that could be used as one.

    device: what the client's User-Agent says, in short. place: of its address, or `unknown`. kind: by a cookie, or by tokens. is_by_staff: staff act in the account.
    """

    id: UUID
    kind: Literal["browser", "token"]
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    address: str
    user_agent: str
    device: str
    place: str
    is_current: bool
    is_by_staff: bool


class SessionList(BaseModel):
    """All open log-ins; there is one page."""

    items: list[SessionRead]
    next_cursor: str | None = None


def sessions_router(identity: Identity) -> Router:
    """The log-ins of the caller, below `/v1/auth`."""
    router = below_auth("/sessions")

    @router.get("", operation_id="list_sessions", dependencies=guarded(ACCOUNT))
    async def listed(db: Db, caller: Caller, response: Response) -> SessionList:
        """Your open log-ins."""
        response.headers["Cache-Control"] = "private, no-store"
        rows = await identity.parts.sessions.listed(db, known_id(caller))
        known = locations_of(identity.parts.database)
        return SessionList(items=[_shown(row, caller, known.find(row.address)) for row in rows])

    @router.delete("", operation_id="end_sessions", status_code=204, dependencies=guarded(ACCOUNT))
    async def end_all(db: Db, caller: Caller) -> None:
        """Log out everywhere, here too."""
        await identity.parts.sessions.end_all(db, known_id(caller), by="logout")

    @router.delete("/{id}", operation_id="end_session", status_code=204, dependencies=guarded(ACCOUNT))
    async def end(session_id: PathId, db: Db, caller: Caller) -> None:
        """Log out one device."""
        mine = {row.id for row in await identity.parts.sessions.listed(db, known_id(caller))}
        wanted = key_in_path(session_id)
        if wanted not in mine or not await identity.parts.sessions.end(db, wanted, by="logout"):
            raise NotFound

    return router


def _shown(row: Any, caller: Principal, place: Location | None) -> SessionRead:
    return SessionRead(
        id=row.id,
        kind="browser" if row.is_browser else "token",
        created_at=row.created_at,
        last_used_at=row.last_used_at,
        expires_at=row.expires_at,
        address=row.address,
        user_agent=row.user_agent,
        device=device_name(row.user_agent),
        place=UNKNOWN if place is None else place.name(),
        is_current=row.id == caller.session_id,
        is_by_staff=row.is_by_staff,
    )
