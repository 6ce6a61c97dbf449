"""The page of one's second factors: add, remove, new recovery codes. All of it asks who one is once more (M09)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from freehold.errors import InsufficientAuthentication, NotFound, Problem
from freehold.identity.authentication import TWO_FACTORS
from freehold.identity.factors import challenges, holdings
from freehold.identity.outcomes import outcome_of
from freehold.identity.service import Identity
from freehold.resource.principal import Principal, system
from freehold.store.unit import Unit
from freehold.web.guard import principal_of
from freehold.web.own_account import FRESH_ACCOUNT
from freehold.web.pages.forms import Form, refused, typed
from freehold.web.pages.ids import id_of
from freehold.web.pages.passkey_step import answered, credential_of
from freehold.web.pages.people import known_id, person_of
from freehold.web.pages.places import SECURITY, leave_for
from freehold.web.pages.qr import qr_code
from freehold.web.pages.route import PageRoute
from freehold.web.pages.sections import section
from freehold.web.unit import Router, allow

_LONGEST_NAME = 60
Work = Callable[[Unit, Any], Awaitable[Any]]


def security_pages(identity: Identity) -> Router:
    """The list and its forms."""
    router = Router(route_class=PageRoute, include_in_schema=False, dependencies=[allow(FRESH_ACCOUNT)])
    _shown(router, identity)
    _app(router, identity)
    _passkeys(router, identity)
    return router


def _shown(router: Router, identity: Identity) -> None:
    @router.get(SECURITY)
    async def listed(request: Request) -> Response:
        """The factors that there are."""
        return await factors_page(request, identity, None)

    @router.post(f"{SECURITY}/removal")
    async def remove(request: Request) -> Response:
        """Remove one. The last of an account that has to have one stays."""
        wanted = id_of((await typed(request)).get("factor", ""))

        async def work(unit: Unit, user: Any) -> None:
            await identity.parts.factors.desk.remove(unit.session, user, wanted)

        try:
            await own(identity, request, work)
        except InsufficientAuthentication:
            raise
        except Problem as problem:
            return await factors_page(request, identity, refused({}, problem, fields=(), secret=()))
        return leave_for(request, SECURITY, done="factor-removed")

    @router.post(f"{SECURITY}/recovery-codes")
    async def renew(request: Request) -> Response:
        """Ten new ones; the old ones are dead."""

        async def work(unit: Unit, user: Any) -> list[str]:
            return await identity.parts.factors.desk.renew_codes(unit.session, user)

        return await _codes(request, identity, await own(identity, request, work))


def _app(router: Router, identity: Identity) -> None:
    async def ask(request: Request, form: Form | None) -> Response:
        async def work(unit: Unit, user: Any) -> Any:
            return await identity.parts.factors.desk.enrol_totp(unit.session, user, name="")

        try:
            made = await own(identity, request, work)
        except InsufficientAuthentication:
            raise
        except Problem as problem:
            return await factors_page(request, identity, refused({}, problem, fields=(), secret=()))
        return await section(
            request, identity, "totp", here=SECURITY, form=form, secret=made.secret, qr=qr_code(made.uri),
            action=f"{SECURITY}/totp/confirmation",
        )  # fmt: skip

    @router.post(f"{SECURITY}/totp")
    async def enrol(request: Request) -> Response:
        """A secret, shown this once. It counts when its first code is confirmed."""
        return await ask(request, None)

    @router.post(f"{SECURITY}/totp/confirmation")
    async def confirm(request: Request) -> Response:
        """The first code. A wrong one makes another secret: the former is not shown again."""
        values = await typed(request)

        async def work(unit: Unit, user: Any) -> Any:
            return await identity.parts.factors.desk.confirm_totp(unit.session, user, values.get("code", "").strip())

        try:
            codes = await own(identity, request, work)
        except InsufficientAuthentication:
            raise
        except Problem as problem:
            return await ask(request, refused({}, problem, fields=(), secret=()))
        return await _codes(request, identity, list(codes))


def _passkeys(router: Router, identity: Identity) -> None:
    @router.post(f"{SECURITY}/passkeys/options")
    async def options(request: Request) -> Response:
        """What `navigator.credentials.create()` takes."""
        holder = _holder(await principal_of(request))

        async def work(unit: Unit, user: Any) -> dict[str, Any]:
            return await identity.parts.factors.desk.passkey_options(unit.session, user, holder)

        return answered(await own(identity, request, work))

    @router.post(f"{SECURITY}/passkeys")
    async def add(request: Request) -> Response:
        """Add what the browser made."""
        values, holder = await typed(request), _holder(await principal_of(request))
        name = "".join(character for character in values.get("name", "") if character.isprintable())[:_LONGEST_NAME]

        async def work(unit: Unit, user: Any) -> Any:
            desk = identity.parts.factors.desk
            return await desk.add_passkey(unit.session, user, holder, credential_of(values), name=name)

        try:
            added = await own(identity, request, work)
        except InsufficientAuthentication:
            raise
        except Problem as problem:
            return await factors_page(request, identity, refused({}, problem, fields=(), secret=()))
        return await _codes(request, identity, list(added.recovery_codes))


async def factors_page(request: Request, identity: Identity, form: Form | None) -> Response:
    """The list of factors, with what was wrong."""
    parts, person = identity.parts, await person_of(request, identity)
    async with parts.database.reading(system("a user's own factors")) as session:
        held = await holdings.listed(session, person.id)
        left = await parts.factors.desk.codes_left(session, person.id)
    has_app = any(each.kind == holdings.TOTP for each in held)
    return await section(
        request, identity, "security", here=SECURITY, form=form, person=person, scripts=True,
        held=held, left=left, has_app=has_app,
    )  # fmt: skip


async def _codes(request: Request, identity: Identity, codes: list[str]) -> Response:
    """New recovery codes, shown this once; back to the list where there are none."""
    if not codes:
        return leave_for(request, SECURITY, done="factor-added")
    return await section(request, identity, "codes", here=SECURITY, codes=codes, next=SECURITY)


async def own(identity: Identity, request: Request, work: Work) -> Any:
    """Work on the caller's own factors, their row locked; with a present factor where the account has one.

    A problem that the work returns is raised once the unit is committed.
    """
    caller = await principal_of(request)

    async def in_unit(unit: Unit) -> Any:
        user = await identity.parts.factors.steps.user(unit.session, known_id(caller))
        if user is None:
            raise NotFound
        if not caller.has_factor and await holdings.kinds(unit.session, user.id):
            raise InsufficientAuthentication(acr_values=TWO_FACTORS)
        return await work(unit, user)

    return await outcome_of(identity.parts.database.run(system("a user's own factors"), in_unit))


def _holder(caller: Principal) -> bytes:
    """Questions belong to the log-in that asked."""
    if caller.session_id is None:
        raise InsufficientAuthentication(max_age=300)
    return challenges.of_session(caller.session_id)
