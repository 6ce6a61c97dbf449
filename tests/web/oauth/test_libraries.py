"""Relying-party libraries of others, against a served provider, with nothing set for it but its address (BEHAVIOURS O16).

Authlib (Python), openid-client and oauth4webapi (JavaScript), for a public and a confidential client.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.faults.served import Server
from tests.media.s3_server import absent
from tests.web.oauth.libraries.served_app import AFTER, CALLBACK
from tests.web.oauth.world import PASSWORD, form_in, refreshed

pytestmark = [pytest.mark.anyio, pytest.mark.long, pytest.mark.timeout(600)]
LIBRARIES = Path(__file__).parent / "libraries"


@pytest.fixture(scope="module")
def node() -> str:
    """Node.js, with the libraries installed as their lock file says."""
    program, npm = shutil.which("node"), shutil.which("npm")
    if program is None or npm is None:
        absent("Node.js and npm are not on the PATH: `make services` installs them")
    assert program is not None
    assert npm is not None
    if not (LIBRARIES / "node_modules" / "openid-client").is_dir():
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        done = subprocess.run(command, cwd=LIBRARIES, capture_output=True, text=True, timeout=60, check=False)
        if done.returncode != 0:
            absent(f"npm cannot install the libraries: {done.stderr.strip()[-300:]}")
    return program


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    found = Server(
        f"sqlite+aiosqlite:///{tmp_path}/test.db", tmp_path, target="tests.web.oauth.libraries.served_app:app"
    )
    found._environment["FREEHOLD_PUBLIC_URL"] = f"http://127.0.0.1:{found.port}"
    await found.start()
    yield found
    found.close()


class Person:
    """Somebody at a browser, which takes 127.0.0.1 for a secure context and so sends Secure cookies there."""

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer
        self.client = httpx2.AsyncClient(base_url=issuer)
        self.cookies: dict[str, str] = {}

    async def ask(self, method: str, address: str, **more: Any) -> httpx2.Response:
        sent = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())} if self.cookies else {}
        answer = await self.client.request(method, address, headers=sent, **more)
        self.client.cookies.clear()
        for line in answer.headers.get_list("set-cookie"):
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value
        if answer.is_redirect and not answer.headers["location"].startswith("https://planner.example"):
            return await self.ask("GET", answer.headers["location"])
        going_on = "" if answer.is_redirect else refreshed(answer.text)
        return await self.ask("GET", going_on) if going_on else answer

    async def fill(self, page: httpx2.Response, **filled: str) -> httpx2.Response:
        _, action, hidden = form_in(page.text)
        return await self.ask("POST", action, data={**hidden, **filled})

    async def let_in(self, address: str) -> str:
        """Log in and agree; the address that the client is called back at."""
        page = await self.ask("GET", address)
        page = await self.fill(page, email="ada@example.com", password=PASSWORD)
        answer = await self.fill(page, decision="allow")
        assert answer.headers["location"].startswith(CALLBACK), answer.text
        return str(answer.headers["location"])


@pytest.fixture
async def person(server: Server) -> AsyncIterator[Person]:
    found = Person(f"http://127.0.0.1:{server.port}")
    yield found
    await found.client.aclose()


def client_of(person: Person, tmp_path: Path, kind: str) -> dict[str, Any]:
    made: dict[str, Any] = json.loads((tmp_path / "clients.json").read_text())[kind]
    return {"issuer": person.issuer, "redirect_uri": CALLBACK, "after": AFTER, **made}


async def the_person_logs_out(person: Person, end: str) -> None:
    answer = await person.ask("GET", end)
    assert answer.headers["location"] == f"{AFTER}?state=bye", answer.text
    page = await person.ask("GET", "/oauth/device")
    assert 'name="password"' in page.text


@pytest.mark.parametrize("kind", ["public", "confidential"])
@pytest.mark.parametrize("library", ["openid-client", "oauth4webapi"])
async def test_O16_libraries_in_javascript(node: str, person: Person, tmp_path: Path, library: str, kind: str) -> None:
    given = client_of(person, tmp_path, kind)
    program = await asyncio.create_subprocess_exec(
        node, str(LIBRARIES / f"{library}.mjs"), json.dumps(given), stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert program.stdout is not None
    first = await program.stdout.readline()
    if not first:
        raise AssertionError((await program.communicate())[1].decode())
    callback = await person.let_in(json.loads(first)["address"])
    out, err = await program.communicate(callback.encode() + b"\n")
    assert program.returncode == 0, err.decode()
    said = json.loads(out)
    assert said["claims"]["sub"] == said["user"]["sub"]
    assert (said["user"]["email"], said["user"]["name"], said["rotated"]) == ("ada@example.com", "Ada Lovelace", True)
    assert said.get("active", True) is True
    await the_person_logs_out(person, said["end"])


@pytest.mark.parametrize("kind", ["public", "confidential"])
async def test_O16_authlib(person: Person, tmp_path: Path, kind: str) -> None:
    from authlib.integrations.httpx_client import AsyncOAuth2Client
    from joserfc import jwt
    from joserfc.jwk import KeySet

    given = client_of(person, tmp_path, kind)
    async with httpx2.AsyncClient() as http:
        metadata = (await http.get(given["issuer"] + "/.well-known/openid-configuration")).json()
        keys = (await http.get(metadata["jwks_uri"])).json()
    method = "client_secret_basic" if given["client_secret"] else "none"
    client = AsyncOAuth2Client(
        given["client_id"], given["client_secret"], scope="openid profile email", redirect_uri=CALLBACK,
        token_endpoint_auth_method=method, code_challenge_method="S256",
    )  # fmt: skip
    address, state = client.create_authorization_url(
        metadata["authorization_endpoint"], code_verifier="v" * 50, nonce="n"
    )
    callback = await person.let_in(address)
    token = await client.fetch_token(
        metadata["token_endpoint"], authorization_response=callback, state=state, code_verifier="v" * 50
    )
    claims = jwt.decode(
        token["id_token"], KeySet.import_key_set(keys), algorithms=metadata["id_token_signing_alg_values_supported"]
    ).claims
    assert (claims["iss"], claims["aud"], claims["nonce"]) == (given["issuer"], given["client_id"], "n")
    fresh = await client.refresh_token(metadata["token_endpoint"], refresh_token=token["refresh_token"])
    assert fresh["refresh_token"] != token["refresh_token"]
    user = (await client.get(metadata["userinfo_endpoint"])).json()
    assert (user["sub"], user["email"]) == (claims["sub"], "ada@example.com")
    await client.aclose()
    end = f"{metadata['end_session_endpoint']}?id_token_hint={token['id_token']}&post_logout_redirect_uri={AFTER}&state=bye"
    await the_person_logs_out(person, end)
