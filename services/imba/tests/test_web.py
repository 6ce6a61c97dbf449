"""The client in Chromium: a tenant registers, finds a home and reserves it with keys alone; the landlord confirms."""

from __future__ import annotations

import asyncio
import io
import os
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn
from rich.console import Console

from .. import demo
from ..service import build
from ..settings import ImbaSettings
from . import browser
from .conftest import core

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

PASSWORD = "a quiet walk at dusk"
PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Imba with some of its demo data, on a real socket."""
    folder = tmp_path_factory.mktemp("web")
    app = build(core=core(f"sqlite+aiosqlite:///{folder}/imba.db", folder), own=ImbaSettings(), migrations=None)

    async def prepare() -> None:
        async with app.running():
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(demo, "LISTINGS", 60)
                await demo.load(app.database, console=Console(file=io.StringIO()))

    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))

        def serve() -> None:
            # In this thread alone: the browser's driver has a loop of its own in the main one.
            asyncio.run(prepare())
            server.run([listener])

        thread = threading.Thread(target=serve)
        thread.start()
        while not server.started and thread.is_alive():
            time.sleep(0.02)
        assert server.started
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join(15)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    program = browser.program()
    if program is None:
        message = (
            "no Chromium on the PATH; `make services` installs one on Debian, FREEHOLD_TEST_CHROMIUM names another"
        )
        if os.environ.get("FREEHOLD_REQUIRE_SERVICES") == "1":
            pytest.fail(message)
        pytest.skip(message)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield started
        started.close()


class Tab:
    """A person's browser. faults: errors of scripts and breaches of the content policy, of which there are none."""

    def __init__(self, browser: Any, address: str, **options: Any) -> None:
        self.page = browser.new_context(locale="en-GB", **options).new_page()
        self.page.set_default_timeout(20_000)
        self.address = address
        self.faults: list[str] = []
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", self._said)

    def _said(self, message: Any) -> None:
        # A refusal by the API is also written there by the browser; it is no fault of the client.
        if message.type == "error" and "the server responded with a status of" not in message.text:
            self.faults.append(message.text)

    def go(self, path: str) -> None:
        self.page.goto(f"{self.address}/app{path}")

    def sign_in(self, email: str) -> None:
        self.go("/sign-in")
        self.page.get_by_label("E-mail").fill(email)
        self.page.get_by_label("Password").fill(demo.PASSWORD)
        self.page.locator("main").get_by_role("button", name="Sign in").click()
        self.page.get_by_role("button", name="Sign out").wait_for()


def test_a_tenant_registers_and_reserves_with_keys_alone_and_the_landlord_confirms(chromium: Any, address: str) -> None:
    tenant = Tab(chromium, address)
    page = tenant.page
    tenant.go("/register")
    page.get_by_label("Full name").fill("Ben Lindqvist")
    page.get_by_label("E-mail").fill("ben@tenants.example")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Sign out").wait_for()
    page.get_by_label("What and where").fill("Kenmore")
    page.get_by_label("Offered").select_option("night")
    home = page.locator(".results .card-title a").first
    page.wait_for_url("**price_per=night**")
    page.locator(".results:not([aria-busy]) .card-kicker", has_text="Kenmore").first.wait_for()
    home.focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Reserve").wait_for()
    free = page.locator('.day[aria-label$=", free"]').nth(-3)
    free.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Reserve").focus()
    page.keyboard.press("Enter")
    page.locator(".badge.pending").wait_for()
    reserved = page.url.rpartition("/")[2]

    landlord = Tab(chromium, address)
    landlord.sign_in("landlord@demo.example")
    landlord.go(f"/stays/{reserved}")
    landlord.page.get_by_role("button", name="Confirm").click()
    landlord.page.locator(".badge.confirmed").wait_for()

    page.reload()
    page.locator(".badge.confirmed").wait_for()
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel it").click()
    page.locator(".badge.cancelled").wait_for()
    assert tenant.faults == []
    assert landlord.faults == []


def test_errors_stand_beside_the_fields_that_the_api_names(chromium: Any, address: str) -> None:
    tab = Tab(chromium, address)
    tab.go("/register")
    tab.page.get_by_label("Full name").fill("Ada Okafor")
    tab.page.get_by_label("E-mail").fill("nobody")
    tab.page.get_by_label("Password").fill("short")
    tab.page.locator("main").get_by_role("button", name="Register").click()
    email = tab.page.locator("[name=email]")
    tab.page.locator("[name=email][aria-invalid=true]").wait_for()
    assert "e-mail" in tab.page.locator(f"#{email.get_attribute('id')}-error").inner_text()
    assert email.evaluate("element => element === document.activeElement")
    tab.go("/sign-in")
    tab.page.get_by_label("E-mail").fill("nobody@tenants.example")
    tab.page.get_by_label("Password").fill("not the password")
    tab.page.locator("main").get_by_role("button", name="Sign in").click()
    summary = tab.page.locator(".summary")
    summary.wait_for()
    assert "Request" in summary.inner_text()
    assert tab.faults == []


def test_a_filter_that_the_api_refuses_is_marked(chromium: Any, address: str) -> None:
    tab = Tab(chromium, address)
    tab.go("/?bedrooms__gte=some")
    tab.page.locator("[name=bedrooms__gte][aria-invalid=true]").wait_for()
    assert tab.page.locator("#q-bedrooms__gte-error").inner_text() == "Expected an integer of at most 64 bits."


def test_a_phone_shows_every_view_without_scrolling_sideways(chromium: Any, address: str) -> None:
    tab = Tab(chromium, address, viewport=PHONE)
    tab.sign_in("tenant@demo.example")
    tab.go("/")
    first = tab.page.locator(".card-title a").first.get_attribute("href") or ""
    for path in ("/", first.partition("/app")[2], "/stays", "/account", "/nowhere"):
        tab.go(path)
        tab.page.locator("main:not(:has(.skeleton)) :is(h1, h2)").first.wait_for()
        assert tab.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, path
    assert tab.faults == []


def test_requests_at_once_share_one_refresh(chromium: Any, address: str) -> None:
    tab = Tab(chromium, address)
    tab.sign_in("tenant@demo.example")
    refreshes: list[str] = []
    tab.page.on("request", lambda sent: refreshes.append(sent.url) if sent.url.endswith("/v1/auth/token") else None)
    tab.page.evaluate(
        "() => { const kept = JSON.parse(sessionStorage['imba.session']);"
        " sessionStorage['imba.session'] = JSON.stringify({...kept, until: 0}); }"
    )
    tab.go("/account")
    tab.page.get_by_text("This one").wait_for()
    assert len(refreshes) == 1
    assert tab.page.get_by_role("banner").get_by_role("button", name="Sign out").is_visible()
    assert tab.faults == []
