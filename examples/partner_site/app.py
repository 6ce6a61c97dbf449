"""A partner site: people log in with Imba, and it shows them their stays. Any OpenID Connect library does the same.

Register it first:

    freehold clients add "Moving Day" --app services.imba.app:app --redirect https://moving.example/callback \
        --after-log-out https://moving.example/ --scope openid --scope profile --scope stays:read
"""

import secrets
from dataclasses import dataclass, field
from html import escape
from typing import Annotated, Any

from authlib.integrations.httpx_client import AsyncOAuth2Client
from fastapi import Cookie, FastAPI, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from httpx2 import AsyncBaseTransport
from joserfc import jwt
from joserfc.jwk import KeySet

COOKIE = "__Host-moving"


@dataclass
class Visit:
    """What this site knows of one browser."""

    state: str = ""
    nonce: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))
    id_token: str = ""
    name: str = ""
    stays: int = 0


class Imba:
    """Imba, as this site knows it. transport: another way to it than the network, for tests."""

    def __init__(
        self, *, issuer: str, here: str, client_id: str, client_secret: str, transport: AsyncBaseTransport | None = None
    ) -> None:
        self.issuer, self.here = issuer, here
        self._proof, self._transport = (client_id, client_secret), transport

    def _client(self) -> AsyncOAuth2Client:
        return AsyncOAuth2Client(
            *self._proof, redirect_uri=f"{self.here}/callback", scope="openid profile stays:read",
            code_challenge_method="S256", base_url=self.issuer, transport=self._transport,
        )  # fmt: skip

    async def _public(self, client: AsyncOAuth2Client, address: str) -> dict[str, Any]:
        answer = await client.request("GET", address, withhold_token=True)
        return answer.json()

    async def begin(self, visit: Visit) -> str:
        """Where to send the browser."""
        async with self._client() as client:
            metadata = await self._public(client, "/.well-known/openid-configuration")
            address, visit.state = client.create_authorization_url(
                metadata["authorization_endpoint"], code_verifier=visit.verifier, nonce=visit.nonce
            )
        return address

    async def finish(self, visit: Visit, code: str) -> None:
        """Take the person's tokens, and look at their stays."""
        async with self._client() as client:
            metadata = await self._public(client, "/.well-known/openid-configuration")
            tokens = await client.fetch_token(metadata["token_endpoint"], code=code, code_verifier=visit.verifier)
            keys = KeySet.import_key_set(await self._public(client, metadata["jwks_uri"]))
            said = jwt.decode(tokens["id_token"], keys, algorithms=["Ed25519"]).claims
            if (said["iss"], said["aud"], said["nonce"]) != (self.issuer, self._proof[0], visit.nonce):
                raise HTTPException(400, "This is no proof of a log-in here.")
            stays = await client.get("/v1/reservations?count=true")
        visit.id_token, visit.name, visit.stays = tokens["id_token"], said["name"], stays.json()["total"]


def make_site(imba: Imba) -> FastAPI:
    site, visits = FastAPI(), dict[str, Visit]()

    @site.get("/")
    async def home(moving: Annotated[str, Cookie(alias=COOKIE)] = "") -> HTMLResponse:
        visit = visits.get(moving, Visit())
        if not visit.name:
            return HTMLResponse('<a href="/log-in">Log in with Imba</a>')
        told = f"{escape(visit.name)}, you have {visit.stays} stays."
        return HTMLResponse(f'<p>{told}</p><a href="/log-out">Log out</a>')

    @site.get("/log-in")
    async def log_in() -> RedirectResponse:
        cookie, visit = secrets.token_urlsafe(32), Visit()
        visits[cookie] = visit
        answer = RedirectResponse(await imba.begin(visit), 303)
        answer.set_cookie(COOKIE, cookie, secure=True, httponly=True, samesite="lax")
        return answer

    @site.get("/callback")
    async def callback(request: Request, moving: Annotated[str, Cookie(alias=COOKIE)] = "") -> RedirectResponse:
        visit, given = visits.get(moving, Visit()), request.query_params
        if not visit.state or given.get("state") != visit.state or given.get("iss") != imba.issuer:
            raise HTTPException(400, "This answer does not belong to a log-in of yours.")
        visit.state = ""
        if "code" in given:
            await imba.finish(visit, given["code"])
        return RedirectResponse("/", 303)

    @site.get("/log-out")
    async def log_out(moving: Annotated[str, Cookie(alias=COOKIE)] = "") -> RedirectResponse:
        hint = visits.pop(moving, Visit()).id_token
        there = f"{imba.issuer}/oauth/log-out?id_token_hint={hint}&post_logout_redirect_uri={imba.here}/"
        return RedirectResponse(there, 303)

    return site
