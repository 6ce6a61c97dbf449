"""A log-in by another service of Freehold's, which acts as its provider: two of us, and nothing between them but the standard."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
import uvicorn
from sqlalchemy import MetaData

from freehold import Base as FreeholdBase
from freehold import Freehold, Identity, UserMixin, system
from freehold.identity import Cost, Pages
from freehold.identity.social import OpenId
from freehold.resource.base import NAMING
from freehold.settings import Settings
from freehold.testing import running
from tests.web.oauth.world import form_in, refreshed
from tests.web.test_social import PASSWORD, Browser, Guest, GuestCreate, me, told

pytestmark = [pytest.mark.anyio, pytest.mark.long]
oauth = pytest.importorskip("freehold.identity.provider", reason="this service cannot act as a provider yet")
CALLBACK = "https://testserver/v1/auth/providers/home/callback"
CHEAP = Cost(memory_kib=64, passes=1)


class Base(FreeholdBase):
    __abstract__ = True
    metadata = MetaData(naming_convention=NAMING)


class Resident(UserMixin, Base):
    __tablename__ = "own_provider_residents"


def settings(folder: Path, name: str, public_url: str) -> Settings:
    return Settings(
        env="test", var_dir=folder / name, database_url=f"sqlite+aiosqlite:///{folder}/{name}.db", secret="x" * 40,
        limits="off", log_level="error", public_url=public_url,
    )  # fmt: skip


@asynccontextmanager
async def served(app: Freehold, listener: socket.socket) -> AsyncIterator[None]:
    """The application on a socket, in this loop."""
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="on"))
    task = asyncio.create_task(server.serve([listener]))
    while not server.started:
        await asyncio.sleep(0.02)
        assert not task.done()
    try:
        yield
    finally:
        server.should_exit = True
        await task


async def allowed(app: Freehold, url: str) -> dict[str, str]:
    """What a person's browser does at the provider: log in, agree, be sent back. Its cookies are Secure, so https it is."""
    home = urlsplit(url).netloc
    transport = httpx2.ASGITransport(app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url=f"https://{home}") as client:
        answer = await client.get(url.replace("http://", "https://"))
        for _ in range(10):
            if answer.is_redirect:
                where = answer.headers["location"]
                if where.startswith(CALLBACK):
                    return {name: value[0] for name, value in parse_qs(urlsplit(where).query).items()}
                answer = await client.get(where.replace("http://", "https://"))
                continue
            if refreshed(answer.text):
                answer = await client.get(refreshed(answer.text))
                continue
            _, action, hidden = form_in(answer.text)
            typed = {"email": "ada@home.example", "password": PASSWORD}
            typed = typed if 'name="password"' in answer.text else {"decision": "allow"}
            answer = await client.post(action, data=hidden | typed)
    raise AssertionError("the provider does not come to an end")


async def test_L02_a_log_in_by_another_service_of_ours(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        issuer = f"http://127.0.0.1:{listener.getsockname()[1]}"
        home = Freehold(
            title="Home", settings=settings(tmp_path, "home", issuer),
            identity=Identity(user=Resident, cost=CHEAP, pages=Pages(), provider=oauth.Provider()),
        )  # fmt: skip
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(served(home, listener))
            async with httpx2.AsyncClient(base_url=issuer) as client:
                body = {"email": "ada@home.example", "password": PASSWORD, "full_name": "Ada Lovelace"}
                made: dict[str, Any] = (await client.post("/v1/users", json=body)).json()
            parts = home.identity.parts  # type: ignore[union-attr]
            assert parts.provider is not None
            async with home.database.writing(system("test")) as unit:
                draft = oauth.Draft(name="Site", redirect_uris=[CALLBACK], scopes=["openid", "profile", "email"])
                known, secret = await parts.provider.clients.add(unit.session, draft)
                await unit.session.execute(
                    Resident.__table__.update().values(email_verified_at=Resident.__table__.c.created_at)  # type: ignore[attr-defined]
                )
            provider = OpenId("home", issuer, str(known.id), secret or "", title="Home")
            site = Freehold(
                settings=settings(tmp_path, "site", "https://testserver"),
                identity=Identity(user=Guest, create=GuestCreate, log_in_by=[provider], cost=CHEAP),
            )
            stage = await stack.enter_async_context(running(site, isolate=False))
            ids = []
            for _ in range(2):
                browser = Browser(stage)
                answer = await browser.back(await allowed(home, await browser.begin("home")), "home")
                assert told(answer) == {"login": "done"}
                ada = await me(stage, await browser.tokens())
                assert (ada["email"], ada["full_name"]) == ("ada@home.example", "Ada Lovelace")
                ids.append(ada["id"])
            assert ids[0] == ids[1] != made["id"]
