"""Log in by a passkey: as the second step, or alone. The one page that needs a script asks here for its question."""

from __future__ import annotations

from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from freehold.errors import Problem
from freehold.identity.factors.passkeys import Credential
from freehold.identity.factors.problems import PasskeyRefused
from freehold.identity.factors.steps import LIFETIME
from freehold.identity.service import Identity
from freehold.resource.access import anyone
from freehold.web.identity_parts import device_of
from freehold.web.pages.factor_step import finishing
from freehold.web.pages.forms import refused, typed
from freehold.web.pages.places import FACTOR, LOG_IN, own_path
from freehold.web.pages.rendering import HEADERS, page
from freehold.web.pages.route import PageRoute
from freehold.web.pages.step_cookie import set_step, step_of
from freehold.web.unit import Router, allow

LONGEST_CREDENTIAL = 65_536


def passkey_router(identity: Identity) -> Router:
    """The question, and the answer in a form."""
    router = Router(route_class=PageRoute, include_in_schema=False, dependencies=[allow(anyone)])

    async def question(request: Request, token: str | None) -> Response:
        await identity.parts.throttle.admit_factor(address=device_of(request).address)
        held, asked = await identity.parts.factors.proving.passkey_options(token)
        response = answered(asked)
        if token is None:
            set_step(response, held, seconds=int(LIFETIME.total_seconds()))
        return response

    @router.post(f"{LOG_IN}/passkey/options")
    async def begin(request: Request) -> Response:
        """What `navigator.credentials.get()` takes, for a log-in that has nothing yet."""
        return await question(request, None)

    @router.post(f"{FACTOR}/passkey/options")
    async def go_on(request: Request) -> Response:
        """The same, after the password."""
        return await question(request, step_of(request))

    @router.post(f"{LOG_IN}/passkey")
    async def log_in(request: Request) -> Response:
        """What the browser made of the question."""
        values = await typed(request)
        wanted, proving = values.get("next", ""), identity.parts.factors.proving
        try:
            await identity.parts.throttle.admit_factor(address=device_of(request).address)
            credential = credential_of(values)
            finish = finishing(identity, request, wanted)
            response: Response = await proving.by_passkey(step_of(request), credential, finish=finish)
        except Problem as problem:
            form = refused(values, problem, fields=(), secret=("credential", "next"))
            goal = own_path(wanted, otherwise="")
            return await page(request, "passkey_refused", status=form.status, form=form, next=goal)
        return response

    return router


def answered(asked: dict[str, Any]) -> Response:
    """A question, as JSON for the script."""
    return Response(orjson.dumps(asked), headers=dict(HEADERS), media_type="application/json")


def credential_of(values: dict[str, str]) -> Credential:
    """The credential that a script put into the form. Raises PasskeyRefused."""
    sent = values.get("credential", "")
    try:
        found = orjson.loads(sent) if len(sent) <= LONGEST_CREDENTIAL else None
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, dict):
        raise PasskeyRefused("There is no passkey in the form.")
    return found
