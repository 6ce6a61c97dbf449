"""Passkeys end to end: Chromium and its virtual authenticator make one, and log in with it, on a page served here."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi import Response
from services.imba.tests.browser import launched

from freehold import Base, Freehold, Identity, Router, UserMixin, allow, anyone
from freehold.settings import Settings

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

PASSWORD = "lantern quarry velvet 42"
router = Router()
_SCRIPT = """
const ask = async (path, body, token) => {
  const headers = { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) };
  const answer = await fetch(`/v1${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  return { status: answer.status, ...(await answer.json()) };
};
const logIn = async (username, password) => {
  const body = new URLSearchParams({ grant_type: 'password', username, password });
  return await (await fetch('/v1/auth/token', { method: 'POST', body })).json();
};
const addPasskey = async (token) => {
  const { public_key } = await ask('/auth/factors/passkeys/options', {}, token);
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(public_key);
  const credential = (await navigator.credentials.create({ publicKey })).toJSON();
  return await ask('/auth/factors/passkeys', { credential, name: 'this device' }, token);
};
const byPasskey = async (step) => {
  const { step_token, public_key } = await ask('/auth/passkey/options', step ? { step_token: step } : {});
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(public_key);
  const credential = (await navigator.credentials.get({ publicKey })).toJSON();
  return await ask('/auth/passkey', { step_token, credential });
};
const byCookie = async (email, password) => {
  const door = '/v1/auth/browser-session';
  const { csrf_token } = await (await fetch(door)).json();
  const headers = { 'content-type': 'application/json', 'x-csrf-token': csrf_token };
  const first = await fetch(door, { method: 'POST', headers, body: JSON.stringify({ email, password }) });
  const { code, step_token: step } = await first.json();
  const { public_key } = await ask('/auth/passkey/options', { step_token: step });
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(public_key);
  const credential = (await navigator.credentials.get({ publicKey })).toJSON();
  const body = JSON.stringify({ step_token: step, credential, browser_session: true });
  const without = await fetch('/v1/auth/passkey', { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  const second = await fetch('/v1/auth/passkey', { method: 'POST', headers, body });
  const after = await (await fetch(door)).json();
  return [code, without.status, second.status, after.is_signed_in, 'access_token' in (await second.json())];
};
Object.assign(window, { ask, logIn, addPasskey, byPasskey, byCookie });
"""


class Visitor(UserMixin, Base):
    __tablename__ = "test_visitors"


@router.get("/page", dependencies=[allow(anyone)])
async def page() -> Response:
    policy = {"Content-Security-Policy": "default-src 'self'"}
    return Response("<!doctype html><title>Passkeys</title><script src='/page.js'></script>", 200, policy, "text/html")


@router.get("/page.js", dependencies=[allow(anyone)])
async def script() -> Response:
    return Response(_SCRIPT, media_type="text/javascript")


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """The service, on the name that its passkeys belong to: an address of numbers can have none."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://localhost:{listener.getsockname()[1]}"
        settings = Settings(
            env="test",
            var_dir=tmp_path,
            database_url=f"sqlite+aiosqlite:///{tmp_path}/p.db",
            secret="s" * 40,
            public_url=url,
            limits="off",
            log_level="warning",
        )
        app = Freehold(settings=settings, identity=Identity(user=Visitor), routers=[router])
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        while not server.started and thread.is_alive():
            time.sleep(0.02)
        yield url
        server.should_exit = True
        thread.join(15)


@pytest.fixture
def tab(address: str) -> Iterator[Any]:
    """A page with the script, in a browser whose authenticator knows its user and consents at once."""
    with launched() as browser:
        context = browser.new_context()
        opened = context.new_page()
        devtools = context.new_cdp_session(opened)
        devtools.send("WebAuthn.enable")
        about = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }
        devtools.send("WebAuthn.addVirtualAuthenticator", {"options": about})
        opened.goto(f"{address}/page")
        yield opened


def test_M05_M07_chromium_registers_a_passkey_and_logs_in_with_it_alone_and_after_a_password(tab: Any) -> None:
    draft = {"email": "ada@example.com", "password": PASSWORD, "full_name": "Ada Lovelace"}
    assert tab.evaluate("draft => ask('/users', draft)", draft)["status"] == 201
    log_in = "password => logIn('ada@example.com', password)"
    weak = tab.evaluate(log_in, PASSWORD)
    added = tab.evaluate("token => addPasskey(token)", weak["access_token"])
    assert (added["status"], len(added["recovery_codes"])) == (201, 10), added
    alone = tab.evaluate("() => byPasskey()")
    assert alone["status"] == 200, alone
    due = tab.evaluate(log_in, PASSWORD)
    assert (due["code"], due["factors"]) == ("auth.factor_required", ["passkey", "recovery_code"])
    second = tab.evaluate("step => byPasskey(step)", due["step_token"])
    assert second["status"] == 200, second
    # The device has one for this account already: the browser is told so, and makes no second.
    with pytest.raises(Exception, match="InvalidStateError"):
        tab.evaluate("token => addPasskey(token)", second["access_token"])
    cookie = tab.evaluate("password => byCookie('ada@example.com', password)", PASSWORD)
    assert cookie == ["auth.factor_required", 403, 201, True, False], cookie
