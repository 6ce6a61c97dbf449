"""The pages of an account, side by side, with their navigation."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from freehold.identity.service import Identity
from freehold.web.pages import places
from freehold.web.pages.forms import Form
from freehold.web.pages.people import Person, person_of
from freehold.web.pages.rendering import page
from freehold.wording import Phrase, phrase


async def section(
    request: Request,
    identity: Identity,
    name: str,
    *,
    here: str,
    form: Form | None = None,
    scripts: bool = False,
    person: Person | None = None,
    **values: Any,
) -> Response:
    """A page of the account that is logged in. here: the section that it belongs to."""
    found = person or await person_of(request, identity)
    status = form.status if form is not None else 200
    return await page(
        request,
        name,
        status=status,
        form=form,
        scripts=scripts,
        person=found,
        sections=sections(identity),
        here=here,
        **values,
    )


def sections(identity: Identity) -> list[tuple[str, Phrase]]:
    """Their paths and names; those that this service has something for."""
    found = [
        (places.ROOT, phrase("Account")),
        (places.SECURITY, phrase("Security")),
        (places.SESSIONS, phrase("Log-ins")),
        (places.API_KEYS, phrase("API keys")),
    ]
    if identity.social is not None:
        found.append((places.LINKED, phrase("Linked log-ins")))
    if identity.provider is not None:
        found.append((places.CONSENTS, phrase("Consents")))
    return [*found, (places.DATA, phrase("Data"))]
