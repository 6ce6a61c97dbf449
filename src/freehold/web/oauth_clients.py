"""`/v1/oauth`: clients, for those who administer the service; consents, for whoever gave them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import Response
from pydantic import BaseModel, Field

from freehold.errors import NotFound
from freehold.identity.provider import Client, Draft, consents
from freehold.identity.provider.clients import CODE, REFRESH
from freehold.identity.service import Identity
from freehold.resource.access import recent, role, scope, signed_in
from freehold.web.identity_parts import PathId, guarded, known_id
from freehold.web.oauth_wire import provider_of
from freehold.web.path_keys import key_in_path
from freehold.web.unit import Caller, Db, Router


class ClientCreate(BaseModel, extra="forbid"):
    """A client to register. jwks: its public keys, where it proves itself by `private_key_jwt` and has no secret."""

    name: str = Field(min_length=1, max_length=200, examples=["Holiday planner"])
    is_public: bool = False
    redirect_uris: list[str] = Field(default=[], max_length=20, examples=[["https://planner.example/callback"]])
    post_logout_redirect_uris: list[str] = Field(default=[], max_length=20)
    back_channel_logout_uri: str | None = Field(default=None, max_length=2000)
    scopes: list[str] = Field(default=[], max_length=100, examples=[["openid", "profile"]])
    grants: list[str] = Field(default=[CODE, REFRESH], max_length=10)
    account_id: UUID | None = None
    jwks: dict[str, Any] | None = None
    requires_pushed: bool = False
    requires_proof: bool = False
    introspects_all: bool = False


class ClientRead(BaseModel):
    """A client, without what it proves itself by."""

    id: UUID
    name: str
    is_public: bool
    redirect_uris: list[str]
    post_logout_redirect_uris: list[str]
    back_channel_logout_uri: str | None
    scopes: list[str]
    grants: list[str]
    account_id: UUID | None
    requires_pushed: bool
    requires_proof: bool
    introspects_all: bool
    created_at: datetime


class ClientMade(ClientRead):
    """A client that was just registered, with its secret, which is shown this once."""

    client_secret: str | None


class ClientList(BaseModel):
    """All clients; there is one page."""

    items: list[ClientRead]
    next_cursor: str | None = None


class SecretMade(BaseModel):
    """A secret, which is shown this once."""

    client_secret: str


class ConsentRead(BaseModel):
    """What you have allowed an application."""

    client_id: UUID
    client_name: str
    scopes: list[str]
    given_at: datetime


class ConsentList(BaseModel):
    """All of them; there is one page."""

    items: list[ConsentRead]
    next_cursor: str | None = None


def clients_router(identity: Identity) -> Router:
    """The clients of the service."""
    router = Router(prefix="/v1/oauth/clients", tags=["oauth"])
    rule = role(*identity.admin_roles) & scope("account")
    reader = guarded(rule, may_store=False)
    # Z11; and a secret outlives the log-in that makes it: a stolen access token must not be enough for one.
    fresh_admin = guarded(rule & recent(minutes=5))

    @router.get("", operation_id="list_oauth_clients", dependencies=reader)
    async def listed(db: Db) -> ClientList:
        """Every registered client."""
        async with db.unscoped("the rule of the operation has allowed it") as everything:
            found = await provider_of(identity).clients.listed(everything)
        return ClientList(items=[_shown(each) for each in found])

    @router.post("", operation_id="create_oauth_client", status_code=201, dependencies=fresh_admin)
    async def create(db: Db, wanted: ClientCreate, response: Response) -> ClientMade:
        """Register a client. Its secret is in this answer and nowhere else."""
        async with db.unscoped("the rule of the operation has allowed it") as everything:
            client, secret = await provider_of(identity).clients.add(everything, Draft(**wanted.model_dump()))
        response.headers["Cache-Control"] = "no-store"
        response.headers["Location"] = f"/v1/oauth/clients/{client.id}"
        return ClientMade(**_shown(client).model_dump(), client_secret=secret)

    @router.get("/{id}", operation_id="get_oauth_client", dependencies=reader)
    async def read(client_id: PathId, db: Db) -> ClientRead:
        """One client."""
        async with db.unscoped("the rule of the operation has allowed it") as everything:
            return _shown(await provider_of(identity).clients.get(everything, key_in_path(client_id)))

    @router.delete("/{id}", operation_id="delete_oauth_client", status_code=204, dependencies=fresh_admin)
    async def remove(client_id: PathId, db: Db) -> None:
        """Remove a client: its tokens are dead within seconds."""
        async with db.unscoped("the rule of the operation has allowed it") as everything:
            await provider_of(identity).clients.remove(everything, key_in_path(client_id))

    @router.post("/{id}/secret", operation_id="rotate_oauth_client_secret", dependencies=fresh_admin)
    async def rotate(client_id: PathId, db: Db, response: Response) -> SecretMade:
        """Give a client another secret. The former one is good for one more day."""
        response.headers["Cache-Control"] = "no-store"
        async with db.unscoped("the rule of the operation has allowed it") as everything:
            secret = await provider_of(identity).clients.rotate(everything, key_in_path(client_id))
        return SecretMade(client_secret=secret)

    return router


def consents_router(identity: Identity) -> Router:
    """What the caller has allowed to applications."""
    router = Router(prefix="/v1/oauth/consents", tags=["oauth"])
    own = guarded(signed_in & scope("account"))

    @router.get("", operation_id="list_oauth_consents", dependencies=own)
    async def listed(db: Db, caller: Caller) -> ConsentList:
        """The applications that you have let in."""
        async with db.unscoped("a user's own consents") as everything:
            rows = await consents.listed(everything, known_id(caller))
        return ConsentList(
            items=[
                ConsentRead(
                    client_id=row.client_id, client_name=row.name, scopes=row.scope.split(), given_at=row.given_at
                )
                for row in rows
            ]
        )

    @router.delete("/{id}", operation_id="withdraw_oauth_consent", status_code=204, dependencies=own)
    async def withdraw(client_id: PathId, db: Db, caller: Caller) -> None:
        """Withdraw: everything that the application holds of you is dead within seconds."""
        async with db.unscoped("a user's own consents") as everything:
            families = provider_of(identity).families
            if not await consents.withdraw(everything, families, known_id(caller), key_in_path(client_id)):
                raise NotFound

    return router


def _shown(client: Client) -> ClientRead:
    values = {name: getattr(client, name) for name in ClientRead.model_fields}
    return ClientRead(**{**values, "scopes": sorted(client.scopes), "grants": sorted(client.grants)})
