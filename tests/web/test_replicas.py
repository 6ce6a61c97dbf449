"""Read replicas: a real one follows a real primary, is held up, killed, frozen, and nobody is ever shown less than was told."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import httpx2
import pytest
from sqlalchemy import make_url

from freehold import Freehold
from freehold.errors import ConfigurationError
from freehold.store.ledger import LEDGER
from freehold.store.replicas import Replicas
from freehold.testing import opened
from freehold.traffic import positions_redis
from tests.postgres_cluster import Cluster, cluster
from tests.redis_server import OwnRedis, own_redis
from tests.store.roles import walled
from tests.web import replicated
from tests.web.shelf import as_

pytestmark = [pytest.mark.anyio, pytest.mark.long, pytest.mark.timeout(600)]
NOTES, DIARIES = "/v1/replicated-notes", "/v1/replicated-diaries"
Client = httpx2.AsyncClient


@pytest.fixture(scope="module")
def primary() -> Iterator[Cluster]:
    with cluster() as server:
        yield server


@pytest.fixture(scope="module")
def replica(primary: Cluster) -> Iterator[Cluster]:
    with cluster(of=primary) as server:
        yield server


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnRedis]:
    with own_redis(tmp_path_factory.mktemp("replicas-redis")) as server:
        yield server


@dataclass
class Service:
    """Two processes of one service, and who answered their reads."""

    apps: list[Freehold]
    clients: list[Client]

    @property
    def went(self) -> Counter[str]:
        found: Counter[str] = Counter()
        for app in self.apps:
            for line in app.metrics.exposition().decode().splitlines():
                if line.startswith("freehold_reads_total{"):
                    found[line.split('"')[1]] += int(float(line.split()[-1]))
        return found

    async def made(self, text: str, *, by: int = 0) -> str:
        answer = await self.clients[by].post(NOTES, json={"text": text})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def until_replica(self) -> None:
        """Until reads of notes are answered by the replica, in both processes."""
        for client in self.clients:
            for _ in range(1_000):
                before = self.went["replica"]
                assert (await client.get(NOTES)).status_code == 200
                if self.went["replica"] > before:
                    break
                await asyncio.sleep(0.05)
            else:
                pytest.fail(f"no read went to the replica: {self.went}")


@asynccontextmanager
async def served(
    url: str, folder: Path, redis: list[str], replicas: tuple[str, ...], **settings: object
) -> AsyncIterator[Service]:
    async with AsyncExitStack() as stack:
        apps = [
            replicated.make(url, folder, redis_url=each, replicas=replicas, workers=2, **settings) for each in redis
        ]
        for app in apps:
            await stack.enter_async_context(opened(app))
        transports = [httpx2.ASGITransport(app=app) for app in apps]
        clients = [
            await stack.enter_async_context(Client(transport=each, base_url="http://127.0.0.1")) for each in transports
        ]
        yield Service(apps, clients)


@pytest.fixture
async def service(primary: Cluster, replica: Cluster, redis: OwnRedis, tmp_path: Path) -> AsyncIterator[Service]:
    async with served(primary.url, tmp_path, [redis.url] * 2, (replica.host,)) as found:
        yield found


async def at(server: Cluster, statement: str) -> None:
    connection = await asyncpg.connect(server.url.replace("+asyncpg", ""))
    await connection.execute(statement)
    await connection.close()


@asynccontextmanager
async def held_up(replica: Cluster) -> AsyncIterator[None]:
    """It takes what the primary sends and replays none of it."""
    await at(replica, "SELECT pg_wal_replay_pause()")
    try:
        yield
    finally:
        await at(replica, "SELECT pg_wal_replay_resume()")


async def test_a_replica_answers_reads_as_the_primary_does(service: Service) -> None:
    key = await service.made("first")
    before = (await service.clients[0].get(f"{NOTES}/{key}")).content
    await service.until_replica()
    for path in (NOTES, f"{NOTES}/{key}", f"{NOTES}/counted"):
        await asyncio.gather(*(client.get(path) for client in service.clients))  # what it reads is seen at first
    went = service.went["replica"]
    answers = [await client.get(f"{NOTES}/{key}") for client in service.clients]
    answers.append(await service.clients[0].get(f"{NOTES}/counted"))
    assert [answer.status_code for answer in answers] == [200] * 3
    assert answers[0].content == answers[1].content == before
    assert service.went["replica"] == went + 3
    refused = await service.clients[0].get(f"{NOTES}/{key}", headers={"If-None-Match": answers[0].headers["etag"]})
    assert refused.status_code == 304


async def test_a_write_is_seen_at_once_in_every_process_by_whoever_made_it(service: Service, replica: Cluster) -> None:
    await service.until_replica()
    kept = [(await client.get(f"{NOTES}/kept")).json()["notes"] for client in service.clients]
    async with held_up(replica):
        key = await service.made("unseen there")
        answers = [await client.get(f"{NOTES}/{key}") for client in service.clients]
        assert [answer.status_code for answer in answers] == [200, 200]
        assert [(await client.get(f"{NOTES}/kept")).json()["notes"] for client in service.clients] == [
            each + 1 for each in kept
        ]
        changed = await service.clients[1].patch(f"{NOTES}/{key}", json={"text": "changed"})
        assert changed.status_code == 200
        assert (await service.clients[0].get(f"{NOTES}/{key}")).json()["text"] == "changed"
        assert (await service.clients[0].delete(f"{NOTES}/{key}")).status_code == 204
        assert [(await client.get(f"{NOTES}/{key}")).status_code for client in service.clients] == [404, 404]
        assert service.went["behind"] >= 4
    await service.until_replica()


async def test_what_is_written_elsewhere_keeps_no_read_from_the_replica(service: Service, replica: Cluster) -> None:
    await service.until_replica()
    async with held_up(replica):
        made = await service.clients[0].post(DIARIES, json={"text": "today"}, headers=as_("ada"))
        assert made.status_code == 201, made.text
        went = service.went["replica"]
        assert (await service.clients[0].get(NOTES)).status_code == 200
        assert service.went["replica"] == went + 1


async def test_a_replica_that_dies_or_says_nothing_more_costs_no_answer(service: Service, replica: Cluster) -> None:
    key = await service.made("there all the time")
    await service.until_replica()
    for harm, cure in ((replica.kill, replica.start), (replica.freeze, replica.thaw)):
        harm()
        async with asyncio.timeout(10):
            asked = [client.get(f"{NOTES}/{key}") for client in service.clients * 20]
            assert {answer.status_code for answer in await asyncio.gather(*asked)} == {200}
            more = await service.made("meanwhile")
            assert (await service.clients[1].get(f"{NOTES}/{more}")).status_code == 200
        assert "freehold_replicas_up 0" in service.apps[1].metrics.exposition().decode()
        cure()
        await service.until_replica()


async def test_an_emptied_redis_makes_reads_ask_the_primary_until_it_knows_again(
    service: Service, replica: Cluster, redis: OwnRedis
) -> None:
    await service.until_replica()
    async with held_up(replica):
        key = await service.made("then all is forgotten")
        assert redis.say("FLUSHALL").startswith(b"+OK")
        for _ in range(3):
            answers = [await client.get(f"{NOTES}/{key}") for client in service.clients]
            assert [answer.status_code for answer in answers] == [200, 200]
            await asyncio.sleep(0.05)
    await service.until_replica()


async def test_whoever_dies_between_commit_and_word_keeps_reads_at_the_primary(
    service: Service, replica: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    await service.until_replica()
    monkeypatch.setattr(positions_redis, "COMMIT_SECONDS", 2)
    async with held_up(replica):
        with monkeypatch.context() as dead:

            async def nothing(*_: object) -> None:
                """The process is gone."""

            dead.setattr(positions_redis.RedisPositions, "has_changed", nothing)
            key = await service.made("and nobody said so")
        answer = await service.clients[1].get(f"{NOTES}/{key}")
        assert answer.status_code == 200
        await asyncio.sleep(2.2)  # it counts as over: then the primary is asked how far it is
        for _ in range(3):
            assert (await service.clients[1].get(f"{NOTES}/{key}")).status_code == 200
            await asyncio.sleep(0.05)
    await service.until_replica()


def laid(link: Path, to: Path) -> None:
    link.symlink_to(to)


def cut(link: Path) -> None:
    link.unlink()


async def test_one_process_that_is_cut_off_from_redis_misleads_nobody(
    primary: Cluster, replica: Cluster, redis: OwnRedis, tmp_path: Path
) -> None:
    """Both urls lead to the same Redis; the second one over a socket that is taken away."""
    other = Path(f"{redis.socket}.other")
    laid(other, redis.socket)
    async with served(primary.url, tmp_path, [redis.url, f"unix://{other}"], (replica.host,)) as service:
        await service.until_replica()
        async with held_up(replica):
            cut(other)
            server = service.apps[1].redis
            assert server is not None
            server._is_lost(ConnectionError("cut"))
            key = await service.made("by the one that is alone", by=1)
            assert (await service.clients[0].get(f"{NOTES}/{key}")).status_code == 200
            laid(other, redis.socket)
        await service.until_replica()


async def test_Z06_policies_and_log_ins_hold_on_the_replica(
    primary: Cluster, replica: Cluster, redis: OwnRedis, tmp_path: Path
) -> None:
    await at(primary, "CREATE DATABASE behind_wall")
    url = make_url(primary.url).set(database="behind_wall").render_as_string(hide_password=False)
    async with walled(url) as roles:
        app = replicated.make(roles.app, tmp_path)
        await roles.build([replicated.Base.metadata, LEDGER], app.database.registry)
        log_ins = {"reader_url": roles.reader, "owner_url": roles.owner}
        async with served(roles.app, tmp_path, [redis.url] * 2, (replica.host,), **log_ins) as service:
            key = await service.made("public")
            made = await service.clients[0].post(DIARIES, json={"text": "mine"}, headers=as_("ada"))
            assert made.status_code == 201, made.text
            diary = f"{DIARIES}/{made.json()['id']}"
            await service.until_replica()
            for _ in range(40):
                went = service.went["replica"]
                seen = [(await service.clients[1].get(diary, headers=as_(who))).status_code for who in ("ada", "bob")]
                seen.append((await service.clients[1].get(f"{NOTES}/{key}")).status_code)
                seen.append((await service.clients[1].get(f"{NOTES}/counted")).json()["notes"])
                assert seen == [200, 404, 200, 1]
                if service.went["replica"] == went + 4:
                    break
                await asyncio.sleep(0.05)
            else:
                pytest.fail(f"the replica was not asked: {service.went}")


async def test_an_application_that_freehold_was_installed_in_reads_from_the_replica(
    primary: Cluster, replica: Cluster, redis: OwnRedis, tmp_path: Path
) -> None:
    """`install(settings=…)` takes FREEHOLD_REPLICAS as `Freehold` does."""
    async with served(
        primary.url, tmp_path, [redis.url], (replica.host,)
    ) as other:  # which makes the table, and says what is written
        app = replicated.installed(primary.url, tmp_path, redis_url=redis.url, replicas=(replica.host,), workers=2)
        transport = httpx2.ASGITransport(app=app)
        async with app.router.lifespan_context(app), Client(transport=transport, base_url="http://127.0.0.1") as client:
            key, went = await other.made("first"), Counter[str]()
            app.state.freehold.database.parts[Replicas].count = lambda where: went.update([where])
            async with asyncio.timeout(60):
                while not went["replica"]:
                    assert (await client.get(f"{NOTES}/{key}")).json()["text"] == "first"
                    await asyncio.sleep(0.05)
            async with held_up(replica):
                made = await client.post(NOTES, json={"text": "second"})
                assert (await client.get(f"{NOTES}/{made.json()['id']}")).json()["text"] == "second"


async def test_a_server_that_is_no_replica_of_this_database_ends_the_start(
    primary: Cluster, replica: Cluster, redis: OwnRedis, tmp_path: Path
) -> None:
    with cluster() as stranger:
        for name, said in ((stranger.host, "another database cluster"), (primary.host, "is the primary")):
            with pytest.raises(ConfigurationError, match=said):
                async with served(primary.url, tmp_path, [redis.url], (name,)):
                    pass


async def test_under_writes_all_the_time_nothing_acknowledged_is_ever_missed(
    service: Service, replica: Cluster
) -> None:
    await service.until_replica()
    keys = [await service.made("0") for _ in range(20)]
    acknowledged = dict.fromkeys(keys, 0)
    chance, missed, asked = random.Random(7), [], Counter[str]()

    async def repeat(step: Callable[[], Awaitable[None]]) -> None:
        while asked["writes"] < 40:
            await step()

    def writer(mine: list[str]) -> Callable[[], Awaitable[None]]:
        async def write() -> None:
            key = chance.choice(mine)
            wanted = acknowledged[key] + 1
            answer = await chance.choice(service.clients).patch(f"{NOTES}/{key}", json={"text": str(wanted)})
            assert answer.status_code == 200, answer.text
            acknowledged[key] = wanted
            asked["writes"] += 1
            await asyncio.sleep(chance.uniform(0, 0.1))

        return write

    async def look() -> None:
        key = chance.choice(keys)
        least = acknowledged[key]
        answer = await chance.choice(service.clients).get(f"{NOTES}/{key}")
        assert answer.status_code == 200, answer.text
        asked["reads"] += 1
        if int(answer.json()["text"]) < least:
            missed.append((key, least, answer.json()["text"]))

    async def hinder() -> None:
        async with held_up(replica):
            await asyncio.sleep(0.2)
        await asyncio.sleep(0.3)

    went = service.went["replica"]
    await asyncio.gather(*(repeat(writer(keys[n::2])) for n in (0, 1)), repeat(look), repeat(look), repeat(hinder))
    assert not missed
    assert service.went["replica"] > went
    assert asked["reads"]
