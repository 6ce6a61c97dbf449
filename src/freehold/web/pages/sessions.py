"""One's log-ins, listed and ended."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from freehold.errors import NotFound
from freehold.identity.locations import locations_of
from freehold.identity.service import Identity
from freehold.resource.principal import system
from freehold.store.unit import Unit
from freehold.web.browser import clear_session
from freehold.web.own_account import ACCOUNT
from freehold.web.pages.forms import typed
from freehold.web.pages.ids import id_of
from freehold.web.pages.languages import words_for
from freehold.web.pages.messages import device, place
from freehold.web.pages.people import person_of
from freehold.web.pages.places import LOG_IN, SESSIONS, leave_for
from freehold.web.pages.route import PageRoute
from freehold.web.pages.sections import section
from freehold.web.unit import Router, allow


def sessions_pages(identity: Identity) -> Router:
    """The list, and its two buttons."""
    router = Router(route_class=PageRoute, include_in_schema=False, dependencies=[allow(ACCOUNT)])

    @router.get(SESSIONS)
    async def listed(request: Request) -> Response:
        """Every open log-in of the account."""
        person, known = await person_of(request, identity), locations_of(identity.parts.database)
        language = words_for(request).language
        async with identity.parts.database.reading(system("a user's own log-ins")) as session:
            rows = [
                {
                    "id": row.id,
                    "device": device(row.user_agent),
                    "address": row.address,
                    "place": place(known.find(row.address), language),
                    "created_at": row.created_at,
                    "last_used_at": row.last_used_at,
                    "is_current": row.id == person.caller.session_id,
                }
                for row in await identity.parts.sessions.listed(session, person.id)
            ]
        return await section(request, identity, "sessions", here=SESSIONS, person=person, rows=rows)

    @router.post(f"{SESSIONS}/end")
    async def end(request: Request) -> Response:
        """End one of one's own."""
        person, wanted = await person_of(request, identity), id_of((await typed(request)).get("session", ""))

        async def work(unit: Unit) -> None:
            mine = {row.id for row in await identity.parts.sessions.listed(unit.session, person.id)}
            if wanted not in mine:
                raise NotFound
            await identity.parts.sessions.end(unit.session, wanted, by="logout")

        await identity.parts.database.run(system("a user's own log-ins"), work)
        if wanted == person.caller.session_id:
            return _logged_out(request)
        return leave_for(request, SESSIONS, done="session-ended")

    @router.post(f"{SESSIONS}/end-all")
    async def end_all(request: Request) -> Response:
        """End every one, this one too."""
        person = await person_of(request, identity)

        async def work(unit: Unit) -> None:
            await identity.parts.sessions.end_all(unit.session, person.id, by="logout")

        await identity.parts.database.run(system("a user's own log-ins"), work)
        return _logged_out(request)

    return router


def _logged_out(request: Request) -> Response:
    response = leave_for(request, LOG_IN, done="logged-out")
    clear_session(response)
    return response
