"""The path operations of identity: `/v1/users`, `/v1/auth` and the public key set.

`identity_router(identity)` is all of them; it works in a plain FastAPI application too, whose runtime then needs
`credential_readers(identity)` for what is not in the Authorization header.
"""

# No `from __future__ import annotations`: the schemas in the signatures are those of the service, known at run time.

from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import Request, Response
from pydantic import BaseModel, Field

from freehold.errors import NotFound
from freehold.identity.addresses import EmailTaken
from freehold.identity.factors import losing
from freehold.identity.keys import JWKS_MAX_AGE
from freehold.identity.languages import preferred
from freehold.identity.service import Identity
from freehold.identity.users import UserMixin
from freehold.resource.access import anyone, recent, role, scope, signed_in
from freehold.store.session import Session
from freehold.web.audit import audit_router, own_events_router
from freehold.web.browser import SessionCookie
from freehold.web.credentials import CredentialReader
from freehold.web.guard import is_closed
from freehold.web.identity_api_keys import ApiKeyHeader
from freehold.web.identity_auth import auth_router
from freehold.web.identity_impersonation import impersonation_router
from freehold.web.identity_parts import (
    CHANGED_MEANWHILE,
    TAGGED,
    UNCHANGED,
    PathId,
    guarded,
    is_staff,
    known_id,
    registration_route,
    user_answer,
)
from freehold.web.magic_links import magic_links_router
from freehold.web.oauth_proof import ProofOfPossession
from freehold.web.openapi_responses import headers
from freehold.web.organisations import organisations_router
from freehold.web.own_account import ACCOUNT, FRESH_ACCOUNT
from freehold.web.path_keys import key_in_path
from freehold.web.preconditions import check_match
from freehold.web.social import providers_router
from freehold.web.social_identities import identities_router
from freehold.web.unit import Caller, Db, Router, allow, gathered

# A token that was restricted to some scopes needs this one to touch the account itself.


RoleName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,63}$")]


class RolesWrite(BaseModel, extra="forbid"):
    """The roles of an account, all of them."""

    roles: list[RoleName] = Field(max_length=32, examples=[["reviewer"]])


def identity_router(identity: Identity) -> Router:
    """Every operation of identity, under the paths of ARCHITECTURE 5."""
    return gathered(_routers(identity))


def _routers(identity: Identity) -> Iterator[Router]:
    yield _registration(identity)
    if identity.pages is not None:
        from freehold.web.pages import pages_router  # noqa: PLC0415  # needs an extra that not everybody has

        yield pages_router(identity)
    yield from (_own(identity), _staff(identity), auth_router(identity), _keys(identity), own_events_router())
    if not is_closed(identity.audit):
        yield audit_router(identity.audit)
    if identity.impersonation is not None:
        yield impersonation_router(identity, identity.impersonation)
    if identity.organisations is not None:
        yield organisations_router(identity, identity.organisations)
    if identity.magic_links is not None:
        yield magic_links_router(identity, identity.magic_links)
    if identity.social is not None:
        yield from (providers_router(identity, identity.social), identities_router(identity.social))
    if identity.provider is not None:
        from freehold.web.oauth import oauth_router  # noqa: PLC0415  # its pages need an extra that not everybody has

        yield oauth_router(identity)


def credential_readers(identity: Identity) -> tuple[CredentialReader, ...]:
    """What reads the credentials of an identity that do not stand in the Authorization header."""
    proofs = () if identity.provider is None else (ProofOfPossession(identity),)
    return (*proofs, SessionCookie(identity), ApiKeyHeader(identity))


def _registration(identity: Identity) -> Router:
    router = Router(route_class=registration_route(identity), tags=["users"])
    create: Any = identity.create

    async def register(request: Request, db: Db, draft: create) -> Response:
        """Register an account. A verification link goes to the address."""
        accounts = identity.parts.accounts
        password_hash = request.state.fh_password_hash
        language = preferred(request.headers.get("accept-language", ""), identity.languages)
        if not identity.parts.conceals_accounts:
            user_id = await accounts.register(db, draft, password_hash=password_hash, language=language)
            async with db.unscoped("the new account's own answer") as everything:
                user = await accounts.get(everything, user_id)
                return user_answer(identity, request, user, status=201, location=f"/v1/users/{user_id}")
        try:
            await accounts.register_quietly(db, draft, password_hash=password_hash, language=language)
        except EmailTaken:  # by another, at this very moment
            await accounts.tell_owner_of_registration(db, draft.email)
        return Response(b"{}", 202, media_type="application/json")

    router.add_api_route(
        "/v1/users",
        register,
        methods=["POST"],
        status_code=201,
        response_model=identity.read,
        responses={
            201: {"headers": headers("ETag", "Location")},
            202: {"description": "Taken note of, where accounts are concealed"},
        },
        operation_id="register_user",
        summary="Register",
        dependencies=[allow(anyone)],
    )
    return router


