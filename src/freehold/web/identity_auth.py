"""`/v1/auth`: verification, reset, password, address, sessions; log-in stands in `identity_tokens`."""

from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import Request, Response
from pydantic import BaseModel, Field, SecretStr

from freehold.errors import NotFound
from freehold.identity import one_time
from freehold.identity.emails import Email, email_key, login_key
from freehold.identity.schemas import Password, plain
from freehold.identity.service import Identity
from freehold.resource.access import anyone, scope, signed_in
from freehold.resource.principal import system
from freehold.store.unit import Unit
from freehold.web.identity_parts import (
    OwnUnitRoute,
    PathId,
    device_of,
    guarded,
    in_unit,
    known_id,
    require_fresh,
)
from freehold.web.identity_tokens import token_router
from freehold.web.path_keys import key_in_path
from freehold.web.unit import Caller, Db, Router, allow

ACCOUNT = signed_in & scope("account")


class Address(BaseModel, extra="forbid"):
    """An e-mail address."""

    email: Email


class LinkToken(BaseModel, extra="forbid"):
    """The token of a mailed link."""

    token: str = Field(max_length=256)


class NewPassword(LinkToken):
    """The token of a reset link, and the password to set."""

    password: Password


class PasswordChange(BaseModel, extra="forbid"):
    """The present password and the next."""

    current_password: SecretStr
    new_password: Password


class EmailChange(BaseModel, extra="forbid"):
    """The present password and the address to take on."""

    current_password: SecretStr
    email: Email


class SessionRead(BaseModel):
    """A log-in, without anything that could be used as one."""

    id: UUID
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    address: str
    user_agent: str
    is_current: bool


class SessionList(BaseModel):
    """All open log-ins; there is one page."""

    items: list[SessionRead]
    next_cursor: str | None = None


def auth_router(identity: Identity) -> Router:
    """Every operation under `/v1/auth`."""
    router = Router(prefix="/v1/auth")
    for part in (token_router, _links, _credentials, _sessions):
        router.include_router(part(identity), tags=["auth"])
    return router


def _links(identity: Identity) -> Router:
    router = Router(route_class=OwnUnitRoute)

    @router.post(
        "/verification",
        operation_id="send_verification",
        status_code=202,
        response_model=dict[str, str],
        dependencies=guarded(ACCOUNT),
    )
    async def send_verification(request: Request, caller: Caller) -> Response:
        """Mail the verification link again; earlier ones are dead."""
        parts = identity.parts
        await parts.throttle.admit("verification", address=device_of(request).address, person=str(caller.id))

        async def work(unit: Unit) -> None:
            await parts.accounts.ask_for_verification(
                unit.session, await parts.accounts.get(unit.session, known_id(caller))
            )

        return await in_unit(request, "a user's own verification", work, _taken())

    @router.post(
        "/verification/confirmation", operation_id="confirm_verification", status_code=204, dependencies=[allow(anyone)]
    )
    async def verify(request: Request, link: LinkToken) -> Response:
        """Prove the address by the token of the link."""
        return await in_unit(
            request, "verification", lambda unit: identity.parts.accounts.verify(unit.session, link.token), _done()
        )

    @router.post(
        "/reset",
        operation_id="send_reset",
        status_code=202,
        response_model=dict[str, str],
        dependencies=[allow(anyone)],
    )
    async def send_reset(request: Request, wanted: Address) -> Response:
        """Mail a reset link to the address if it has an account; the answer is the same when it has none."""
        key = email_key(wanted.email)
        await identity.parts.throttle.admit("reset", address=device_of(request).address, person=login_key(wanted.email))
        # The look-up is a job's, so that neither answer nor time tells whether there is an account (A01).
        return await in_unit(
            request, "reset", lambda unit: identity.reset_job.enqueue(unit.session, email_key=key), _taken()
        )

    @router.post("/reset/confirmation", operation_id="confirm_reset", status_code=204, dependencies=[allow(anyone)])
    async def reset(request: Request, wanted: NewPassword) -> Response:
        """Set a new password by the token of the link. Every log-in ends."""
        parts = identity.parts
        await parts.throttle.admit("reset-confirmation", address=device_of(request).address, person=wanted.token)
        async with parts.database.reading(system("reset")) as session:
            proof = await one_time.find(session, wanted.token, purpose=one_time.RESET)
            names = await _names(identity, session, proof.user_id)
        password = plain(wanted.password)
        parts.policy.check(password, names=names)
        hashed = await parts.passwords.hash(password)
        return await in_unit(
            request, "reset", lambda unit: parts.accounts.reset_password(unit.session, wanted.token, hashed), _done()
        )

    return router


def _credentials(identity: Identity) -> Router:
    router = Router(route_class=OwnUnitRoute)

    @router.post("/password", operation_id="change_password", status_code=204, dependencies=guarded(ACCOUNT))
    async def change_password(request: Request, caller: Caller, wanted: PasswordChange) -> Response:
        """Change your password. Needs a log-in of the last five minutes; every other log-in ends."""
        parts, user_id = identity.parts, known_id(caller)
        await require_fresh(identity, caller)
        async with parts.database.reading(system("a user's own names")) as session:
            names = await _names(identity, session, user_id)
        password = plain(wanted.new_password)
        parts.policy.check(password, names=names, pointer="/new_password")
        await parts.log_in.check(user_id, plain(wanted.current_password))
        hashed = await parts.passwords.hash(password)
        return await in_unit(
            request,
            "a user's own password",
            lambda unit: parts.accounts.change_password(unit.session, user_id, hashed, keep=caller.session_id),
            _done(),
        )

    @router.post("/email", operation_id="change_email", status_code=204, dependencies=guarded(ACCOUNT))
    async def change_email(request: Request, caller: Caller, wanted: EmailChange) -> Response:
        """Change your address. Needs a log-in of the last five minutes; the old address is told."""
        parts, user_id = identity.parts, known_id(caller)
        await require_fresh(identity, caller)
        await parts.log_in.check(user_id, plain(wanted.current_password))
        return await in_unit(
            request,
            "a user's own address",
            lambda unit: parts.accounts.change_email(unit.session, user_id, wanted.email),
            _done(),
        )

    return router


def _sessions(identity: Identity) -> Router:
    router = Router(prefix="/sessions")

    @router.get("", operation_id="list_sessions", dependencies=guarded(ACCOUNT))
    async def listed(db: Db, caller: Caller, response: Response) -> SessionList:
        """Your open log-ins."""
        response.headers["Cache-Control"] = "private, no-store"
        rows = await identity.parts.sessions.listed(db, known_id(caller))
        items = [SessionRead(**_shown(row), is_current=row.id == caller.session_id) for row in rows]
        return SessionList(items=items)

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


def _shown(row: Any) -> dict[str, Any]:
    return {name: getattr(row, name) for name in SessionRead.model_fields if name != "is_current"}


def _done() -> Response:
    return Response(status_code=204)


def _taken() -> Response:
    return Response(b"{}", 202, media_type="application/json")


async def _names(identity: Identity, session: Any, user_id: UUID) -> tuple[str, str]:
    user = await identity.parts.accounts.get(session, user_id)
    return user.full_name, user.email
