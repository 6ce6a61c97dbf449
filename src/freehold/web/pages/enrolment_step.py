"""A log-in that needs a second factor and has none: it is set up here, between the password and the session."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from freehold.errors import Problem
from freehold.identity.factors import challenges
from freehold.identity.factors.problems import StepOver
from freehold.identity.factors.steps import Step
from freehold.identity.service import Identity
from freehold.resource.access import anyone
from freehold.store.session import Session
from freehold.web.identity_parts import device_of
from freehold.web.pages.factor_step import finishing
from freehold.web.pages.forms import Form, refused, typed
from freehold.web.pages.passkey_step import answered, credential_of
from freehold.web.pages.places import ENROLMENT, LOG_IN, leave_for, own_path
from freehold.web.pages.qr import qr_code
from freehold.web.pages.rendering import page
from freehold.web.pages.route import PageRoute
from freehold.web.pages.step_cookie import step_of
from freehold.web.unit import Router, allow

_SECRET = ("code", "credential", "next")


def enrolment_router(identity: Identity) -> Router:
    """The page and its forms, opened by a step token alone."""
    router = Router(route_class=PageRoute, include_in_schema=False, dependencies=[allow(anyone)])

    async def shown(request: Request, form: Form, wanted: str) -> Response:
        goal = own_path(wanted, otherwise="")
        return await page(request, "enrolment", status=form.status, form=form, next=goal, scripts=True)

    @router.get(ENROLMENT)
    async def ask(request: Request) -> Response:
        """What there is to choose from."""
        return await shown(request, Form({}), request.query_params.get("next", ""))

    _app(router, identity)
    _passkey(router, identity)
    return router


def _app(router: Router, identity: Identity) -> None:
    async def ask(request: Request, wanted: str, form: Form | None) -> Response:
        desk = identity.parts.factors.desk

        async def work(session: Session, step: Step) -> Any:
            return await desk.enrol_totp(session, step.user, name="")

        await identity.parts.throttle.admit_factor(address=device_of(request).address)
        made = await identity.parts.factors.proving.enrolling(step_of(request), work)
        goal = own_path(wanted, otherwise="")
        return await page(
            request, "totp", status=200 if form is None else form.status, form=form, secret=made.secret,
            qr=qr_code(made.uri), action=f"{ENROLMENT}/totp/confirmation", next=goal,
        )  # fmt: skip

    @router.post(f"{ENROLMENT}/totp")
    async def enrol(request: Request) -> Response:
        """A secret, shown this once."""
        wanted = (await typed(request)).get("next", "")
        try:
            return await ask(request, wanted, None)
        except StepOver:
            return _over(request, wanted)

    @router.post(f"{ENROLMENT}/totp/confirmation")
    async def confirm(request: Request) -> Response:
        """The first code: logged in, with ten recovery codes."""
        values, prove = await typed(request), identity.parts.factors.proving.confirm_totp
        wanted, code = values.get("next", ""), values.get("code", "").strip()
        finish, address = finishing(identity, request, wanted), device_of(request).address
        try:
            response: Response = await prove(step_of(request), code, address=address, finish=finish)
        except StepOver:
            return _over(request, wanted)
        except Problem as problem:
            return await ask(request, wanted, refused(values, problem, fields=(), secret=_SECRET))
        return response


def _passkey(router: Router, identity: Identity) -> None:
    @router.post(f"{ENROLMENT}/passkeys/options")
    async def options(request: Request) -> Response:
        """What `navigator.credentials.create()` takes."""
        await identity.parts.throttle.admit_factor(address=device_of(request).address)
        desk, holder = identity.parts.factors.desk, challenges.of_step(step_of(request))

        async def work(session: Session, step: Step) -> dict[str, Any]:
            return await desk.passkey_options(session, step.user, holder)

        return answered(await identity.parts.factors.proving.enrolling(step_of(request), work))

    @router.post(f"{ENROLMENT}/passkeys")
    async def add(request: Request) -> Response:
        """The first passkey: logged in, with ten recovery codes."""
        values, prove = await typed(request), identity.parts.factors.proving.register_passkey
        wanted = values.get("next", "")
        finish = finishing(identity, request, wanted)
        try:
            await identity.parts.throttle.admit_factor(address=device_of(request).address)
            credential = credential_of(values)
            response: Response = await prove(step_of(request), credential, name="", finish=finish)
        except StepOver:
            return _over(request, wanted)
        return response


def _over(request: Request, wanted: str) -> Response:
    return leave_for(request, LOG_IN, done="step-over", next=own_path(wanted, otherwise=""))
