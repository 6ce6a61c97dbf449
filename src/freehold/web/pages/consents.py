"""What one has allowed to applications of others, and taking it back (O07)."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from freehold.errors import NotFound
from freehold.identity.provider import ProviderParts, consents
from freehold.identity.service import Identity
from freehold.resource.principal import system
from freehold.store.unit import Unit
from freehold.web.own_account import ACCOUNT
from freehold.web.pages.forms import typed
from freehold.web.pages.ids import id_of
from freehold.web.pages.messages import of_scope
from freehold.web.pages.people import person_of
from freehold.web.pages.places import CONSENTS, leave_for
from freehold.web.pages.route import PageRoute
from freehold.web.pages.sections import section
from freehold.web.unit import Router, allow


def consents_pages(identity: Identity) -> Router:
    """The list, and the button beside each, where the service lets applications in."""
    router = Router(route_class=PageRoute, include_in_schema=False, dependencies=[allow(ACCOUNT)])

    @router.get(CONSENTS)
    async def listed(request: Request) -> Response:
        """Every application that may do something in the account's name."""
        person, provider = await person_of(request, identity), _provider(identity)
        async with identity.parts.database.reading(system("a user's own consents")) as session:
            rows = [
                {
                    "client_id": row.client_id,
                    "name": row.name,
                    "sentences": [of_scope(each, provider.sentences) for each in row.scope.split()],
                    "given_at": row.given_at,
                }
                for row in await consents.listed(session, person.id)
            ]
        return await section(request, identity, "consents", here=CONSENTS, person=person, rows=rows)

    @router.post(f"{CONSENTS}/withdrawal")
    async def withdraw(request: Request) -> Response:
        """Take one back: everything that the application holds of the account ends."""
        person, wanted = await person_of(request, identity), id_of((await typed(request)).get("client", ""))

        async def work(unit: Unit) -> None:
            if not await consents.withdraw(unit.session, _provider(identity).families, person.id, wanted):
                raise NotFound

        await identity.parts.database.run(system("a user's own consents"), work)
        return leave_for(request, CONSENTS, done="withdrawn")

    return router


def _provider(identity: Identity) -> ProviderParts:
    if identity.parts.provider is None:
        raise NotFound
    return identity.parts.provider
