"""A real browser keeps the session cookie over http on loopback, and no other page gets at it (C01, C03)."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from services.imba.tests.browser import launched
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from freehold import Freehold, Identity, UserMixin
from freehold.identity import Cost
from freehold.settings import Settings
from tests.bases import AccountBase as Base

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

PASSWORD = "lantern quarry velvet 42"
DOOR = "/v1/auth/browser-session"
LOG_IN = """async ([door, email, password]) => {
    const {csrf_token} = await (await fetch(door)).json();
    const headers = {'Content-Type': 'application/json', 'X-CSRF-Token': csrf_token};
    const body = JSON.stringify({email, password});
    const answer = await fetch(door, {method: 'POST', headers, body});
    const after = await (await fetch(door)).json();
    return [answer.status, after.is_signed_in, document.cookie];
}"""
# What a form, or a script without permission, can make a browser send; and what asks for permission first.
POST = """(address) => fetch(address, {method: 'POST', credentials: 'include', mode: 'no-cors', body: '{}'})"""
DELETE = """(address) => fetch(address, {method: 'DELETE', credentials: 'include'}).catch(error => String(error))"""


async def _page_of_others(_request: Request) -> HTMLResponse:
    return HTMLResponse("<title>another origin</title>")


class Caller(UserMixin, Base):
    __tablename__ = "test_chromium_callers"


@contextmanager
def served(app: Any) -> Iterator[int]:
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        time.sleep(0.02)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()


def _opened(browser: Any, address: str) -> Any:
    """A page of this address, which may ask whatever it likes."""
    page = browser.new_context(bypass_csp=True).new_page()
    page.goto(address)
    return page


def test_C01_C03_chromium_keeps_the_cookie_on_loopback_and_for_our_pages_alone(tmp_path: Path) -> None:
    settings = Settings(
        env="test", var_dir=tmp_path, database_url=f"sqlite+aiosqlite:///{tmp_path}/b.db", secret="s" * 40
    )
    app = Freehold(identity=Identity(user=Caller, cost=Cost(memory_kib=64, passes=1)), settings=settings)
    elsewhere = Starlette(routes=[Route("/", _page_of_others)])
    with served(app) as port, served(elsewhere) as others, launched() as browser:
        for name in ("127.0.0.1", "localhost"):
            page = _opened(browser, f"http://{name}:{port}{DOOR}")
            email = f"ada@{name.replace('127.0.0.1', 'loopback')}.example"
            made = page.request.post(
                f"http://{name}:{port}/v1/users",
                data={"email": email, "password": PASSWORD, "full_name": "Ada Lovelace"},
            )
            assert made.status == 201, made.text()
            assert page.evaluate(LOG_IN, [DOOR, email, PASSWORD]) == [201, True, ""], "no script sees the cookie"
            (cookie,) = [each for each in page.context.cookies() if each["name"] == "__Host-fh_session"]
            assert cookie["secure"]
            assert cookie["httpOnly"]
            assert cookie["sameSite"] == "Lax"
            # Another port is another origin of the same site: the cookie comes along, and the request is refused.
            address = f"http://{name}:{port}/v1/auth/verification"
            page.goto(f"http://{name}:{others}/")
            with page.expect_response(address) as answer:
                page.evaluate(POST, address)
            assert answer.value.status == 403
            assert "TypeError" in page.evaluate(DELETE, f"http://{name}:{port}{DOOR}")
            page.goto(f"http://{name}:{port}{DOOR}")
            assert page.evaluate(f"async () => (await (await fetch('{DOOR}')).json()).is_signed_in")
