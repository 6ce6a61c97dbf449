"""The page of one's account: name, language, e-mail address, password."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from freehold.errors import Problem
from freehold.identity.emails import email_key, parse_email
from freehold.identity.service import Identity
from freehold.resource.principal import system
from freehold.store.unit import Unit
from freehold.web.browser import renew_session, set_session
from freehold.web.identity_parts import check_password, device_of
from freehold.web.own_account import ACCOUNT, FRESH_ACCOUNT
from freehold.web.pages.forms import Form, invalid, refused, shown, typed
from freehold.web.pages.languages import NAMES, languages
from freehold.web.pages.messages import of_value
from freehold.web.pages.people import Person, person_of
from freehold.web.pages.places import EMAIL, PASSWORD, ROOT, VERIFICATION, leave_for
from freehold.web.pages.route import PageRoute
from freehold.web.pages.sections import section
from freehold.web.unit import Router, allow


def account_router(identity: Identity) -> Router:
    """What anybody logged in may change, and what needs a log-in of the last minutes."""
    router = Router(route_class=PageRoute, include_in_schema=False)
    _profile(router, identity)
    _email(router, identity)
    _password(router, identity)
    return router


def _profile(router: Router, identity: Identity) -> None:
    async def ask(request: Request, person: Person, form: Form) -> Response:
        options = [("", ""), *((tag, NAMES.get(tag, tag)) for tag in identity.languages or languages())]
        return await section(request, identity, "account", here=ROOT, form=form, person=person, options=options)

    @router.get(ROOT, dependencies=[allow(ACCOUNT)])
    async def asked(request: Request) -> Response:
        """The form, with what there is."""
        person = await person_of(request, identity)
        return await ask(request, person, Form({"full_name": person.full_name, "language": person.language or ""}))

    @router.post(ROOT, dependencies=[allow(ACCOUNT)])
    async def change(request: Request) -> Response:
        """Change name and language, as the service's own schema allows."""
        person, values = await person_of(request, identity), await typed(request)
        given: dict[str, Any] = {"full_name": values.get("full_name", "")}
        if person.keeps_language and "language" in identity.update.model_fields:
            given["language"] = values.get("language") or None
        try:
            changes = identity.update.model_validate(given)
        except ValidationError as error:
            return await ask(request, person, invalid(values, error, secret=()))

        async def work(unit: Unit) -> None:
            user = await identity.parts.accounts.get(unit.session, person.id, lock=True)
            for name in changes.model_fields_set:
                setattr(user, name, getattr(changes, name))
            await unit.session.flush()

        await identity.parts.database.run(system("a user's own account"), work)
        return leave_for(request, ROOT, done="saved")

    @router.post(VERIFICATION, dependencies=[allow(ACCOUNT)])
    async def send_verification(request: Request) -> Response:
        """Mail the verification link again; earlier ones are dead."""
        person, parts = await person_of(request, identity), identity.parts
        await parts.throttle.admit("verification", address=device_of(request).address, person=str(person.id))
        await parts.throttle.admit_letter("verification", recipient=str(person.id))

        async def work(unit: Unit) -> None:
            user = await parts.accounts.get(unit.session, person.id)
            await parts.accounts.ask_for_verification(unit.session, user)

        await parts.database.run(system("a user's own verification"), work)
        return leave_for(request, ROOT, done="verification-sent")


def _email(router: Router, identity: Identity) -> None:
    @router.get(EMAIL, dependencies=[allow(FRESH_ACCOUNT)])
    async def ask(request: Request) -> Response:
        """The form."""
        return await section(request, identity, "email", here=ROOT)

    @router.post(EMAIL, dependencies=[allow(FRESH_ACCOUNT)])
    async def change(request: Request) -> Response:
        """Take on another address."""
        person, values, parts = await person_of(request, identity), await typed(request), identity.parts
        email = values.get("email", "").strip()
        try:
            address = parse_email(email)
        except ValueError:
            fault = of_value("email", "value_error", is_there=bool(email))
            form = Form(shown(values, secret=("current_password",)), {"email": fault}, 422)
            return await section(request, identity, "email", here=ROOT, form=form, person=person)

        async def work(unit: Unit) -> None:
            await parts.accounts.change_email(unit.session, person.id, address, conceals=parts.conceals_accounts)

        try:
            await parts.log_in.check(person.id, values.get("current_password", ""))
            await parts.throttle.admit_letter("email-change", recipient=email_key(address))
            await parts.database.run(system("a user's own address"), work)
        except Problem as problem:
            form = refused(
                values,
                problem,
                fields=("email", "current_password"),
                secret=("current_password",),
                known="current_password",
            )
            return await section(request, identity, "email", here=ROOT, form=form, person=person)
        return leave_for(request, ROOT, done="email")


def _password(router: Router, identity: Identity) -> None:
    fields = ("current_password", "new_password")

    async def ask(request: Request, form: Form | None) -> Response:
        person = await person_of(request, identity)
        return await section(request, identity, "password", here=ROOT, form=form, person=person, minimum=person.minimum)

    @router.get(PASSWORD, dependencies=[allow(FRESH_ACCOUNT)])
    async def asked(request: Request) -> Response:
        """The form."""
        return await ask(request, None)

    @router.post(PASSWORD, dependencies=[allow(FRESH_ACCOUNT)])
    async def change(request: Request) -> Response:
        """Set another password; every other log-in ends, and this browser's session gets another value (C01)."""
        person, values = await person_of(request, identity), await typed(request)
        response = leave_for(request, ROOT, done="password")
        try:
            await _set_password(identity, request, person, values, response)
        except Problem as problem:
            form = refused(values, problem, fields=fields, minimum=person.minimum, secret=fields, known=fields[0])
            return await ask(request, form)
        return response


async def _set_password(
    identity: Identity, request: Request, person: Person, values: dict[str, str], response: Response
) -> None:
    parts, password = identity.parts, values.get("new_password", "")
    async with parts.database.reading(system("a user's own names")) as session:
        check_password(identity, await parts.accounts.get(session, person.id), password, pointer="/new_password")
    await parts.log_in.check(person.id, values.get("current_password", ""))
    hashed = await parts.passwords.hash(password)

    async def work(unit: Unit) -> None:
        await parts.accounts.change_password(unit.session, person.id, hashed, keep=person.caller.session_id)
        session = await renew_session(request, unit)
        if session is not None:
            set_session(response, session)

    await parts.database.run(system("a user's own password"), work)
