"""A provider with people, clients and browsers."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit
from uuid import UUID

import httpx2

from freehold.identity.provider import Draft
from freehold.resource.principal import system
from freehold.testing import Stage

ISSUER = "https://testserver"
PASSWORD = "lantern quarry velvet 42"
CALLBACK = "https://planner.example/callback"
AFTER = "https://planner.example/bye"
VERIFIER = "a" * 20 + "-B_c.~" + "9" * 24
SCOPES = ("openid", "profile", "email", "offline_access", "notes:read")


def challenge_of(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def claims_in(token: str) -> dict[str, Any]:
    part = token.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=="))
    return found


def form_in(page: str) -> tuple[str, str, dict[str, str]]:
    """Method, action and hidden fields of the first form of a page, below its header."""
    form = re.search(r'<form method="(\w+)" action="([^"]+)"[^>]*>(.*?)</form>', page.partition("<main")[2], re.DOTALL)
    assert form is not None, page
    hidden = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', form[3])
    return form[1], html.unescape(form[2]), {name: html.unescape(value) for name, value in hidden}


def refreshed(page: str) -> str:
    """Where a page goes on to by itself; empty for one that stays."""
    found = re.search(r'http-equiv="refresh" content="0; url=([^"]+)"', page)
    return html.unescape(found[1]) if found else ""


class Hand:
    """A clock moved by hand."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def forward(self, **by: float) -> None:
        self.at += timedelta(**by)


@dataclass
class Registered:
    """A client and its secret; empty for a public one."""

    id: str
    secret: str = ""

    @property
    def basic(self) -> dict[str, str]:
        return {"Authorization": "Basic " + base64.b64encode(f"{self.id}:{self.secret}".encode()).decode()}

    def proof(self) -> dict[str, str]:
        """In the form."""
        return {"client_id": self.id, **({"client_secret": self.secret} if self.secret else {})}


@dataclass
class Answer:
    """Where a browser ended up: a page of ours, or an address of a client with its parameters."""

    page: httpx2.Response | None
    address: str = ""
    parameters: dict[str, str] = field(default_factory=dict)


class Browser:
    """Keeps cookies, follows redirects inside the provider, fills in its forms."""

    def __init__(self, stage: Stage) -> None:
        transport = httpx2.ASGITransport(app=stage.app, raise_app_exceptions=False)
        self.client = httpx2.AsyncClient(transport=transport, base_url=ISSUER)

    async def open(self, address: str) -> Answer:
        return await self._follow(await self.client.get(address))

    async def send(self, page: httpx2.Response, **filled: str) -> Answer:
        """Send the form of a page."""
        method, action, hidden = form_in(page.text)
        if method == "get":
            return await self.open(f"{action}?{urlencode(hidden | filled)}")
        return await self._follow(await self.client.post(action, data=hidden | filled))

    async def log_in(self, page: httpx2.Response, email: str, password: str = PASSWORD) -> Answer:
        return await self.send(page, email=email, password=password)

    async def _follow(self, answer: httpx2.Response) -> Answer:
        while address := answer.headers.get("location") or refreshed(answer.text):
            if urlsplit(address).netloc not in ("", "testserver"):
                bare, _, query = address.partition("?")
                return Answer(None, bare, dict(parse_qsl(query, keep_blank_values=True)))
            answer = await self.client.get(address)
        return Answer(answer)


class World:
    """Short ways to say what tests say often."""

    def __init__(self, stage: Stage) -> None:
        self.stage, self.app = stage, stage.app
        assert stage.app.identity is not None
        self.parts = stage.app.identity.parts
        assert self.parts.provider is not None
        self.provider = self.parts.provider
        transport = httpx2.ASGITransport(app=stage.app, raise_app_exceptions=False)
        self.client = httpx2.AsyncClient(transport=transport, base_url=ISSUER)

    async def person(self, email: str = "ada@example.com", *roles: str) -> UUID:
        body = {"email": email, "password": PASSWORD, "full_name": "Ada Lovelace"}
        made = await self.client.post("/v1/users", json=body)
        assert made.status_code == 201, made.text
        user_id = UUID(made.json()["id"])
        if roles:
            async with self.app.database.writing(system("test")) as unit:
                await self.parts.accounts.set_roles(unit.session, user_id, roles)
        return user_id

    async def bearer(self, email: str = "ada@example.com") -> dict[str, str]:
        form = {"grant_type": "password", "username": email, "password": PASSWORD}
        token = (await self.client.post("/v1/auth/token", data=form)).json()["access_token"]
        return {"Authorization": f"Bearer {token}"}

    async def register(self, **more: Any) -> Registered:
        wanted = {"name": "Planner", "redirect_uris": [CALLBACK], "scopes": SCOPES, **more}
        wanted.setdefault("post_logout_redirect_uris", [AFTER])
        async with self.app.database.writing(system("test")) as unit:
            client, secret = await self.provider.clients.add(unit.session, Draft(**wanted))
        return Registered(str(client.id), secret or "")

    def address(self, client: Registered, **changed: Any) -> str:
        """Of an authorization request; None leaves a parameter out."""
        asked = {
            "response_type": "code",
            "client_id": client.id,
            "redirect_uri": CALLBACK,
            "scope": "openid profile email",
            "state": "st ate&=",
            "nonce": "n-0",
            "code_challenge": challenge_of(VERIFIER),
            "code_challenge_method": "S256",
            **changed,
        }
        return "/oauth/authorize?" + urlencode({k: v for k, v in asked.items() if v is not None}, doseq=True)

    async def allowed(
        self, client: Registered, browser: Browser | None = None, *, email: str = "ada@example.com", **changed: Any
    ) -> dict[str, str]:
        """The answer at the redirect address, after a log-in and a consent where they are asked for."""
        browser = browser or Browser(self.stage)
        answer = await browser.open(self.address(client, **changed))
        if answer.page is not None and 'name="password"' in answer.page.text:
            answer = await browser.log_in(answer.page, email)
        if answer.page is not None:
            assert 'value="allow"' in answer.page.text, answer.page.text
            answer = await browser.send(answer.page, decision="allow")
        assert answer.address == changed.get("redirect_uri", CALLBACK), answer.page and answer.page.text
        return answer.parameters

    async def ask(self, client: Registered, *, headers: dict[str, str] | None = None, **form: Any) -> httpx2.Response:
        """The token endpoint, with the client's proof in the form."""
        return await self.client.post("/oauth/token", data={**client.proof(), **form}, headers=headers or {})

    async def exchange(self, client: Registered, code: str, **changed: Any) -> httpx2.Response:
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
        return await self.ask(client, **{**form, **changed})

    async def tokens(self, client: Registered, browser: Browser | None = None, **changed: Any) -> dict[str, Any]:
        """Everything from the request to the tokens."""
        code = (await self.allowed(client, browser, **changed))["code"]
        address = {"redirect_uri": changed["redirect_uri"]} if "redirect_uri" in changed else {}
        answer = await self.exchange(client, code, **address)
        assert answer.status_code == 200, answer.text
        given: dict[str, Any] = answer.json()
        return given

    async def refresh(self, client: Registered, token: str, **more: Any) -> httpx2.Response:
        return await self.ask(client, grant_type="refresh_token", refresh_token=token, **more)

    async def userinfo(self, token: str, scheme: str = "Bearer", **headers: str) -> httpx2.Response:
        return await self.client.get("/oauth/userinfo", headers={"Authorization": f"{scheme} {token}", **headers})

    async def is_good(self, token: str) -> bool:
        return (await self.userinfo(token)).status_code == 200
