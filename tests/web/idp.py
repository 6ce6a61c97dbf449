"""Providers for tests, in processes' own servers: an issuer whose every answer can be bent, and GitHub's three endpoints."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import secrets
import time
import warnings
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jws
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, OctKey, RSAKey

CLIENT, SECRET = "our client", "s:e/c?r&t"


class Site:
    """An HTTP server on a port of its own. counts: requests by path."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.is_down = False
        self.url = ""

    def answer(self, method: str, url: str, headers: dict[str, str], body: str) -> tuple[int, Any, dict[str, str]]:
        raise NotImplementedError

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request a connection, as the fetcher asks."""
        method, url, _ = (await reader.readline()).decode().split(" ", 2)
        headers: dict[str, str] = {}
        while line := (await reader.readline()).decode().strip():
            name, _, value = line.partition(": ")
            headers[name.lower()] = value
        body = (await reader.readexactly(int(headers.get("content-length", "0")))).decode()
        path = urlsplit(url).path
        self.counts[path] = self.counts.get(path, 0) + 1
        status, content, further = (503, {}, {}) if self.is_down else self.answer(method, url, headers, body)
        raw = json.dumps(content).encode()
        lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(raw)}", "Content-Type: application/json"]
        lines += [*(f"{name}: {value}" for name, value in further.items()), "Connection: close", "", ""]
        writer.write("\r\n".join(lines).encode() + raw)
        await writer.drain()
        writer.close()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with server:
            yield


def challenge_of(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


class Issuer(Site):
    """OpenID Connect by the book, until a test bends it.

    person: whom it knows. claims: laid over those of an ID token; a value of None takes one out. metadata: laid over its
    configuration. key, alg, kid: with which it signs. by_user_info: the e-mail is told there alone.
    """

    def __init__(self) -> None:
        super().__init__()
        self.person: dict[str, Any] = {}
        self.claims: dict[str, Any] = {}
        self.metadata: dict[str, Any] = {}
        self.keys: dict[str, Any] = {"one": RSAKey.generate_key(2048)}
        self.published: dict[str, Any] = dict(self.keys)
        self.kid, self.alg = "one", "RS256"
        self.by_user_info = False
        self.signed: Callable[[dict[str, Any]], str] | None = None
        self.codes: dict[str, dict[str, str]] = {}
        self.forget()

    def forget(self) -> None:
        """As it was at first."""
        self.person = {"sub": "p1", "email": "ada@example.org", "email_verified": True, "name": "Ada Lovelace"}
        self.claims, self.metadata, self.published = {}, {}, {"one": self.keys["one"]}
        self.counts.clear()
        self.kid, self.alg, self.by_user_info, self.signed, self.is_down = "one", "RS256", False, None, False

    def allow(self, url: str) -> dict[str, str]:
        """What the person's browser does there: the parameters that it comes back with."""
        asked = {name: value[0] for name, value in parse_qs(urlsplit(url).query).items()}
        assert asked["client_id"] == CLIENT
        assert asked["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(8)
        self.codes[code] = asked
        return {"code": code, "state": asked["state"], "iss": self.url}

    def answer(self, method: str, url: str, headers: dict[str, str], body: str) -> tuple[int, Any, dict[str, str]]:
        match urlsplit(url).path:
            case "/.well-known/openid-configuration":
                return 200, {**self._configuration(), **self.metadata}, {}
            case "/jwks":
                keys = [{**key.as_dict(private=False), "kid": kid, "use": "sig"} for kid, key in self.published.items()]
                return 200, {"keys": keys}, {"Cache-Control": "public, max-age=600"}
            case "/token":
                return self._token(headers, {name: value[0] for name, value in parse_qs(body).items()})
            case "/authorize":
                back = self.allow(url)
                return 303, {}, {"Location": f"{self.codes[back['code']]['redirect_uri']}?{urlencode(back)}"}
            case "/userinfo":
                return 200, {**self.person, **self.claims}, {}
        return 404, {}, {}

    def _configuration(self) -> dict[str, Any]:
        return {
            "issuer": self.url, "authorization_endpoint": f"{self.url}/authorize", "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/jwks", "userinfo_endpoint": f"{self.url}/userinfo",
            "id_token_signing_alg_values_supported": ["RS256", "ES256", "HS256", "none"],
            "authorization_response_iss_parameter_supported": True,
        }  # fmt: skip

    def _token(self, headers: dict[str, str], form: dict[str, str]) -> tuple[int, Any, dict[str, str]]:
        asked = self.codes.pop(form.get("code", ""), None)
        pair = base64.b64encode(urlencode({CLIENT: SECRET}).replace("+", "%20").replace("=", ":").encode()).decode()
        is_good = (
            asked is not None
            and headers.get("authorization") == f"Basic {pair}"
            and asked["redirect_uri"] == form["redirect_uri"]
            and asked["code_challenge"] == challenge_of(form["code_verifier"])
        )
        if not is_good or asked is None:
            return 400, {"error": "invalid_grant"}, {}
        now = int(time.time())
        told = {"sub": self.person["sub"]} if self.by_user_info else self.person
        claims = {
            "iss": self.url, "aud": CLIENT, "exp": now + 300, "iat": now, "nonce": asked["nonce"], **told, **self.claims
        }  # fmt: skip
        claims = {name: value for name, value in claims.items() if value is not None}
        return 200, {"access_token": "x", "token_type": "Bearer", "id_token": self._signed(claims)}, {}

    def _signed(self, claims: dict[str, Any]) -> str:
        if self.signed is not None:
            return self.signed(claims)
        header = {"alg": self.alg, "kid": self.kid}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SecurityWarning)  # EdDSA is the older name, which some issuers sign by
            return jws.serialize_compact(header, json.dumps(claims), self.keys[self.kid], algorithms=[self.alg])

    def unsigned(self, claims: dict[str, Any]) -> str:
        """`alg: none`."""
        parts = [json.dumps({"alg": "none"}), json.dumps(claims), ""]
        return ".".join(base64.urlsafe_b64encode(each.encode()).rstrip(b"=").decode() for each in parts)

    def by_shared_secret(self, claims: dict[str, Any]) -> str:
        """HS256 under the client's secret, and under the public key as if it were one."""
        key = OctKey.import_key(SECRET * 4)
        return jws.serialize_compact({"alg": "HS256", "kid": "one"}, json.dumps(claims), key, algorithms=["HS256"])

    def new_key(self, kid: str) -> None:
        """A second key, which signs from now on and is not published yet."""
        self.keys[kid] = ECKey.generate_key("P-256")
        self.kid, self.alg = kid, "ES256"


