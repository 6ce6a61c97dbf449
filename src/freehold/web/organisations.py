"""`/v1/organisations`: found, look at, rename, close; members and invitations stand in `organisation_members`."""

# No `from __future__ import annotations`: FastAPI reads the signatures of functions within functions.

from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import Request, Response
from pydantic import BaseModel

from freehold.identity.organisations import groups
from freehold.identity.organisations.declaration import Organisations
from freehold.identity.schemas import FullName
from freehold.identity.service import Identity
from freehold.store.session import Session
from freehold.traffic import per_hour
from freehold.web.identity_parts import PathId, guarded, known_id
from freehold.web.openapi_responses import headers
from freehold.web.organisation_members import IN_ORGANISATIONS, invitations_router, members_router
from freehold.web.path_keys import key_in_path
from freehold.web.unit import Caller, Db, Router, allow, gathered


class OrganisationWrite(BaseModel, extra="forbid"):
    """What it is called."""

    name: FullName


class OrganisationRead(BaseModel):
    """An organisation of yours. role: yours in it."""

    id: UUID
    name: str
    role: str


class OrganisationItem(OrganisationRead):
    """One of a list."""

    created_at: datetime


class OrganisationList(BaseModel):
    """All of yours; there is one page."""

    items: list[OrganisationItem]
    next_cursor: str | None = None


def organisations_router(identity: Identity, declared: Organisations) -> Router:
    """Every operation of organisations. Whoever is not in one learns nothing of it: 404."""
    own = (_own(declared), _one(declared))
    return gathered([*own, members_router(identity, declared), invitations_router(identity, declared)])


def _own(declared: Organisations) -> Router:
    router = Router(prefix="/v1/organisations", tags=["organisations"])
    founders = declared.founding & IN_ORGANISATIONS

    @router.get("", operation_id="list_organisations", dependencies=guarded(IN_ORGANISATIONS))
    async def listed(db: Db, caller: Caller) -> OrganisationList:
        """The organisations that you are a member of."""
        rows = await groups.listed(db, known_id(caller))
        return OrganisationList(items=[OrganisationItem.model_validate(row, from_attributes=True) for row in rows])

    @router.post(
        "",
        operation_id="create_organisation",
        status_code=201,
        response_model=OrganisationRead,
        responses={201: {"headers": headers("Location")}},
        dependencies=[allow(founders, quota=per_hour(20)), *guarded(founders)[1:]],
    )
    async def found(request: Request, response: Response, db: Db, caller: Caller, draft: OrganisationWrite) -> Any:
        """Found one; you are its owner."""
        organisation_id = await groups.found(db, declared, name=draft.name, founder_id=known_id(caller))
        response.headers["Location"] = f"/v1/organisations/{organisation_id}"
        return OrganisationRead(id=organisation_id, name=draft.name, role=declared.owner)

    return router


def _one(declared: Organisations) -> Router:
    router = Router(prefix="/v1/organisations/{id}", tags=["organisations"])

    @router.get("", operation_id="get_organisation", dependencies=guarded(IN_ORGANISATIONS))
    async def read(organisation_id: PathId, db: Db, caller: Caller) -> OrganisationRead:
        """An organisation of yours."""
        return _shown(await place(db, organisation_id, caller.id))

    @router.patch("", operation_id="update_organisation", dependencies=guarded(IN_ORGANISATIONS))
    async def change(organisation_id: PathId, db: Db, caller: Caller, changes: OrganisationWrite) -> OrganisationRead:
        """Rename it; for its managers."""
        found = await place(db, organisation_id, caller.id, lock=True)
        declared.require(found.role, declared.manager)
        await groups.rename(db, found.organisation_id, changes.name)
        return OrganisationRead(id=found.organisation_id, name=changes.name, role=found.role)

    @router.delete("", operation_id="delete_organisation", status_code=204, dependencies=guarded(IN_ORGANISATIONS))
    async def close(organisation_id: PathId, db: Db, caller: Caller) -> None:
        """Close it; for its owners. Nobody is a member any more. This cannot be undone."""
        found = await place(db, organisation_id, caller.id, lock=True)
        declared.require(found.role, declared.owner)
        await groups.close(db, found.organisation_id)

    return router


async def place(db: Session, organisation_id: str, user_id: Any, *, lock: bool = False) -> groups.Standing:
    """The caller's place in the organisation of a path. Raises NotFound."""
    return await groups.standing(db, key_in_path(organisation_id), user_id, locks=lock)


def _shown(found: groups.Standing) -> OrganisationRead:
    return OrganisationRead(id=found.organisation_id, name=found.name, role=found.role)
