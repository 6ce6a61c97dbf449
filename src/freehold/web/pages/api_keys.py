"""The page of one's API keys: make, shown this once, and revoke."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from freehold.errors import InsufficientAuthentication, Problem
from freehold.identity.api_keys import KeyDraft, NewKey
from freehold.identity.service import Identity
from freehold.resource.principal import system
from freehold.store.unit import Unit
from freehold.web.identity_api_keys import ScopeNames
from freehold.web.own_account import FRESH_ACCOUNT
from freehold.web.pages.forms import Form, refused, shown, typed
from freehold.web.pages.ids import id_of
from freehold.web.pages.messages import of_value
from freehold.web.pages.people import person_of
from freehold.web.pages.places import API_KEYS, leave_for
from freehold.web.pages.route import PageRoute
from freehold.web.pages.sections import section
from freehold.web.unit import Router, allow
from freehold.wording import phrase

_DAYS = ("30", "90", "180", "365")
_LONGEST_NAME = 100
_SCOPES: TypeAdapter[list[str]] = TypeAdapter(ScopeNames)


def api_keys_pages(identity: Identity) -> Router:
    """The list, and its forms. A key outlives the log-in that makes it, so that a fresh one is asked for."""
    router = Router(route_class=PageRoute, include_in_schema=False, dependencies=[allow(FRESH_ACCOUNT)])

    async def listed(request: Request, form: Form | None, made: NewKey | None = None) -> Response:
        person = await person_of(request, identity)
        async with identity.parts.database.reading(system("a user's own keys")) as session:
            rows = [_shown(row) for row in await identity.parts.api_keys.listed(session, person.id)]
        return await section(
            request, identity, "api_keys", here=API_KEYS, form=form, person=person, rows=rows, made=made, days=_DAYS
        )

    @router.get(API_KEYS)
    async def ask(request: Request) -> Response:
        """The keys that are good, and the form for another."""
        return await listed(request, Form({"days": "90"}))

    @router.post(API_KEYS)
    async def make(request: Request) -> Response:
        """Make one."""
        person, values = await person_of(request, identity), await typed(request)
        draft, faults = _draft(values)
        if draft is None:
            return await listed(request, Form(shown(values), faults, 422))

        async def work(unit: Unit) -> NewKey:
            return await identity.parts.api_keys.make(unit.session, draft, maker=person.caller)

        try:
            made = await identity.parts.database.run(system("a user's own keys"), work)
        except InsufficientAuthentication:
            raise
        except Problem as problem:
            return await listed(request, refused(values, problem, fields=("name", "scopes"), secret=()))
        return await listed(request, Form({"days": "90"}), made)

    @router.post(f"{API_KEYS}/revocation")
    async def revoke(request: Request) -> Response:
        """Revoke one of one's own: it is refused from now on."""
        person, wanted = await person_of(request, identity), id_of((await typed(request)).get("key", ""))

        async def work(unit: Unit) -> None:
            await identity.parts.api_keys.revoke(unit.session, wanted, owner_id=person.id)

        await identity.parts.database.run(system("a user's own keys"), work)
        return leave_for(request, API_KEYS, done="key-revoked")

    return router


def _draft(values: dict[str, str]) -> tuple[KeyDraft | None, dict[str, Any]]:
    """What was typed, or what is wrong with it."""
    name, days = values.get("name", "").strip(), values.get("days", "")
    faults: dict[str, Any] = {}
    if not name:
        faults["name"] = of_value("name", "missing", is_there=False)
    elif len(name) > _LONGEST_NAME or not name.isprintable():
        faults["name"] = of_value("name", "string_too_long", is_there=True)
    if days not in _DAYS:
        faults["days"] = phrase("Choose one of these.")
    scopes = frozenset(values.get("scopes", "").split())
    try:
        _SCOPES.validate_python(list(scopes))
    except ValidationError:
        faults["scopes"] = of_value("scopes", "value_error", is_there=True)
    if faults:
        return None, faults
    return KeyDraft(name, scopes=scopes, lifetime=timedelta(days=int(days))), {}


def _shown(row: Any) -> dict[str, Any]:
    names = ("id", "name", "prefix", "scopes", "created_at", "expires_at", "last_used_at")
    return {name: getattr(row, name) for name in names}
