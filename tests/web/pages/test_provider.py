"""Applications of others (O07, O15): log in on the service's pages on the way, and withdraw there what was allowed."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import urlencode

import pytest

from freehold import Freehold, Identity
from freehold.errors import ConfigurationError
from freehold.identity.provider import Draft, Provider
from freehold.resource.principal import system
from tests.web.oauth.world import CALLBACK, VERIFIER, challenge_of
from tests.web.pages.service import Member, application
from tests.web.pages.visitor import EMAIL, PASSWORD, Visitor

pytestmark = pytest.mark.anyio
LOG_IN = "/account/log-in"


@pytest.fixture(scope="module")
def app(module_database: str, tmp_path_factory: pytest.TempPathFactory) -> Freehold:
    settings = {"public_url": "https://testserver"}
    provider = Provider(scopes={"notes:read": "Read your notes"})
    return application(module_database, tmp_path_factory.mktemp("var"), settings=settings, provider=provider)


async def _client(app: Freehold) -> str:
    assert app.identity is not None
    provider = app.identity.parts.provider
    assert provider is not None
    async with app.database.writing(system("test")) as unit:
        draft = Draft(name="Planner", redirect_uris=[CALLBACK], scopes=("openid", "notes:read"))
        client, _ = await provider.clients.add(unit.session, draft)
    return str(client.id)


def _asked(client_id: str, **more: str) -> str:
    asked = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": CALLBACK,
        "scope": "openid notes:read",
        "code_challenge": challenge_of(VERIFIER),
        "code_challenge_method": "S256",
        **more,
    }
    return "/oauth/authorize?" + urlencode(asked)


async def test_O15_who_lets_an_application_in_logs_in_on_the_pages_of_the_service(
    app: Freehold, visitor: Visitor
) -> None:
    await visitor.register()
    await visitor.open(_asked(await _client(app), state="s" * 900))
    assert visitor.page.url.path == LOG_IN
    await visitor.fill_in(LOG_IN, email=EMAIL, password=PASSWORD)
    assert visitor.page.status_code == 200
    assert visitor.page.history[-1].headers["location"].startswith("/oauth/log-in/done?")
    gone_on = re.search(r'http-equiv="refresh" content="0; url=([^"]+)"', visitor.page.text)
    assert gone_on is not None, "a page, for browsers hold a redirect out of this site after a form"
    shown = await visitor.open(unescape(gone_on[1]))
    assert "Let Planner in?" in shown
    assert "Read your notes" in shown


async def test_O07_what_was_allowed_is_listed_and_withdrawn(app: Freehold, member: Visitor) -> None:
    assert "You have let no application in." in await member.open("/account/consents")
    await member.open(_asked(await _client(app)))
    member.client.follow_redirects = False
    await member.fill_in("/oauth/consent", decision="allow")
    assert member.page.headers["location"].startswith(CALLBACK)
    member.client.follow_redirects = True
    shown = await member.open("/account/consents")
    assert all(text in shown for text in ("Planner", "Read your notes"))
    withdrawal = "/account/consents/withdrawal"
    wrong = await member.fill_in(withdrawal, client="01890000-0000-7000-8000-000000000000")
    assert (member.page.status_code, "not there" in wrong) == (404, True)
    await member.open("/account/consents")
    shown = await member.fill_in(withdrawal)
    assert "The consent is withdrawn." in shown
    assert "Planner" not in shown


def test_a_provider_without_pages_stops_the_start() -> None:
    with pytest.raises(ConfigurationError, match=r"pages=Pages\(\)"):
        Identity(user=Member, provider=Provider())
