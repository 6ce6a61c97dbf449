"""`/v1/auth/token` and `/v1/auth/revocation`: log in, go on, log out."""

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated

from fastapi import Form, Request, Response
from pydantic import BaseModel

from freehold.errors import BadRequest, UnsupportedMediaType
from freehold.identity.login import WrongCredentials
from freehold.identity.service import Identity
from freehold.identity.sessions import TokenAnswer, scope_problem
from freehold.resource.access import anyone
from freehold.store.session import Session
from freehold.web.identity_parts import OwnUnitRoute, below_auth, device_of, in_unit, retry_of
from freehold.web.unit import Router, allow

NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}
_SCOPE_CHARACTERS = set(map(chr, range(0x21, 0x7F))) - set('"\\')
_MOST_SCOPES = 50


class TokenRead(BaseModel):
    """The answer of the token route (RFC 6749 5.1)."""

    access_token: str
    token_type: str = "Bearer"  # noqa: S105 (its name, not its value)
    expires_in: int
    refresh_token: str
    scope: str


def token_router(identity: Identity) -> Router:
    """Log-in, refresh and log-out, below `/v1/auth`."""
    router = below_auth(route_class=token_route(identity))

    @router.post("/token", operation_id="create_token", response_model=TokenRead, dependencies=[allow(anyone)])
    async def token(
        request: Request,
        *,
        grant_type: Annotated[str | None, Form(examples=["password"])] = None,
        username: Annotated[str | None, Form(examples=["ada@example.com"])] = None,
        password: Annotated[str | None, Form()] = None,
        refresh_token: Annotated[str | None, Form()] = None,
        scope: Annotated[str | None, Form()] = None,
    ) -> Response:
        """Log in (`grant_type=password`) or go on (`refresh_token`). Unknown fields are ignored, as OAuth wants."""
        await _check_form(request)
        wanted = _scope(scope)
        if grant_type == "password":
            given = _given(username=username, password=password)
            answer = await identity.parts.log_in(
                *given,
                scope=wanted,
                device=device_of(request),
                settle=lambda unit, answer: retry_of(request).settle(unit, token_answer(answer)),
            )
        elif grant_type == "refresh_token":
            # Not kept under the key: a refresh has its own retry, sealed under the old token, which ends with the
            # grace window; a key that outlived it would be a way round the detection of reuse (T07, T08).
            (old,) = _given(refresh_token=refresh_token)
            answer = await identity.parts.sessions.refresh(old, scope=wanted)
        elif grant_type:
            raise BadRequest("Known grants: password, refresh_token.", code="auth.unsupported_grant_type")
        else:
            raise BadRequest("grant_type is missing.", code="auth.invalid_request")
        return token_answer(answer)

    @router.post("/revocation", operation_id="revoke_token", response_class=Response, dependencies=[allow(anyone)])
    async def revoke(request: Request, token: Annotated[str | None, Form()] = None) -> Response:
        """Log out: end the log-in behind a refresh or access token (RFC 7009). An unknown token is no fault."""
        await _check_form(request)
        (given,) = _given(token=token)
        return await in_unit(
            request,
            "log-out",
            lambda unit: identity.parts.sessions.revoke(unit.session, given),
            Response(status_code=200, headers=NO_STORE),
        )

    return router


def token_answer(answer: TokenAnswer) -> Response:
    """The tokens, not to be kept by anyone in between."""
    body = TokenRead(**asdict(answer)).model_dump_json().encode()
    return Response(body, 200, headers=NO_STORE, media_type="application/json")


def token_route(
    identity: Identity, *, sent_with: Callable[[Request], bytes] = OwnUnitRoute.sent_with
) -> type[OwnUnitRoute]:
    """The route class of operations that give tokens: a kept answer is given again while its log-in is open.

    sent_with: see `OwnUnitRoute`.
    """

    async def rejudge(session: Session, kept: Response) -> None:
        """Tokens of a log-in that has ended are not given out again (I08)."""
        given = json.loads(bytes(kept.body) or b"{}").get("refresh_token")
        if given is not None and not await identity.parts.sessions.is_open(session, given):
            raise WrongCredentials("E-mail or password is wrong.")

    return type("TokenRoute", (OwnUnitRoute,), {"rejudge": staticmethod(rejudge), "sent_with": staticmethod(sent_with)})


async def _check_form(request: Request) -> None:
    """RFC 6749 3.2: a form, with no parameter given twice."""
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media not in ("application/x-www-form-urlencoded", "multipart/form-data"):
        raise UnsupportedMediaType("Send a form (application/x-www-form-urlencoded).")
    names = [name for name, _ in (await request.form()).multi_items()]
    if len(names) != len(set(names)):
        raise BadRequest("A parameter is given twice.", code="auth.invalid_request")


def _given(**values: str | None) -> list[str]:
    missing = [name for name, value in values.items() if not value]
    if missing:
        raise BadRequest(f"{' and '.join(missing)} missing.", code="auth.invalid_request")
    return [value for value in values.values() if value]


def _scope(text: str | None) -> frozenset[str] | None:
    """The scopes asked for; none asked is a log-in without restriction."""
    names = (text or "").split(" ") if text else []
    if len(names) > _MOST_SCOPES or any(not name or not set(name) <= _SCOPE_CHARACTERS for name in names):
        raise scope_problem("scope is a list of names separated by single spaces.")
    return frozenset(names) or None
