"""Proving once more who one is, before what protects the account is changed (A10)."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from freehold.errors import Problem
from freehold.identity.authentication import PASSWORD, Authentication
from freehold.identity.entry import FactorRequired
from freehold.identity.service import Identity
from freehold.resource.principal import system
from freehold.store.unit import Unit
from freehold.web.browser import renew_session, set_session
from freehold.web.own_account import ACCOUNT
from freehold.web.pages.forms import Form, refused, typed
from freehold.web.pages.goals import goal_of
from freehold.web.pages.people import Person, person_of
from freehold.web.pages.places import CONFIRM, leave_for
from freehold.web.pages.rendering import page
from freehold.web.pages.route import LogInFirst, PageRoute
from freehold.web.pages.step_cookie import second_step
from freehold.web.unit import Router, allow


def confirm_router(identity: Identity) -> Router:
    """By a factor where the account has one, else by the password."""
    router = Router(route_class=PageRoute, include_in_schema=False, dependencies=[allow(ACCOUNT)])

    async def shown(request: Request, person: Person, form: Form, wanted: str) -> Response:
        goal = goal_of(identity, wanted)
        has_links = identity.magic_links is not None
        return await page(
            request, "confirm", status=form.status, form=form, next=goal, person=person, has_links=has_links
        )

    @router.get(CONFIRM)
    async def ask(request: Request) -> Response:
        """The form; for an account with a second factor, the page that asks for it."""
        person, wanted = await person_of(request, identity), request.query_params.get("next", "")
        due = await _due(identity, person)
        return second_step(request, due, wanted) if due is not None else await shown(request, person, Form({}), wanted)

    @router.post(CONFIRM)
    async def confirm(request: Request) -> Response:
        """Judge the password; the session gets another value (C01)."""
        person, values = await person_of(request, identity), await typed(request)
        wanted, due = values.get("next", ""), await _due(identity, person)
        if due is not None:
            return second_step(request, due, wanted)
        try:
            await identity.parts.log_in.check(person.id, values.get("password", ""))
        except Problem as problem:
            form = refused(values, problem, fields=("password",), secret=("password", "next"), known="password")
            return await shown(request, person, form, wanted)
        response = leave_for(request, goal_of(identity, wanted))
        proof = Authentication(Authentication.by(PASSWORD).amr | person.caller.amr)

        async def work(unit: Unit) -> None:
            session = await renew_session(request, unit, authentication=proof)
            if session is None:
                raise LogInFirst
            set_session(response, session)

        await identity.parts.database.run(system("confirm a log-in"), work)
        return response

    return router


async def _due(identity: Identity, person: Person) -> FactorRequired | None:
    """The step by which this log-in proves a factor anew; None where the account has none."""
    caller, gate = person.caller, identity.parts.factors.gate
    if caller.session_id is None:
        raise LogInFirst
    session_id = caller.session_id

    async def work(unit: Unit) -> FactorRequired | None:
        return await gate.step_up(unit.session, person.id, session_id=session_id, scope=caller.scopes)

    return await identity.parts.database.run(system("step up"), work)
