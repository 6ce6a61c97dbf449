"""A site of somebody else's, whose people log in with their account of Imba."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx2
import pytest
from examples.partner_site.app import Imba, make_site
from services.imba.service import build
from services.imba.settings import ImbaSettings
from tests.web.oauth.world import form_in, refreshed

from freehold import Freehold, system
from freehold.identity.provider import Draft
from freehold.settings import Settings

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

IMBA, SITE = "https://imba.example", "https://moving.example"
ADA = {"email": "ada@example.com", "password": "lantern quarry velvet 42", "full_name": "Ada Lovelace"}


@pytest.fixture
async def imba(tmp_path: Path) -> AsyncIterator[Freehold]:
    core = Settings(
        env="test", var_dir=tmp_path, database_url=f"sqlite+aiosqlite:///{tmp_path}/imba.db", secret="s" * 40,
        limits="off", public_url=IMBA, log_level="error",
    )  # fmt: skip
    app = build(core=core, own=ImbaSettings(), migrations=None)
    async with app.router.lifespan_context(app):
        yield app


class Both:
    """A browser that reaches the two sites, and no other."""

    def __init__(self, **sites: Any) -> None:
        transports = {f"https://{name.replace('_', '.')}": httpx2.ASGITransport(app=app) for name, app in sites.items()}
        self.client = httpx2.AsyncClient(mounts=dict(transports), follow_redirects=True)

    async def fill(self, page: httpx2.Response, **filled: str) -> httpx2.Response:
        _, action, hidden = form_in(page.text)
        answer = await self.client.post(IMBA + action, data={**hidden, **filled})
        onward = refreshed(answer.text)
        return await self.client.get(urljoin(IMBA, onward)) if onward else answer


async def test_people_log_in_to_a_partner_site_with_imba(imba: Freehold) -> None:
    assert imba.identity is not None
    provider = imba.identity.parts.provider
    assert provider is not None
    draft = Draft(
        name="Moving Day", redirect_uris=[f"{SITE}/callback"], post_logout_redirect_uris=[f"{SITE}/"],
        scopes=["openid", "profile", "stays:read"],
    )  # fmt: skip
    async with imba.database.writing(system("test")) as unit:
        client, secret = await provider.clients.add(unit.session, draft)
    assert secret is not None
    way = httpx2.ASGITransport(app=imba)
    site = make_site(Imba(issuer=IMBA, here=SITE, client_id=str(client.id), client_secret=secret, transport=way))
    browser = Both(imba_example=imba, moving_example=site)
    async with browser.client as web:
        made = await web.post(f"{IMBA}/v1/users", json={**ADA, "account": "tenant"})
        assert made.status_code == 201, made.text
        log_in = await web.get(f"{SITE}/log-in")
        consent = await browser.fill(log_in, email=ADA["email"], password=ADA["password"])
        assert "See your stays and visits" in consent.text
        home = await browser.fill(consent, decision="allow")
        assert str(home.url) == f"{SITE}/"
        assert "Ada Lovelace, you have 0 stays." in home.text
        assert (await web.get(f"{SITE}/callback?code=x&state=y&iss={IMBA}")).status_code == 400
        away = await web.get(f"{SITE}/log-out")
        assert str(away.url) == f"{SITE}/"
        assert "Log in with Imba" in away.text
        assert 'name="password"' in (await web.get(f"{SITE}/log-in")).text
