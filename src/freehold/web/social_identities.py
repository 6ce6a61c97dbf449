"""`/v1/auth/identities`: the identities at other providers that one can log in by; link one, take one away."""

# No `from __future__ import annotations`: FastAPI reads the signatures of functions within functions.

from datetime import datetime
from uuid import UUID

from fastapi import Request, Response
from pydantic import BaseModel, Field

from freehold.errors import NotFound
from freehold.identity.social import linked
from freehold.identity.social.attempts import Wish
from freehold.identity.social.logins import SocialLogins
from freehold.resource.principal import Principal
from freehold.web.identity_parts import OwnUnitRoute, PathId, below_auth, guarded, known_id
from freehold.web.own_account import ACCOUNT, FRESH_ACCOUNT
from freehold.web.path_keys import key_in_path
from freehold.web.social import AttemptRead, begun_answer
from freehold.web.unit import Caller, Db, Router, gathered


class LinkWrite(BaseModel, extra="forbid"):
    """The provider to link, and where to go afterwards: a path on this site."""

    provider: str = Field(max_length=64, examples=["google"])
    return_to: str = Field(default="/", max_length=2_000)


class IdentityRead(BaseModel):
    """An identity that one can log in by. email: as the provider said it when it was linked."""

    id: UUID
    provider: str
    email: str | None
    created_at: datetime
    last_used_at: datetime | None


class IdentityList(BaseModel):
    """All of yours; there is one page."""

    items: list[IdentityRead]
    next_cursor: str | None = None


def identities_router(social: SocialLogins) -> Router:
    """Every operation, below `/v1/auth`."""
    router = below_auth("/identities")
    starts = below_auth("/identities", route_class=OwnUnitRoute)

    @router.get("", operation_id="list_identities", dependencies=guarded(ACCOUNT))
    async def listed(db: Db, caller: Caller, response: Response) -> IdentityList:
        """The identities at other providers that you can log in by."""
        response.headers["Cache-Control"] = "private, no-store"
        rows = await linked.listed(db, known_id(caller))
        return IdentityList(items=[IdentityRead.model_validate(row, from_attributes=True) for row in rows])

    @starts.post("", operation_id="link_identity", response_model=AttemptRead, dependencies=guarded(FRESH_ACCOUNT))
    async def link(request: Request, caller: Caller, wanted: LinkWrite) -> Response:
        """Begin to link one: send the browser to `url`. Needs a log-in of the last five minutes."""
        _require_log_in(caller)
        wish = Wish(wanted.return_to, user_id=known_id(caller), session_id=caller.session_id)
        return begun_answer(await social.begin(wanted.provider, wish))

    @router.delete("/{id}", operation_id="unlink_identity", status_code=204, dependencies=guarded(FRESH_ACCOUNT))
    async def unlink(identity_id: PathId, db: Db, caller: Caller) -> None:
        """Take one away. The last way in stays; needs a log-in of the last five minutes."""
        await social.unlink(db, known_id(caller), key_in_path(identity_id))

    return gathered([router, starts])


def _require_log_in(caller: Principal) -> None:
    if caller.session_id is None:
        raise NotFound
