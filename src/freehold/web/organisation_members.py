"""`/v1/organisations/{id}/members` and `/invitations`: who is in one, and how others come in."""

# No `from __future__ import annotations`: FastAPI reads the signatures of functions within functions.

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Path, Query, Request, Response
from pydantic import BaseModel, Field

from freehold.identity.emails import Email, email_key
from freehold.identity.organisations import groups, invitations, members
from freehold.identity.organisations.declaration import Organisations
from freehold.identity.service import Identity
from freehold.resource.access import scope, signed_in
from freehold.store.session import Session
from freehold.traffic import per_hour
from freehold.web.identity_parts import PathId, guarded, known_id
from freehold.web.openapi_responses import headers
from freehold.web.path_keys import key_in_path
from freehold.web.unit import Caller, Db, Router, allow

IN_ORGANISATIONS = signed_in & scope("organisations")
MemberId = Annotated[str, Path(alias="user_id")]
RoleName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,63}$", examples=["member"])]
_PAGE = 100


class MemberRead(BaseModel):
    """A member. email: for managers; null for others."""

    user_id: UUID
    full_name: str
    email: str | None
    role: str
    created_at: datetime


class MemberList(BaseModel):
    """A page of members, by user id. next_cursor: the id that the next page comes after."""

    items: list[MemberRead]
    next_cursor: str | None = None


class RoleWrite(BaseModel, extra="forbid"):
    """A role within the organisation."""

    role: RoleName


class InvitationWrite(RoleWrite):
    """Whom to invite, and as what."""

    email: Email


class InvitationMade(BaseModel):
    """An invitation that was mailed."""

    id: UUID
    role: str


class InvitationRead(BaseModel):
    """An invitation that waits for an answer."""

    id: UUID
    email: str
    role: str
    created_at: datetime
    expires_at: datetime


class InvitationList(BaseModel):
    """All that wait; there is one page."""

    items: list[InvitationRead]
    next_cursor: str | None = None


class InvitationToken(BaseModel, extra="forbid"):
    """The token of a mailed link."""

    token: str = Field(max_length=256)


class Joined(BaseModel):
    """Which organisation one is a member of now."""

    organisation_id: UUID


def members_router(identity: Identity, declared: Organisations) -> Router:
    """Look at members, give roles, end memberships."""
    router = Router(prefix="/v1/organisations/{id}/members", tags=["organisations"])

    @router.get("", operation_id="list_members", dependencies=guarded(IN_ORGANISATIONS, may_store=False))
    async def listed(
        organisation_id: PathId, db: Db, caller: Caller, *, cursor: Annotated[UUID | None, Query()] = None
    ) -> MemberList:
        """The members of an organisation of yours."""
        mine = await groups.standing(db, key_in_path(organisation_id), known_id(caller))
        rows = await members.page(db, identity.user, mine.organisation_id, after=cursor, most=_PAGE + 1)
        sees_addresses = mine.role in declared.roles.holding(declared.manager)
        items = [
            MemberRead(**_fields(row, MemberRead, "email"), email=row.email if sees_addresses else None)
            for row in rows[:_PAGE]
        ]
        return MemberList(items=items, next_cursor=str(items[-1].user_id) if len(rows) > _PAGE else None)

    @router.put("/{user_id}", operation_id="set_member_role", status_code=204, dependencies=guarded(IN_ORGANISATIONS))
    async def set_role(organisation_id: PathId, user_id: MemberId, db: Db, caller: Caller, wanted: RoleWrite) -> None:
        """Give a member another role: one that your own comes to."""
        actor = await groups.standing(db, key_in_path(organisation_id), known_id(caller), locks=True)
        await members.set_role(db, declared, actor, key_in_path(user_id), wanted.role)

    @router.delete("/{user_id}", operation_id="remove_member", status_code=204, dependencies=guarded(IN_ORGANISATIONS))
    async def remove(organisation_id: PathId, user_id: MemberId, db: Db, caller: Caller) -> None:
        """Leave, or, as a manager, end another's membership."""
        actor = await groups.standing(db, key_in_path(organisation_id), known_id(caller), locks=True)
        await members.remove(db, declared, actor, known_id(caller), key_in_path(user_id))

    return router


def invitations_router(identity: Identity, declared: Organisations) -> Router:
    """Invite by mail, take invitations back, accept one."""
    router = Router(tags=["organisations"])
    here = "/v1/organisations/{id}/invitations"

    async def manager(db: Session, organisation_id: str, caller: Caller) -> groups.Standing:
        found = await groups.standing(db, key_in_path(organisation_id), known_id(caller), locks=db.unit is not None)
        declared.require(found.role, declared.manager)
        return found

    @router.get(here, operation_id="list_invitations", dependencies=guarded(IN_ORGANISATIONS, may_store=False))
    async def pending(organisation_id: PathId, db: Db, caller: Caller) -> InvitationList:
        """The invitations that wait for an answer; for managers."""
        rows = await invitations.pending(db, (await manager(db, organisation_id, caller)).organisation_id)
        return InvitationList(items=[InvitationRead(**_fields(row, InvitationRead)) for row in rows])

    @router.post(
        here,
        operation_id="create_invitation",
        status_code=201,
        responses={201: {"headers": headers("Location")}},
        dependencies=[allow(IN_ORGANISATIONS, quota=per_hour(100)), *guarded(IN_ORGANISATIONS)[1:]],
    )
    async def invite(
        organisation_id: PathId, response: Response, db: Db, caller: Caller, wanted: InvitationWrite
    ) -> InvitationMade:
        """Mail an invitation. The answer is the same whether the address has an account or not."""
        actor = await manager(db, organisation_id, caller)
        await identity.parts.throttle.admit_letter("invitation", recipient=email_key(wanted.email))
        invitation_id = await invitations.invite(
            db, declared, identity.parts.notices, user=identity.user, actor=actor, actor_id=known_id(caller),
            email=wanted.email, role=wanted.role,
        )  # fmt: skip
        response.headers["Location"] = f"/v1/organisations/{actor.organisation_id}/invitations/{invitation_id}"
        return InvitationMade(id=invitation_id, role=wanted.role)

    @router.delete(
        here + "/{invitation_id}",
        operation_id="revoke_invitation",
        status_code=204,
        dependencies=guarded(IN_ORGANISATIONS),
    )
    async def revoke(organisation_id: PathId, invitation_id: Annotated[str, Path()], db: Db, caller: Caller) -> None:
        """Take an invitation back; its link is dead."""
        actor = await manager(db, organisation_id, caller)
        await invitations.revoke(db, actor.organisation_id, key_in_path(invitation_id))

    @router.post(
        "/v1/invitations/confirmation",
        operation_id="accept_invitation",
        dependencies=[allow(IN_ORGANISATIONS, quota=per_hour(60)), *guarded(IN_ORGANISATIONS)[1:]],
    )
    async def accept(request: Request, db: Db, caller: Caller, link: InvitationToken) -> Joined:
        """Become a member by the token of the link that your address was mailed."""
        async with db.unscoped("an invitation names its organisation") as everything:
            user = await identity.parts.accounts.get(everything, known_id(caller), lock=True)
            found = await invitations.accept(everything, user, link.token)
        return Joined(organisation_id=found)

    return router


def _fields(row: Any, model: type[BaseModel], *left_out: str) -> dict[str, Any]:
    return {name: getattr(row, name) for name in model.model_fields if name not in left_out}
