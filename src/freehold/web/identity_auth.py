"""`/v1/auth`: verification, reset, password, address.

Log-in stands in `identity_tokens` and `identity_browser`, the list of log-ins in `identity_sessions`.
"""

from fastapi import Request, Response
from pydantic import BaseModel, Field, SecretStr

from freehold.identity import one_time
from freehold.identity.emails import Email, email_key, login_key
from freehold.identity.schemas import Password, plain
from freehold.identity.service import Identity
from freehold.resource.access import anyone
from freehold.resource.principal import system
from freehold.store.unit import Unit
from freehold.web.browser import renew_session, set_session
from freehold.web.identity_api_keys import api_keys_router
from freehold.web.identity_browser import browser_router
from freehold.web.identity_factors import factors_router
from freehold.web.identity_parts import (
    OwnUnitRoute,
    below_auth,
    check_password,
    device_of,
    guarded,
    in_unit,
    known_id,
)
from freehold.web.identity_sessions import sessions_router
from freehold.web.identity_steps import steps_router
from freehold.web.identity_tokens import token_router
from freehold.web.own_account import ACCOUNT, FRESH_ACCOUNT
from freehold.web.unit import Caller, Router, allow, gathered


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


def auth_router(identity: Identity) -> Router:
    """Every operation under `/v1/auth`."""
    signing_in = (token_router, browser_router, steps_router, factors_router)
    parts = (*signing_in, _links, _credentials, sessions_router, api_keys_router)
    return gathered(part(identity) for part in parts)


def _links(identity: Identity) -> Router:
    router = below_auth(route_class=OwnUnitRoute)

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
        await parts.throttle.admit_letter("verification", recipient=str(caller.id))

        async def work(unit: Unit) -> None:
            await parts.accounts.ask_for_verification(
                unit.session, await parts.accounts.get(unit.session, known_id(caller))
            )

        return await in_unit(request, "a user's own verification", work, _taken())

    @router.post(
        "/verification/confirmation", operation_id="confirm_verification", status_code=204, dependencies=[allow(anyone)]
    )
    async def verify(request: Request, link: LinkToken) -> Response:
        """Prove an address by the token of the link; one that was asked for in place of another becomes yours."""
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
        had_many = await identity.parts.throttle.has_had_many("reset", recipient=key)

        async def work(unit: Unit) -> None:
            # The look-up is a job's, so that neither answer nor time tells whether there is an account (A01).
            await identity.reset_job.enqueue(unit.session, email_key=key, unless_fresh=had_many)

        return await in_unit(request, "reset", work, _taken())

    @router.post("/reset/confirmation", operation_id="confirm_reset", status_code=204, dependencies=[allow(anyone)])
    async def reset(request: Request, wanted: NewPassword) -> Response:
        """Set a new password by the token of the link. Every log-in ends."""
        parts = identity.parts
        await parts.throttle.admit("reset-confirmation", address=device_of(request).address, person=wanted.token)
        async with parts.database.reading(system("reset")) as session:
            proof = await one_time.find(session, wanted.token, purpose=one_time.RESET)
            user = await parts.accounts.get(session, proof.user_id)
        password = plain(wanted.password)
        check_password(identity, user, password)
        hashed = await parts.passwords.hash(password)
        return await in_unit(
            request, "reset", lambda unit: parts.accounts.reset_password(unit.session, wanted.token, hashed), _done()
        )

    return router


def _credentials(identity: Identity) -> Router:
    router = below_auth(route_class=OwnUnitRoute)

    @router.post("/password", operation_id="change_password", status_code=204, dependencies=guarded(FRESH_ACCOUNT))
    async def change_password(request: Request, caller: Caller, wanted: PasswordChange) -> Response:
        """Change your password. Needs a log-in of the last five minutes; every other log-in ends."""
        parts, user_id = identity.parts, known_id(caller)
        async with parts.database.reading(system("a user's own names")) as session:
            user = await parts.accounts.get(session, user_id)
        password = plain(wanted.new_password)
        check_password(identity, user, password, pointer="/new_password")
        await parts.log_in.check(user_id, plain(wanted.current_password))
        hashed = await parts.passwords.hash(password)
        response = _done()

        async def work(unit: Unit) -> None:
            await parts.accounts.change_password(unit.session, user_id, hashed, keep=caller.session_id)
            session = await renew_session(request, unit)
            if session is not None:
                set_session(response, session)

        return await in_unit(request, "a user's own password", work, response)

    @router.post("/email", operation_id="change_email", status_code=204, dependencies=guarded(FRESH_ACCOUNT))
    async def change_email(request: Request, caller: Caller, wanted: EmailChange) -> Response:
        """Change your address. Needs a log-in of the last five minutes.

        A link goes to the new address; once it is opened (`/v1/auth/verification/confirmation`) the address is yours, and
        the old one is told.
        """
        parts, user_id = identity.parts, known_id(caller)
        await parts.log_in.check(user_id, plain(wanted.current_password))
        await parts.throttle.admit_letter("email-change", recipient=email_key(wanted.email))
        return await in_unit(
            request,
            "a user's own address",
            lambda unit: parts.accounts.change_email(
                unit.session, user_id, wanted.email, conceals=parts.conceals_accounts
            ),
            _done(),
        )

    return router


def _done() -> Response:
    return Response(status_code=204)


def _taken() -> Response:
    return Response(b"{}", 202, media_type="application/json")