def _own(identity: Identity) -> Router:
    router = Router(prefix="/v1/users/me", tags=["users"])
    update: Any = identity.update

    @router.get(
        "",
        operation_id="get_own_user",
        responses=UNCHANGED,
        response_model=identity.read,
        dependencies=guarded(signed_in),
    )
    async def read(request: Request, db: Db, caller: Caller) -> Response:
        """Your account."""
        return user_answer(identity, request, await _user(identity, db, caller.id))

    @router.patch(
        "",
        operation_id="update_own_user",
        responses=CHANGED_MEANWHILE,
        response_model=identity.read,
        dependencies=guarded(ACCOUNT),
    )
    async def change(request: Request, db: Db, caller: Caller, changes: update) -> Response:
        """Change your account (JSON merge patch)."""
        async with db.unscoped("a user's own account") as everything:
            user = await identity.parts.accounts.get(everything, known_id(caller), lock=True)
            check_match(request.headers, version=user.row_version)
            for name in changes.model_fields_set:
                setattr(user, name, getattr(changes, name))
            await everything.flush()
            return user_answer(identity, request, user)

    @router.delete("", operation_id="delete_own_user", status_code=204, dependencies=guarded(FRESH_ACCOUNT))
    async def erase(db: Db, caller: Caller) -> None:
        """Erase your personal data and end the account. This cannot be undone. Needs a log-in of the last five minutes."""
        await identity.parts.personal_data.erase(db, known_id(caller))

    @router.get("/export", operation_id="export_own_user", dependencies=guarded(ACCOUNT))
    async def export(db: Db, caller: Caller, response: Response) -> dict[str, Any]:
        """Everything that is held about you."""
        response.headers["Cache-Control"] = "private, no-store"
        return await identity.parts.personal_data.export(db, known_id(caller))

    return router


def _staff(identity: Identity) -> Router:
    router = Router(prefix="/v1/users/{id}", tags=["users"])
    # Z11: what an administrator does to an account asks for a log-in of the last five minutes.
    admin = role(*identity.admin_roles) & scope("account") & recent(minutes=5)

    @router.get(
        "", operation_id="get_user", responses=UNCHANGED, response_model=identity.read, dependencies=guarded(signed_in)
    )
    async def read(user_id: PathId, request: Request, db: Db, caller: Caller) -> Response:
        """An account: your own, or any for staff."""
        wanted = key_in_path(user_id)
        if wanted != caller.id and not is_staff(identity, caller):
            raise NotFound
        return user_answer(identity, request, await _user(identity, db, wanted))

    @router.put(
        "/roles",
        operation_id="set_user_roles",
        responses=TAGGED,
        response_model=identity.read,
        dependencies=guarded(admin),
    )
    async def set_roles(user_id: PathId, request: Request, db: Db, wanted: RolesWrite) -> Response:
        """Replace an account's roles. They count within seconds, also for tokens given before."""
        await identity.parts.accounts.set_roles(db, key_in_path(user_id), wanted.roles)
        return user_answer(identity, request, await _user(identity, db, key_in_path(user_id)))

    @router.delete(
        "/factors",
        operation_id="reset_user_factors",
        status_code=204,
        dependencies=guarded(admin),
    )
    async def reset_factors(user_id: PathId, db: Db) -> None:
        """Remove all second factors of an account whose owner has lost them. They are told, and their log-ins end."""
        await losing.reset(identity.parts, db, key_in_path(user_id))

    @router.put(
        "/suspension",
        operation_id="suspend_user",
        responses=TAGGED,
        response_model=identity.read,
        dependencies=guarded(admin),
    )
    async def suspend(user_id: PathId, request: Request, db: Db) -> Response:
        """Close an account: its log-ins end."""
        await identity.parts.accounts.disable(db, key_in_path(user_id))
        return user_answer(identity, request, await _user(identity, db, key_in_path(user_id)))

    @router.delete("/suspension", operation_id="unsuspend_user", status_code=204, dependencies=guarded(admin))
    async def unsuspend(user_id: PathId, db: Db) -> None:
        """Open a closed account again."""
        await identity.parts.accounts.enable(db, key_in_path(user_id))

    return router


def _keys(identity: Identity) -> Router:
    router = Router(tags=["auth"])

    @router.get("/.well-known/jwks.json", operation_id="get_jwks", dependencies=[allow(anyone)])
    async def jwks(response: Response) -> dict[str, Any]:
        """The public keys that verify access tokens (RFC 7517)."""
        response.headers["Cache-Control"] = f"public, max-age={int(JWKS_MAX_AGE.total_seconds())}"
        return await identity.parts.keys.jwks()

    return router


async def _user(identity: Identity, db: Session, user_id: Any) -> UserMixin:
    """A row that the operation's own rule has allowed; the service's access rules on its user table do not apply here."""
    async with db.unscoped("the rule of the operation has allowed it") as everything:
        user: UserMixin = await identity.parts.accounts.get(everything, user_id)
        return user
