"""One's data: all of it in a file, and the end of the account."""

from __future__ import annotations

import orjson
from starlette.requests import Request
from starlette.responses import Response

from freehold.errors import Problem
from freehold.identity.service import Identity
from freehold.resource.principal import system
from freehold.store.unit import Unit
from freehold.web.browser import clear_session
from freehold.web.own_account import FRESH_ACCOUNT
from freehold.web.pages.forms import refused, typed
from freehold.web.pages.people import person_of
from freehold.web.pages.places import DATA, LOG_IN, leave_for
from freehold.web.pages.rendering import HEADERS
from freehold.web.pages.route import PageRoute
from freehold.web.pages.sections import section
from freehold.web.unit import Router, allow

_PASSWORD = ("current_password",)


def data_pages(identity: Identity) -> Router:
    """The page, the file, the end."""
    router = Router(route_class=PageRoute, include_in_schema=False, dependencies=[allow(FRESH_ACCOUNT)])

    @router.get(DATA)
    async def ask(request: Request) -> Response:
        """Both forms."""
        return await section(request, identity, "data", here=DATA)

    @router.post(f"{DATA}/export")
    async def export(request: Request) -> Response:
        """Everything that is held, as JSON. A form and no link: no page of others can make a browser fetch it."""
        person = await person_of(request, identity)

        async def work(unit: Unit) -> dict[str, object]:
            return await identity.parts.personal_data.export(unit.session, person.id)

        held = await identity.parts.database.run(system("a user's own data"), work)
        headers = {**HEADERS, "Content-Disposition": 'attachment; filename="data.json"'}
        return Response(orjson.dumps(held, option=orjson.OPT_INDENT_2), headers=headers, media_type="application/json")

    @router.post(f"{DATA}/deletion")
    async def erase(request: Request) -> Response:
        """Erase the person's data. The password is asked for: this cannot be undone."""
        person, values = await person_of(request, identity), await typed(request)

        async def work(unit: Unit) -> None:
            await identity.parts.personal_data.erase(unit.session, person.id)

        try:
            await identity.parts.log_in.check(person.id, values.get("current_password", ""))
        except Problem as problem:
            form = refused(values, problem, fields=_PASSWORD, secret=_PASSWORD, known=_PASSWORD[0])
            return await section(request, identity, "data", here=DATA, form=form, person=person)
        await identity.parts.database.run(system("a user leaves"), work)
        response = leave_for(request, LOG_IN, done="erased")
        clear_session(response)
        return response

    return router
