"""The provider's pages in Chromium, in two languages: consent, device, log-out and refusals, as axe sees them (O15)."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx2
import pytest
from services.imba.tests.browser import launched

from freehold import Freehold
from freehold.identity.provider import Draft, Provider
from freehold.identity.provider.clients import DEVICE
from freehold.resource.principal import system
from freehold.web.pages.languages import catalogues
from tests.web.oauth.world import VERIFIER, challenge_of
from tests.web.pages.browser import Person, serving
from tests.web.pages.visitor import PASSWORD

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]
SCOPE = "openid profile email offline_access"


@asynccontextmanager
async def furnished(app: Freehold) -> AsyncIterator[None]:
    """With an application that a browser is sent by, and one on a device."""
    assert app.identity is not None and app.identity.parts.provider is not None
    clients, made = app.identity.parts.provider.clients, {}
    callback = f"{app.settings.public_url}/callback"
    async with app.database.writing(system("test")) as unit:
        for draft in (
            Draft(name="Planner", is_public=True, redirect_uris=[callback], scopes=SCOPE.split()),
            Draft(name="Television", is_public=True, redirect_uris=[], grants=[DEVICE], scopes=["openid"]),
        ):
            made[draft.name] = str((await clients.add(unit.session, draft))[0].id)
    (app.settings.var_dir / "clients.json").write_text(json.dumps(made))
    yield


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """Its address, and its folder."""
    var = tmp_path_factory.mktemp("var")
    with serving(var, lifespan=furnished, provider=Provider()) as address:
        yield address, var


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with launched() as browser:
        yield browser


class Words:
    """The pages in one language."""

    def __init__(self, language: str) -> None:
        self._messages = catalogues().words(language).messages

    def __call__(self, english: str, **values: str) -> str:
        return self._messages.get(english, english).format(**values)


@pytest.mark.parametrize("locale", ["en-GB", "es-ES"])
def test_an_application_and_a_device_are_let_in(chromium: Any, served: tuple[str, Path], locale: str) -> None:
    address, var = served
    clients, language = json.loads((var / "clients.json").read_text()), locale[:2]
    person, said, email = (
        Person(chromium, address, var / "mail", locale=locale),
        Words(language),
        f"{locale}@example.com",
    )
    person.open("/account/registration")
    person.fill(full_name="Rosalía de Castro", email=email, password=PASSWORD, kind="reader")
    person.page.locator("main button[type=submit]").click()
    person.page.get_by_role("heading", name=said("Look into your mail")).wait_for()

    asked = {
        "response_type": "code", "client_id": clients["Planner"], "redirect_uri": f"{address}/callback", "scope": SCOPE,
        "code_challenge": challenge_of(VERIFIER), "code_challenge_method": "S256",
    }  # fmt: skip
    person.open(f"/oauth/authorize?{urlencode(asked)}")
    person.fill(email=email, password=PASSWORD)
    person.press(said("Log in"))
    person.page.get_by_role("heading", name=said("Let {client} in?", client="Planner")).wait_for()
    person.seen(f"{language}-consent")
    if language != "en":
        english = [text for text in catalogues().words(language).messages if " " in text]
        assert [text for text in english if f">{text}<" in person.page.content()] == []
    person.page.locator("[value=allow]").focus()
    person.page.keyboard.press("Enter")
    person.page.wait_for_url(f"{address}/callback?code=*")

    form = {"client_id": clients["Television"], "scope": "openid"}
    begun = httpx2.post(f"{address}/oauth/device-authorization", data=form).json()
    person.open("/oauth/device")
    person.fill(user_code="BBBB-BBBB")
    person.page.keyboard.press("Enter")
    person.page.locator("#faults").wait_for()
    person.seen(f"{language}-device-refused")
    person.fill(user_code=begun["user_code"])
    person.page.keyboard.press("Enter")
    person.page.get_by_role("heading", name=said("Connect {client}?", client="Television")).wait_for()
    person.seen(f"{language}-device-consent")
    person.press(said("Allow"))
    person.page.get_by_role("heading", name=said("The device is connected")).wait_for()

    person.open("/oauth/authorize?client_id=nobody")
    person.page.get_by_text(said("The application is not known here.")).wait_for()
    person.seen(f"{language}-application-refused")
    person.open("/oauth/log-out")
    person.seen(f"{language}-log-out")
    person.page.locator("main button").click()
    person.page.get_by_text(said("You are logged out.")).wait_for()
    assert person.faults == []
    person.context.close()
