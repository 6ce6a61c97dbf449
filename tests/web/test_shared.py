"""Two processes of one service, on one database and one Redis: what one has kept, the other gives; what one writes, the other
sees (H02, H03); and how they do without Redis (F03)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx2
import pytest

from freehold import Freehold
from freehold.cli.restore import forget_answers
from freehold.testing import House, Stage, opened
from tests.redis_server import OwnRedis, own_redis
from tests.waiting import until
from tests.web import shelf
from tests.web.kiosk import KIOSK, make
from tests.web.shelf import as_

pytestmark = pytest.mark.anyio
Client = httpx2.AsyncClient
LIST, DEAR = "/v1/kiosk-wares", "/v1/kiosk-wares/dear"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with own_redis(tmp_path_factory.mktemp("shared-redis")) as own:
        yield own


@pytest.fixture(scope="module")
async def houses(tmp_path_factory: pytest.TempPathFactory, server: OwnRedis) -> AsyncIterator[list[House]]:
    folder = tmp_path_factory.mktemp("shared")
    async with AsyncExitStack() as stack:
        url = f"sqlite+aiosqlite:///{folder}/kiosk.db"
        apps = [make(url, folder, redis_url=server.url, workers=2) for _ in range(2)]
        yield [await stack.enter_async_context(opened(app)) for app in apps]


@pytest.fixture
async def stages(houses: list[House]) -> AsyncIterator[list[Stage]]:
    KIOSK.clear()
    async with AsyncExitStack() as stack:
        found = [await stack.enter_async_context(house.stage(isolate=False, workers=False)) for house in houses]
        await look(found)
        yield found


async def look(stages: list[Stage]) -> None:
    """As everybody does twice a second: a first time to end what is over, and once more to see that it is."""
    for stage in (*stages, *stages):
        await stage.app.traffic.answers.store._silence.look()


@pytest.fixture
async def clients(stages: list[Stage]) -> AsyncIterator[list[Client]]:
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(stage.client()) for stage in stages]


async def ware(client: Client, name: str) -> None:
    answer = await client.post(LIST, json={"name": name, "is_public": True}, headers=as_("ada"))
    assert answer.status_code == 201, answer.text


async def dear(client: Client) -> list[str]:
    answer = await client.get(DEAR)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["names"])


async def test_H03_many_requests_to_several_processes_make_one_answer(clients: list[Client]) -> None:
    await ware(clients[0], "lamp")
    KIOSK.gate = asyncio.Event()
    asked = [asyncio.create_task(dear(clients[number % 2])) for number in range(100)]
    await KIOSK.began.wait()
    await asyncio.sleep(0.05)
    KIOSK.gate.set()
    assert {tuple(names) for names in await asyncio.gather(*asked)} == {("lamp",)}
    assert KIOSK.made == ["dear"]
    assert [await dear(client) for client in clients] == [["lamp"], ["lamp"]]
    assert KIOSK.made == ["dear"]


async def test_H02_a_write_in_one_process_is_seen_at_once_in_all(clients: list[Client]) -> None:
    one, other = clients
    for number, (writer, readers) in enumerate([(one, (other, one)), (other, (other, one))]):
        assert len(await dear(one)) == len(await dear(other)) == number
        await ware(writer, f"w{number}")
        assert [len(await dear(reader)) for reader in readers] == [number + 1] * 2
    assert KIOSK.made == ["dear"] * 3


async def test_H03_a_failing_loader_is_kept_nowhere(clients: list[Client]) -> None:
    KIOSK.fails = True
    answers = await asyncio.gather(*(client.get(DEAR) for client in clients for _ in range(5)))
    assert {answer.status_code for answer in answers} == {409}
    assert len(KIOSK.made) == 2, "each process tries for itself"
    KIOSK.fails = False
    assert [(await client.get(DEAR)).status_code for client in clients] == [200, 200]


async def test_H03_F03_without_redis_answers_are_made_anew_and_nothing_old_is_given(
    clients: list[Client], stages: list[Stage], server: OwnRedis
) -> None:
    await ware(clients[0], "lamp")
    assert [await dear(client) for client in clients] == [["lamp"], ["lamp"]]
    assert KIOSK.made == ["dear"]
    server.kill()
    try:
        assert [await dear(client) for client in clients] == [["lamp"], ["lamp"]]
        await ware(clients[0], "vase")
        assert [await dear(client) for client in clients] == [["lamp", "vase"]] * 2
        assert KIOSK.made == ["dear"] * 5
        assert {stage.app.health.is_degraded for stage in stages} == {False}, "nobody has looked yet"
        ready = await clients[0].get("/health/ready")
        assert (ready.status_code, ready.json()) == (200, {"status": "degraded"})
        refused = [(await client.get(f"{LIST}/hours")).status_code for client in clients]
        assert refused == [200, 200], "quotas are open"
    finally:
        server.start()
    await until(lambda: not any(stage.app.redis.is_away for stage in stages))
    await look(stages)
    KIOSK.made.clear()
    assert [await dear(client) for client in clients] == [["lamp", "vase"]] * 2
    assert KIOSK.made == ["dear"], "it is kept again"


async def test_H02_what_a_process_without_redis_writes_is_seen_by_those_who_have_it(
    clients: list[Client], stages: list[Stage]
) -> None:
    cut_off, whole = clients
    assert await dear(whole) == []
    redis = stages[0].app.redis
    assert redis is not None
    lane, redis._lane = redis._lane, None
    await ware(cut_off, "lamp")
    redis._lane = lane
    await asyncio.sleep(0)
    await stages[1].app.traffic.answers.store._silence.look()  # as everybody does twice a second
    assert await dear(whole) == ["lamp"]
    assert await dear(cut_off) == ["lamp"]


async def test_H02_what_was_kept_before_a_restore_is_given_no_more(
    clients: list[Client], server: OwnRedis, tmp_path: Path
) -> None:
    assert [await dear(client) for client in clients] == [[], []]
    notes: list[str] = []
    command_line = make(f"sqlite+aiosqlite:///{tmp_path}/other.db", tmp_path, redis_url=server.url)
    await forget_answers(command_line, notes)
    assert [await dear(client) for client in clients] == [[], []]
    assert (KIOSK.made, notes) == (["dear", "dear"], [])
    nowhere = make(f"sqlite+aiosqlite:///{tmp_path}/other.db", tmp_path, redis_url=f"{server.url}.nowhere")
    await forget_answers(nowhere, notes)
    assert notes and notes[0].startswith("Redis is away")


async def test_H02_a_process_that_keeps_nothing_itself_tells_the_others_of_its_commits(
    clients: list[Client], houses: list[House], server: OwnRedis, tmp_path: Path
) -> None:
    assert await dear(clients[0]) == []
    url = houses[0].app.settings.database_url
    async with opened(make(url, tmp_path, redis_url=server.url, cache_limit=0)) as house:
        assert house.app.traffic.answers is None
        async with house.stage(isolate=False, workers=False) as stage, stage.client() as client:
            await ware(client, "lamp")
            assert await dear(clients[0]) == ["lamp"]
            assert await dear(client) == ["lamp"]


@pytest.mark.parametrize("keeps", [True, False])
async def test_a_commit_of_a_service_that_keeps_no_answers_asks_redis_nothing(
    server: OwnRedis, tmp_path: Path, keeps: bool
) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/asked.db"
    app = make(url, tmp_path, redis_url=server.url, limits="off")
    if not keeps:
        app = Freehold(*shelf.resources(), title="Shelves", settings=app.settings, authenticator=shelf.ByName())
    async with opened(app) as house, house.stage(isolate=False, workers=False) as stage, stage.client() as client:

        async def asked() -> int:
            await asyncio.sleep(0.05)
            told = server.say("INFO commandstats").decode()
            return sum(
                int(line.split("calls=")[1].split(",")[0]) for line in told.splitlines() if "cmdstat_eval" in line
            )

        path = LIST if keeps else "/v1/shelves"
        before = await asked()
        made = await client.post(path, json={"name": "one"}, headers=as_("ada"))
        assert made.status_code == 201, made.text
        assert await asked() - before == (2 if keeps else 0)