class GitHubSite(Site):
    """The endpoints of GitHub that a log-in asks."""

    def __init__(self) -> None:
        super().__init__()
        self.user: dict[str, Any] = {"id": 42, "login": "ada", "name": None, "email": "somebody@else.example"}
        self.emails: list[dict[str, Any]] = []
        self.codes: dict[str, dict[str, str]] = {}

    def allow(self, url: str) -> dict[str, str]:
        asked = {name: value[0] for name, value in parse_qs(urlsplit(url).query).items()}
        code = secrets.token_urlsafe(8)
        self.codes[code] = asked
        return {"code": code, "state": asked["state"]}

    def answer(self, method: str, url: str, headers: dict[str, str], body: str) -> tuple[int, Any, dict[str, str]]:
        path = urlsplit(url).path
        if path == "/login/oauth/access_token":
            form = {name: value[0] for name, value in parse_qs(body).items()}
            asked = self.codes.pop(form["code"], None)
            if asked is None or asked["code_challenge"] != challenge_of(form["code_verifier"]):
                return 200, {"error": "bad_verification_code"}, {}
            assert (form["client_id"], form["client_secret"]) == (CLIENT, SECRET)
            return 200, {"access_token": "gho_x", "token_type": "bearer", "scope": "read:user,user:email"}, {}
        if headers.get("authorization") != "Bearer gho_x":
            return 401, {}, {}
        return {"/api/v3/user": (200, self.user, {}), "/api/v3/user/emails": (200, self.emails, {})}.get(
            path, (404, {}, {})
        )
