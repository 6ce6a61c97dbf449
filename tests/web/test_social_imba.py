"""Imba's client in Chromium: register and sign in by another provider, and be told what went wrong there."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from services.imba.service import build
from services.imba.settings import ImbaSettings
from services.imba.tests.browser import Tab, Tabs, launched

from freehold.settings import Settings
from tests.web.idp import CLIENT, SECRET, Issuer

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]


class Both:
    """Imba and an issuer, in a thread with a loop of its own: the browser's driver has one in the main thread."""

    def __init__(self, folder: Path, listener: socket.socket) -> None:
        self.issuer, self.folder, self.listener = Issuer(), folder, listener
        self.address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        self.server: Any = None
        self.thread = threading.Thread(target=lambda: asyncio.run(self._run()))

    async def _run(self) -> None:
        async with self.issuer.running():
            secret = SECRET.replace(":", "%3A").replace("/", "%2F").replace("?", "%3F").replace("&", "%26")
            named = self.issuer.url.replace("http://", f"acme=http://{CLIENT.replace(' ', '%20')}:{secret}@")
            settings = Settings(
                env="test", var_dir=self.folder, database_url=f"sqlite+aiosqlite:///{self.folder}/imba.db", limits="off",
                secret="x" * 40, public_url=self.address, login_oidc=named, log_level="error",
            )  # fmt: skip
            app = build(core=settings, own=ImbaSettings(), migrations=None)
            self.server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
            await self.server.serve([self.listener])


@pytest.fixture
def both(tmp_path: Path) -> Iterator[Both]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        found = Both(tmp_path, listener)
        found.thread.start()
        while (found.server is None or not found.server.started) and found.thread.is_alive():
            time.sleep(0.02)
        yield found
        found.server.should_exit = True
        found.thread.join(15)


def test_L03_imba_registers_and_signs_in_by_a_provider(both: Both) -> None:
    with launched() as browser:
        tabs = Tabs(browser, both.address)
        tab: Tab = tabs.open()
        page = tab.page
        page.goto(f"{both.address}/app/sign-in")
        page.get_by_role("button", name="Sign in with Acme").click()
        page.get_by_text("Sign in with Acme").wait_for()
        page.get_by_text("You have no account yet").wait_for()
        page.get_by_role("link", name="Register").last.click()
        page.get_by_text("Offer a home").click()
        page.get_by_role("button", name="Register with Acme").click()
        page.wait_for_url("**/app/my-homes")
        session = page.evaluate("JSON.parse(sessionStorage['imba.session']).access")
        assert session.count(".") == 2
        assert "login" not in page.url
        again = tabs.open().page
        again.goto(f"{both.address}/app/sign-in?back=/app/account")
        again.get_by_role("button", name="Sign in with Acme").click()
        again.wait_for_url("**/app/account")
        both.issuer.claims = {"nonce": "another"}
        third = tabs.open().page
        third.goto(f"{both.address}/app/sign-in")
        third.get_by_role("button", name="Sign in with Acme").click()
        third.get_by_text("Its answer could not be taken").wait_for()
        assert third.evaluate("sessionStorage['imba.session'] ?? null") is None
