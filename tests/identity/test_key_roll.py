"""T12 with requests in flight, T14 with Redis gone: several applications on one database, as several processes are."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.redis_server import OwnRedis
from tests.web.office import Person as User

from freehold import Freehold, Identity
from freehold.identity import Cost
from freehold.identity import keys as key_ring
from freehold.resource import clock
from freehold.settings import Settings

pytestmark = [pytest.mark.anyio, pytest.mark.long]
PASSWORD = "lantern quarry velvet 42"


def served(folder: Path, url: str, **more: Any) -> Freehold:
    settings = Settings(
        env="test",
        var_dir=folder,
        database_url=url,
        secret="x" * 40,
        limits="off",
        log_level="error",
        deadline_seconds=300,
        **more,  # a machine that is busy with other things refuses nothing
    )
    return Freehold(identity=Identity(user=User, cost=Cost(memory_kib=64, passes=1)), settings=settings)


class Two:
    """Two applications on one database, and a client of each."""

    def __init__(self, apps: list[Freehold]) -> None:
        self.apps = apps
        self.clients = [
            httpx2.AsyncClient(
                transport=httpx2.ASGITransport(app, raise_app_exceptions=False), base_url="http://testserver"
            )
            for app in apps
        ]

    @property
    def client(self) -> httpx2.AsyncClient:
        """Either."""
        return random.choice(self.clients)

    async def log_in(self, email: str) -> dict[str, Any]:
        body = {"email": email, "password": PASSWORD, "full_name": "Ada"}
        assert (await self.client.post("/v1/users", json=body)).status_code == 201
        form = {"grant_type": "password", "username": email, "password": PASSWORD}
        given: dict[str, Any] = (await self.client.post("/v1/auth/token", data=form)).json()
        return given


async def me(client: httpx2.AsyncClient, token: str) -> int:
    return (await client.get("/v1/users/me", headers={"Authorization": f"Bearer {token}"})).status_code


@pytest.fixture
async def two(tmp_path: Path, postgres_url: str) -> AsyncIterator[Two]:
    async with AsyncExitStack() as stack:
        apps = [served(tmp_path / str(number), postgres_url) for number in range(2)]
        for app in apps:
            await stack.enter_async_context(app.router.lifespan_context(app))
        yield Two(apps)


async def test_T12_keys_roll_without_a_failed_request_though_many_are_in_flight(two: Two) -> None:
    """Nobody waits for the others: some are signed by the new key before another process has heard of it."""
    statuses: Counter[int] = Counter()
    given = [await two.log_in(f"p{number}@example.com") for number in range(4)]
    start, is_over = clock.now(), asyncio.Event()
    moved = [start]
    signers = set()

    async def person(mine: dict[str, Any]) -> None:
        while not is_over.is_set():
            form = {"grant_type": "refresh_token", "refresh_token": mine["refresh_token"]}
            answer = await two.client.post("/v1/auth/token", data=form)
            statuses[answer.status_code] += 1
            mine = answer.json()
            for status in await asyncio.gather(*(me(each, mine["access_token"]) for each in two.clients)):
                statuses[status] += 1

    clock.set_source(lambda: moved[0])
    people = [asyncio.create_task(person(mine)) for mine in given]
    try:
        for _ in range(5):
            for app in two.apps[:1]:  # as `freehold keys rotate` and the upkeep of one process do
                await app.identity.parts.keys.rotate()  # type: ignore[union-attr]
                signers.add((await app.identity.parts.keys.signing_key()).kid)  # type: ignore[union-attr]
            await asyncio.sleep(0.3)
            moved[0] += timedelta(minutes=3)
    finally:
        is_over.set()
        await asyncio.gather(*people)
        clock.set_source(None)
    assert set(statuses) == {200}, statuses
    assert statuses[200] > 30
    assert len(signers) > 1, "a new key did sign"


async def test_T12_requests_that_name_a_new_key_at_one_moment_all_wait_for_one_look(two: Two) -> None:
    mine = await two.log_in("ada@example.com")
    first, second = (app.identity.parts.keys for app in two.apps)  # type: ignore[union-attr]
    await first.rotate(immediately=True)
    form = {"grant_type": "refresh_token", "refresh_token": mine["refresh_token"]}
    token = (await two.clients[0].post("/v1/auth/token", data=form)).json()["access_token"]
    looks, reload = [], second.reload

    async def counted() -> None:
        looks.append(1)
        await asyncio.sleep(0.05)
        await reload()

    second.reload = counted  # type: ignore[method-assign]
    assert await asyncio.gather(*(me(two.clients[1], token) for _ in range(20))) == [200] * 20
    assert len(looks) == 1
    assert timedelta(seconds=1) <= key_ring.MISS_PAUSE


async def test_T14_with_redis_gone_no_revoked_token_is_waved_through(
    tmp_path: Path, postgres_url: str, redis_server: OwnRedis
) -> None:
    async with AsyncExitStack() as stack:
        apps = [served(tmp_path / str(number), postgres_url, redis_url=redis_server.url) for number in range(2)]
        for app in apps:
            await stack.enter_async_context(app.router.lifespan_context(app))
        two = Two(apps)
        ada, eve = await two.log_in("ada@example.com"), await two.log_in("eve@example.com")
        for client in two.clients:
            assert [await me(client, each["access_token"]) for each in (ada, eve)] == [200, 200]
        redis_server.kill()
        try:
            revoked = await two.clients[0].post("/v1/auth/revocation", data={"token": eve["refresh_token"]})
            assert revoked.status_code == 200
            assert await me(two.clients[0], eve["access_token"]) == 401, "at once where it was revoked"
            await asyncio.sleep(2.1)  # what another process remembers of a log-in, it remembers for two seconds
            assert await me(two.clients[1], eve["access_token"]) == 401
            assert [await me(client, ada["access_token"]) for client in two.clients] == [200, 200]
            form = {"grant_type": "refresh_token", "refresh_token": eve["refresh_token"]}
            assert (await two.clients[1].post("/v1/auth/token", data=form)).status_code == 401
        finally:
            redis_server.start()
