"""`/v1/auth/api-keys`: make, list, rotate and revoke keys; and the reader of the header that they come in."""

from datetime import datetime, timedelta
from ipaddress import ip_network
from typing import Annotated, Any
from uuid import UUID

from fastapi import Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from sqlalchemy import Row
from starlette.requests import HTTPConnection

from freehold.errors import Forbidden, Unauthenticated
from freehold.identity.api_keys import KeyDraft, NewKey
from freehold.identity.schemas import FullName
from freehold.identity.service import Identity
from freehold.resource.principal import Principal
from freehold.store.session import Session
from freehold.web.execution import caller_address
from freehold.web.identity_parts import PathId, below_auth, guarded, known_id
from freehold.web.own_account import ACCOUNT, FRESH_ACCOUNT
from freehold.web.path_keys import key_in_path
from freehold.web.unit import Caller, Db, Router

HEADER = "X-API-Key"


def _range(text: str) -> str:
    try:
        return str(ip_network(text, strict=False))
    except ValueError:
        raise ValueError("not an address, nor a range such as 203.0.113.0/24") from None


ScopeName = Annotated[str, Field(pattern=r"^[\x21\x23-\x5B\x5D-\x7E]{1,100}$", examples=["orders:read"])]
ScopeNames = Annotated[list[ScopeName], Field(max_length=50)]
RoleName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,63}$", examples=["importer"])]
AddressRange = Annotated[str, Field(max_length=64, examples=["203.0.113.0/24"]), AfterValidator(_range)]


class ApiKeyWrite(BaseModel, extra="forbid"):
    """A key to be made. is_of_service: it belongs to the service and not to you; roles are for such a key alone."""

    name: FullName
    scopes: ScopeNames = Field(default_factory=list)
    expires_in_days: int | None = Field(None, ge=1, le=366)
    address_ranges: list[AddressRange] = Field(default_factory=list, max_length=20)
    is_of_service: bool = False
    roles: list[RoleName] = Field(default_factory=list, max_length=32)


class Rotation(BaseModel, extra="forbid"):
    """How long the old key goes on beside the new one."""

    overlap_hours: int | None = Field(None, ge=0, le=168)


class ApiKeyRead(BaseModel):
    """A key, without what opens anything."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    prefix: str
    name: str
    scopes: list[str]
    roles: list[str]
    address_ranges: list[str]
    is_of_service: bool
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None


class ApiKeyMade(BaseModel):
    """A new key. This is the only time that it is shown."""

    id: UUID
    key: str
    expires_at: datetime


class ApiKeyList(BaseModel):
    """All keys that are good; there is one page."""

    items: list[ApiKeyRead]
    next_cursor: str | None = None


class ApiKeyHeader:
    """The reader of `X-API-Key` (`freehold.web.credentials`). A key anywhere else is no key."""

    source = HEADER

    def __init__(self, identity: Identity) -> None:
        self._identity = identity

    def is_given(self, connection: HTTPConnection) -> bool:
        """See `CredentialReader`."""
        return HEADER in connection.headers

    async def read(self, connection: HTTPConnection) -> Principal:
        """See `CredentialReader`."""
        given = connection.headers.getlist(HEADER)
        if len(given) != 1:
            raise Unauthenticated("Send one API key.", code="auth.invalid_api_key")
        return await self._identity.parts.api_key_reader.authenticate(given[0], address=caller_address(connection))


def api_keys_router(identity: Identity) -> Router:
    """Every operation on keys, below `/v1/auth`."""
    router = below_auth("/api-keys")

    @router.get("", operation_id="list_api_keys", dependencies=guarded(ACCOUNT))
    async def listed(db: Db, caller: Caller, response: Response) -> ApiKeyList:
        """Your keys, and for administrators those of the service."""
        response.headers["Cache-Control"] = "private, no-store"
        keys = identity.parts.api_keys
        rows = await keys.listed(db, known_id(caller))
        rows += await keys.listed(db, None) if _is_admin(identity, caller) else []
        return ApiKeyList(items=[_shown(row) for row in rows])

    @router.post("", operation_id="create_api_key", status_code=201, dependencies=guarded(FRESH_ACCOUNT))
    async def make(db: Db, caller: Caller, draft: ApiKeyWrite, response: Response) -> ApiKeyMade:
        """Make a key. Needs a log-in of the last five minutes; the key is shown this once."""
        if draft.is_of_service and not _is_admin(identity, caller):
            raise Forbidden("Keys of the service are made by administrators.")
        async with db.unscoped("an account's own keys") as everything:
            made = await identity.parts.api_keys.make(everything, _draft(draft), maker=caller)
        return _made(made, response)

    @router.post("/{id}/rotation", operation_id="rotate_api_key", status_code=201, dependencies=guarded(FRESH_ACCOUNT))
    async def rotate(
        key_id: PathId, db: Db, caller: Caller, response: Response, wanted: Rotation | None = None
    ) -> ApiKeyMade:
        """Make a key in place of this one, which goes on for a while (24 hours, unless said otherwise)."""
        hours = None if wanted is None else wanted.overlap_hours
        overlap = None if hours is None else timedelta(hours=hours)
        async with db.unscoped("an account's own keys") as everything:
            owner_id = await _owner(identity, everything, caller, key_in_path(key_id))
            made = await identity.parts.api_keys.rotate(
                everything, key_in_path(key_id), owner_id=owner_id, maker=caller, overlap=overlap
            )
        return _made(made, response)

    @router.delete("/{id}", operation_id="revoke_api_key", status_code=204, dependencies=guarded(ACCOUNT))
    async def revoke(key_id: PathId, db: Db, caller: Caller) -> None:
        """Revoke a key: it is refused from now on."""
        async with db.unscoped("an account's own keys") as everything:
            owner_id = await _owner(identity, everything, caller, key_in_path(key_id))
            await identity.parts.api_keys.revoke(everything, key_in_path(key_id), owner_id=owner_id)

    return router


def _is_admin(identity: Identity, caller: Principal) -> bool:
    return not caller.roles.isdisjoint(identity.admin_roles)


async def _owner(identity: Identity, db: Session, caller: Principal, key_id: UUID) -> UUID | None:
    """Whose key the caller means: their own; of the service (None), where they may and it is one."""
    if _is_admin(identity, caller) and key_id in {row.id for row in await identity.parts.api_keys.listed(db, None)}:
        return None
    return known_id(caller)


def _draft(given: ApiKeyWrite) -> KeyDraft:
    return KeyDraft(
        name=given.name[:100],
        scopes=frozenset(given.scopes),
        lifetime=None if given.expires_in_days is None else timedelta(days=given.expires_in_days),
        address_ranges=given.address_ranges,
        is_of_service=given.is_of_service,
        roles=frozenset(given.roles),
    )


def _made(made: NewKey, response: Response) -> ApiKeyMade:
    response.headers["Cache-Control"] = "no-store"
    return ApiKeyMade(id=made.id, key=made.key, expires_at=made.expires_at)


def _shown(row: Row[Any]) -> ApiKeyRead:
    return ApiKeyRead(
        scopes=row.scopes.split(),
        is_of_service=row.owner_id is None,
        **{name: getattr(row, name) for name in ApiKeyRead.model_fields if name not in ("scopes", "is_of_service")},
    )
