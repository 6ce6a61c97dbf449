"""A log-in by an independent provider: npm's oidc-provider in a process of its own, with no special case for it."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from freehold import Freehold, Identity
from freehold.identity import Cost
from freehold.identity.social import OpenId
from freehold.settings import Settings
from freehold.testing import running
from tests.media.s3_server import absent
from tests.web.test_social import Browser, Guest, GuestCreate, me, told

pytestmark = [pytest.mark.anyio, pytest.mark.long, pytest.mark.services, pytest.mark.timeout(600)]
PROGRAM = Path(__file__).parent / "oidc" / "server.mjs"
CALLBACK = "https://testserver/v1/auth/providers/acme/callback"
CLIENT, SECRET = "freehold", "a secret: with / and + and %"


@pytest.fixture(scope="module")
def node() -> str:
    """Node.js, with the provider installed beside the program as its lock file says."""
    program, npm = shutil.which("node"), shutil.which("npm")
    if program is None or npm is None:
        absent("Node.js and npm are not on the PATH: `make services` installs them")
    assert program is not None
    assert npm is not None
    if not (PROGRAM.parent / "node_modules" / "oidc-provider").is_dir():
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        done = subprocess.run(command, cwd=PROGRAM.parent, capture_output=True, text=True, timeout=90, check=False)
        if done.returncode != 0:
            absent(f"npm cannot install oidc-provider: {done.stderr.strip()[-300:]}")
    return program


@pytest.fixture(params=["client_secret_basic", "client_secret_post"])
async def issuer(node: str, request: pytest.FixtureRequest) -> AsyncIterator[tuple[str, str]]:
    said = {"redirect": CALLBACK, "id": CLIENT, "secret": SECRET, "method": request.param}
    process = await asyncio.create_subprocess_exec(
        node, str(PROGRAM), json.dumps(said), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    assert process.stdout is not None
    try:
        while not (line := await process.stdout.readline()).startswith(b"{"):
            assert line, "the provider ended"
        yield json.loads(line)["issuer"], request.param
    finally:
        process.kill()
        await process.wait()


async def allowed(url: str, login: str) -> dict[str, str]:
    """What a person does there: log in, agree, be sent back."""
    async with httpx2.AsyncClient(follow_redirects=False) as client:
        answer = await client.get(url)
        for _ in range(12):
            if answer.is_redirect:
                where = str(answer.request.url.join(answer.headers["location"]))
                if where.startswith(CALLBACK):
                    return {name: value[0] for name, value in parse_qs(urlsplit(where).query).items()}
                answer = await client.get(where)
                continue
            action = re.search(r'action="([^"]+)"', answer.text)
            assert action is not None, answer.text
            form = {"prompt": "login", "login": login, "password": "x"}
            if 'name="login"' not in answer.text:
                form = {"prompt": "consent"}
            answer = await client.post(str(answer.request.url.join(action.group(1))), data=form)
    raise AssertionError("the provider does not come to an end")


async def test_L02_L03_a_log_in_by_an_independent_provider(issuer: tuple[str, str], tmp_path: Path) -> None:
    address, method = issuer
    settings = Settings(
        env="test", var_dir=tmp_path, database_url=f"sqlite+aiosqlite:///{tmp_path}/x.db", secret="x" * 40, limits="off",
        log_level="error", public_url="https://testserver",
    )  # fmt: skip
    provider: Any = OpenId("acme", address, CLIENT, SECRET, title="Acme", auth_method=method)
    identity = Identity(user=Guest, create=GuestCreate, log_in_by=[provider], cost=Cost(memory_kib=64, passes=1))
    async with running(Freehold(identity=identity, settings=settings), isolate=False) as stage:
        ids = []
        for _ in range(2):
            browser = Browser(stage)
            answer = await browser.back(await allowed(await browser.begin(), "ada"))
            assert told(answer) == {"login": "done"}
            ada = await me(stage, await browser.tokens())
            assert (ada["email"], ada["full_name"]) == ("ada@idp.example", "Ada Lovelace"), "told by user info alone"
            ids.append(ada["id"])
        assert ids[0] == ids[1]
        browser = Browser(stage)
        parameters = await allowed(await browser.begin(), "bob")
        assert told(await browser.back({**parameters, "code": parameters["code"][:-2]})) == {
            "login_error": "login.failed"
        }
