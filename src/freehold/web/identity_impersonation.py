"""`/v1/users/{id}/impersonation`: staff act in somebody's account, where the service lets them."""

from datetime import timedelta

from fastapi import Request, Response
from pydantic import BaseModel, Field

from freehold.errors import FieldError, Invalid
from freehold.identity.impersonation import Impersonation
from freehold.identity.schemas import FullName
from freehold.identity.service import Identity
from freehold.resource.access import recent, role, scope
from freehold.web.identity_parts import PathId, device_of, guarded
from freehold.web.path_keys import key_in_path
from freehold.web.unit import Caller, Db, Router

USUAL_MINUTES = 15


class ImpersonationWrite(BaseModel, extra="forbid"):
    """Why, which the owner is told; and for how long."""

    reason: FullName = Field(examples=["Ticket 4711: the export stops"])
    minutes: int = Field(USUAL_MINUTES, ge=1, le=1440)


class ImpersonationRead(BaseModel):
    """A token that acts in the account. It cannot be refreshed; `/v1/auth/revocation` ends it early."""

    access_token: str
    token_type: str = "Bearer"  # noqa: S105 (its name, not its value)
    expires_in: int


def impersonation_router(identity: Identity, declared: Impersonation) -> Router:
    """The operation, below `/v1`."""
    router = Router(tags=["users"])
    rule = role(*declared.roles) & scope("account") & recent(minutes=5)

    @router.post("/v1/users/{id}/impersonation", operation_id="impersonate_user", dependencies=guarded(rule))
    async def impersonate(
        user_id: PathId, request: Request, db: Db, *, caller: Caller, wanted: ImpersonationWrite, response: Response
    ) -> ImpersonationRead:
        """Act in an account, for a while. Its owner is told, sees it among their log-ins, and can end it."""
        lifetime = timedelta(minutes=wanted.minutes)
        if lifetime > declared.longest:
            said = f"At most {int(declared.longest.total_seconds() // 60)} minutes."
            raise Invalid("That is too long.", errors=[FieldError("impersonation.too_long", said, pointer="/minutes")])
        token, seconds = await identity.parts.impersonations.begin(
            db,
            key_in_path(user_id),
            actor=caller,
            reason=wanted.reason,
            lifetime=lifetime,
            device=device_of(request),
        )
        response.headers["Cache-Control"] = "no-store"
        return ImpersonationRead(access_token=token, expires_in=seconds)

    return router
