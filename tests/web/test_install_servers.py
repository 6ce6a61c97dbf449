"""`install` with the servers that several processes share: one Redis for limits, and for the word that there is work."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import httpx2
import pytest
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from freehold import allow, anyone, install
from freehold.errors import ConfigurationError
from freehold.store.database import Database
from freehold.store.waking import Waking
from freehold.traffic import per_minute
from tests.redis_server import OwnRedis
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.anyio
SECRET = "s" * 40


def session() -> AsyncSession:
    raise AssertionError("Freehold puts its own in place of it")


def application(url: str, **servers: str) -> tuple[FastAPI, Database]:
    app = FastAPI(title="Adopted")

    @app.get("/limited", dependencies=[allow(anyone, quota=per_minute(3))])
    async def limited() -> str:
        return "one more"

    return app, install(app, create_async_engine(url), session=session, **servers)


async def test_two_processes_of_an_adopted_application_count_together(redis_server: OwnRedis, tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        clients = []
        for _ in range(2):
            app, _ = application(f"sqlite+aiosqlite:///{tmp_path}/a.db", redis=redis_server.url, secret=SECRET)
            await stack.enter_async_context(app.router.lifespan_context(app))
            transport = httpx2.ASGITransport(app=app)
            clients.append(
                await stack.enter_async_context(httpx2.AsyncClient(transport=transport, base_url="http://localhost"))
            )
        answers = [(await clients[number % 2].get("/limited")).status_code for number in range(4)]
    assert answers == [200, 200, 200, 429]


class Heard:
    """Somebody who waits for work."""

    def __init__(self) -> None:
        self.of_work = asyncio.Event()

    def wake(self) -> None:
        self.of_work.set()


async def test_what_one_process_leaves_to_do_wakes_the_other(redis_server: OwnRedis, tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        databases = []
        for _ in range(2):
            app, database = application(f"sqlite+aiosqlite:///{tmp_path}/b.db", redis=redis_server.url, secret=SECRET)
            await stack.enter_async_context(app.router.lifespan_context(app))
            databases.append(database)
        heard = Heard()
        databases[1].parts[Waking].register(heard)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not heard.of_work.is_set():  # what was said before it listened is not repeated
                databases[0].parts[Waking].announce()
                await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    ("servers", "said"),
    [
        ({"redis": "http://cache"}, r"install\(\.\.\., redis=\): write it as"),
        ({"broker": "kafka://x"}, r"install\(\.\.\., broker=\): write it as"),
        ({"redis": "redis://cache", "secret": "short"}, "needs secret=, 32 bytes"),
    ],
)
def test_F14_a_wrong_address_is_refused_by_its_argument(tmp_path: Path, servers: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        application(f"sqlite+aiosqlite:///{tmp_path}/c.db", **servers)
