"""The pages that mailed links lead to, and the one that asks for a new password."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from freehold.errors import Problem
from freehold.identity import one_time
from freehold.identity.emails import email_key, login_key, parse_email
from freehold.identity.service import Identity
from freehold.resource.access import anyone
from freehold.resource.principal import system
from freehold.store.unit import Unit
from freehold.web.identity_parts import check_password, device_of
from freehold.web.pages.forms import Form, refused, shown, typed
from freehold.web.pages.messages import of_value
from freehold.web.pages.places import LOG_IN, RESET, at, leave_for
from freehold.web.pages.rendering import page
from freehold.web.pages.route import PageRoute
from freehold.web.unit import Router, allow
from freehold.wording import phrase


def links_router(identity: Identity) -> Router:
    """Looking at a link uses nothing up: programs that read mail look at every link in it."""
    router = Router(route_class=PageRoute, include_in_schema=False, dependencies=[allow(anyone)])
    _verification(router, identity)
    _reset_asked(router, identity)
    _reset_set(router, identity)
    return router


def _verification(router: Router, identity: Identity) -> None:
    path = identity.paths.verification

    async def ask(request: Request, form: Form, token: str) -> Response:
        return await page(request, "verification", status=form.status, form=form, token=token, action=at(request, path))

    @router.get(path)
    async def asked(request: Request) -> Response:
        """The button."""
        return await ask(request, Form({}), request.query_params.get("token", ""))

    @router.post(path)
    async def verify(request: Request) -> Response:
        """Prove the address."""
        token = (await typed(request)).get("token", "")

        async def work(unit: Unit) -> None:
            await identity.parts.accounts.verify(unit.session, token)

        try:
            await identity.parts.database.run(system("verification"), work)
        except Problem as problem:
            return await ask(request, refused({}, problem, fields=(), secret=()), token)
        return leave_for(request, LOG_IN, done="verified")


def _reset_asked(router: Router, identity: Identity) -> None:
    @router.get(RESET)
    async def ask(request: Request) -> Response:
        """The form."""
        return await page(request, "reset_ask")

    @router.post(RESET)
    async def send(request: Request) -> Response:
        """Mail a link if the address has an account; the same answer if it has none (A01)."""
        values = await typed(request)
        email = values.get("email", "")
        try:
            address = parse_email(email.strip())
        except ValueError:
            fault = of_value("email", "value_error", is_there=bool(email.strip()))
            return await page(request, "reset_ask", status=422, form=Form(shown(values), {"email": fault}, 422))
        throttle = identity.parts.throttle
        try:
            await throttle.admit("reset", address=device_of(request).address, person=login_key(address))
            had_many = await throttle.has_had_many("reset", recipient=email_key(address))
        except Problem as problem:
            form = refused(values, problem, fields=(), secret=())
            return await page(request, "reset_ask", status=form.status, form=form)

        async def work(unit: Unit) -> None:
            # The look-up is a job's, so that neither answer nor time tells whether there is an account.
            await identity.reset_job.enqueue(unit.session, email_key=email_key(address), unless_fresh=had_many)

        await identity.parts.database.run(system("reset"), work)
        text = phrase("If {email} has an account, a link is on its way there.", email=address)
        return await page(request, "told", heading=phrase("Look into your mail"), text=text)


def _reset_set(router: Router, identity: Identity) -> None:
    path = identity.paths.reset

    async def ask(request: Request, form: Form, token: str) -> Response:
        minimum = identity.parts.policy.minimum
        return await page(
            request, "reset_set", status=form.status, form=form, token=token, minimum=minimum, action=at(request, path)
        )

    @router.get(path)
    async def asked(request: Request) -> Response:
        """The form."""
        return await ask(request, Form({}), request.query_params.get("token", ""))

    @router.post(path)
    async def reset(request: Request) -> Response:
        """Set the password. Every log-in ends."""
        values = await typed(request)
        token, password = values.get("token", ""), values.get("password", "")
        try:
            await _reset(identity, request, token, password)
        except Problem as problem:
            minimum = identity.parts.policy.minimum
            form = refused(values, problem, fields=("password",), minimum=minimum, secret=("password", "token"))
            return await ask(request, form, token)
        return leave_for(request, LOG_IN, done="reset")


async def _reset(identity: Identity, request: Request, token: str, password: str) -> None:
    parts = identity.parts
    await parts.throttle.admit("reset-confirmation", address=device_of(request).address, person=token)
    async with parts.database.reading(system("reset")) as session:
        proof = await one_time.find(session, token, purpose=one_time.RESET)
        check_password(identity, await parts.accounts.get(session, proof.user_id), password)
    hashed = await parts.passwords.hash(password)

    async def work(unit: Unit) -> None:
        await parts.accounts.reset_password(unit.session, token, hashed)

    await parts.database.run(system("reset"), work)
