"""The second step of a log-in, and the one that makes an open log-in stronger: a code, a recovery code, a passkey.

Between the two steps the browser holds a step token in a cookie of its own. It opens these pages alone (M01), ends with
them, and is worth nothing once it has been used.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from freehold.errors import Problem
from freehold.identity.authentication import Authentication
from freehold.identity.factors import holdings
from freehold.identity.factors.problems import StepOver
from freehold.identity.factors.proving import Proved
from freehold.identity.service import Identity
from freehold.resource.access import anyone
from freehold.resource.principal import system
from freehold.store.unit import Unit
from freehold.web import browser
from freehold.web.guard import principal_of
from freehold.web.identity_parts import device_of
from freehold.web.pages.forms import Form, refused, typed
from freehold.web.pages.goals import goal_of
from freehold.web.pages.places import FACTOR, LOG_IN, leave_for, own_path
from freehold.web.pages.rendering import page
from freehold.web.pages.route import PageRoute
from freehold.web.pages.step_cookie import clear_step, step_of
from freehold.web.unit import Router, allow

_SECRET = ("code", "credential", "next")
Prove = Callable[[str], Awaitable[Response]]


def factor_router(identity: Identity) -> Router:
    """The page and its forms: one for each kind that the account has."""
    router = Router(route_class=PageRoute, include_in_schema=False, dependencies=[allow(anyone)])

    async def shown(request: Request, form: Form, wanted: str) -> Response:
        kinds = await kinds_of(identity, step_of(request))
        if not kinds:
            return leave_for(request, LOG_IN, next=own_path(wanted, otherwise=""))
        has_passkey = holdings.PASSKEY in kinds
        goal = own_path(wanted, otherwise="")
        return await page(request, "factor", status=form.status, form=form, next=goal, kinds=kinds, scripts=has_passkey)

    async def proved(request: Request, values: dict[str, str], prove: Prove) -> Response:
        try:
            return await prove(step_of(request))
        except StepOver:
            return leave_for(request, LOG_IN, done="step-over", next=own_path(values.get("next", ""), otherwise=""))
        except Problem as problem:
            form = refused(values, problem, fields=(), secret=_SECRET)
            return await shown(request, form, values.get("next", ""))

    @router.get(FACTOR)
    async def ask(request: Request) -> Response:
        """The forms."""
        return await shown(request, Form({}), request.query_params.get("next", ""))

    @router.post(FACTOR)
    async def by_code(request: Request) -> Response:
        """A code of an app, or a recovery code: they tell themselves apart by their length."""
        values, device = await typed(request), device_of(request)
        code, proving = values.get("code", "").strip(), identity.parts.factors.proving
        is_recovery = values.get("kind") == holdings.RECOVERY_CODE
        by = proving.by_recovery_code if is_recovery else proving.by_totp
        finish = finishing(identity, request, values.get("next", ""))
        return await proved(request, values, lambda token: by(token, code, address=device.address, finish=finish))

    return router


async def kinds_of(identity: Identity, token: str) -> list[str]:
    """What can be proved in this step; nothing where it is over."""
    parts = identity.parts

    async def work(unit: Unit) -> list[str]:
        step = await parts.factors.steps.find(unit.session, token)
        return [] if step is None or step.user is None else await holdings.kinds(unit.session, step.user.id)

    return [] if not token else await parts.database.run(system("what a step may prove"), work)


def finishing(identity: Identity, request: Request, wanted: str) -> Callable[[Unit, Proved], Awaitable[Any]]:
    """The end of a step, in its unit: a session, or another value for the one that there is (C01); and on to the goal."""

    async def finish(unit: Unit, found: Proved) -> Response | Problem:
        session = await _session(request, unit, found)
        if session is None:
            return StepOver()
        if found.recovery_codes:
            response = await page(request, "codes", codes=list(found.recovery_codes), next=goal_of(identity, wanted))
        else:
            response = leave_for(request, goal_of(identity, wanted))
        browser.set_session(response, session)
        clear_step(response)
        return response

    return finish


async def _session(request: Request, unit: Unit, found: Proved) -> Any:
    if found.session_id is None:
        return await browser.open_session(
            request, unit, found.user.id, authentication=found.authentication, scope=found.scope
        )
    caller = await principal_of(request)
    if caller.session_id != found.session_id:
        return None
    proof = Authentication(found.authentication.amr | caller.amr, found.authentication.at)
    return await browser.renew_session(request, unit, authentication=proof)
