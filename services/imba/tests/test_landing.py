"""The page at `/`."""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256

import pytest

from freehold.testing.stage import Stage

from .. import demo
from .world import Person

pytestmark = pytest.mark.anyio


class TestLanding:
    async def test_says_what_runs_and_links_to_everything(self, anonymous: Person) -> None:
        page = await anonymous.get("/")
        assert page.status == 200
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        links = re.findall(r'href="(/[^"]*)"', page.text)
        assert {"/docs", "/redoc", "/openapi.json", "/health/ready", "/walk-through", "/v1/properties"} <= {*links}
        for link in links:
            assert (await anonymous.get(link.replace("&amp;", "&"))).status == 200, link

    async def test_runs_nothing_and_loads_nothing(self, anonymous: Person) -> None:
        page = await anonymous.get("/")
        (style,) = re.findall(r"<style>(.*?)</style>", page.text, re.DOTALL)
        digest = b64encode(sha256(style.encode()).digest()).decode()
        policy = page.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'")
        assert f"'sha256-{digest}'" in policy
        assert "unsafe" not in policy
        assert "<script" not in page.text
        assert 'name="viewport"' in page.text

    async def test_names_demo_accounts_only_where_there_are_any(self, anonymous: Person, stage: Stage) -> None:
        assert demo.PASSWORD not in (await anonymous.get("/")).text
        await demo.load(stage.database)
        page = (await anonymous.get("/")).text
        assert demo.PASSWORD in page
        assert all(account.email in page for account in demo.ACCOUNTS)
