"""The registration page: the fields of the service's own schema, and one answer for all where accounts are concealed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from freehold.errors import Problem
from freehold.identity.addresses import EmailTaken
from freehold.identity.emails import email_key, login_key
from freehold.identity.languages import preferred
from freehold.identity.pages import Pages
from freehold.identity.schemas import plain
from freehold.identity.service import Identity
from freehold.resource.access import anyone
from freehold.resource.principal import system
from freehold.store.unit import Unit
from freehold.web.identity_parts import device_of
from freehold.web.pages.forms import Form, invalid, refused, typed
from freehold.web.pages.languages import wish, words_for
from freehold.web.pages.people import minimum_of_newcomers
from freehold.web.pages.places import REGISTRATION
from freehold.web.pages.rendering import page
from freehold.web.pages.route import PageRoute
from freehold.web.unit import Router, allow
from freehold.wording import Phrase, phrase

_PLAIN = ("full_name", "email", "password")
_SECRET = ("password",)


@dataclass(frozen=True, slots=True)
class Extra:
    """A field that the service has added. options: value and text of each, where it is a choice."""

    name: str
    label: Phrase | str
    is_required: bool
    options: list[tuple[str, Phrase | str]]


def registration_router(identity: Identity) -> Router:
    """The form, and what becomes of it."""
    router = Router(route_class=PageRoute, include_in_schema=False, dependencies=[allow(anyone)])
    extras = _extras(identity)

    async def shown(request: Request, form: Form) -> Response:
        words, minimum = words_for(request), minimum_of_newcomers(identity)
        labels = {"full_name": words.phrase("Name"), "email": words.phrase("E-mail")}
        labels |= {"password": words.phrase("Password"), **{each.name: words.say(each.label) for each in extras}}
        return await page(
            request, "registration", status=form.status, form=form, extras=extras, labels=labels, minimum=minimum
        )

    @router.get(REGISTRATION)
    async def ask(request: Request) -> Response:
        """The form."""
        return await shown(request, Form({}))

    @router.post(REGISTRATION)
    async def register(request: Request) -> Response:
        """Take it, or show it again."""
        values = await typed(request)
        fields = (*_PLAIN, *(each.name for each in extras))
        given = {name: values[name] for name in fields if values.get(name, "") != ""}
        try:
            await _register(identity, request, given)
        except ValidationError as error:
            await _count(identity, request, "")
            return await shown(request, invalid(values, error, secret=_SECRET))
        except Problem as problem:
            minimum = minimum_of_newcomers(identity)
            return await shown(request, refused(values, problem, fields=fields, minimum=minimum, secret=_SECRET))
        text = phrase("We have sent a link to {email}. Open it to confirm your address.", email=given["email"])
        return await page(request, "told", heading=phrase("Look into your mail"), text=text)

    return router


async def _register(identity: Identity, request: Request, given: Mapping[str, str]) -> None:
    """As `POST /v1/users` does. Raises ValidationError, and EmailTaken where accounts are not concealed."""
    parts = identity.parts
    draft: Any = identity.create.model_validate(given)
    await _count(identity, request, login_key(draft.email))
    password = plain(draft.password)
    has_factor = parts.factors.requirement.of_everyone  # which roles the account will have is not known yet
    parts.policy.check(password, names=(getattr(draft, "full_name", ""), draft.email), has_factor=has_factor)
    await parts.throttle.admit_letter("registration", recipient=email_key(draft.email))
    hashed = await parts.passwords.hash(password)
    language = preferred(wish(request), identity.languages)

    async def work(unit: Unit) -> None:
        if not parts.conceals_accounts:
            await parts.accounts.register(unit.session, draft, password_hash=hashed, language=language)
            return
        try:
            await parts.accounts.register_quietly(unit.session, draft, password_hash=hashed, language=language)
        except EmailTaken:  # by another, at this very moment
            await parts.accounts.tell_owner_of_registration(unit.session, draft.email)

    await parts.database.run(system("registration"), work)


async def _count(identity: Identity, request: Request, person: str) -> None:
    await identity.parts.throttle.admit("registration", address=device_of(request).address, person=person)


def _extras(identity: Identity) -> list[Extra]:
    """Fields beyond the plain ones. The language comes from the browser, and is changed on the account's page."""
    create: type[BaseModel] = identity.create
    labels = (identity.pages or Pages()).labels
    found = []
    for name, field in create.model_fields.items():
        if name in _PLAIN or name == "language":
            continue
        label = labels.get(name) or field.title or name.replace("_", " ").capitalize()
        values = _values(field.annotation)
        options: list[tuple[str, Phrase | str]] = [
            (value, labels.get(f"{name}.{value}", value.replace("_", " "))) for value in values
        ]
        if options and not field.is_required():
            options.insert(0, ("", ""))
        found.append(Extra(name, label, field.is_required(), options))
    return found


def _values(annotation: Any) -> list[str]:
    """What may be chosen, where a field is a choice of text."""
    if get_origin(annotation) is Literal:
        return [str(value) for value in get_args(annotation)]
    if get_origin(annotation) in (Union, UnionType):
        return [value for part in get_args(annotation) for value in _values(part)]
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return [str(member.value) for member in annotation]
    return []
