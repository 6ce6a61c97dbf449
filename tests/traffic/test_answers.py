"""The port of the response cache: what every form of it keeps, gives and drops."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, closing
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.redis_server import OwnRedis

from freehold.remote import RedisServer
from freehold.resource.base import new_id
from freehold.resource.principal import system
from freehold.store.database import Database
from freehold.store.schema import create_missing
from freehold.store.silence import fall_silent, silent_writers
from freehold.store.sqlite_outside import Outside
from freehold.store.touched import EVERYTHING, Change
from freehold.traffic.answers import Answers
from freehold.traffic.answers_memory import MemoryAnswers
from freehold.traffic.answers_redis import RedisAnswers
from freehold.traffic.silence import NOTED_FOR

pytestmark = pytest.mark.anyio


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
async def database(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Database]:
    opened = Database.open(f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('answers')}/t.db")
    await opened.start()
    await create_missing(opened, [])
    yield opened
    await opened.close()


@pytest.fixture(params=["memory", "redis"])
async def answers(request: pytest.FixtureRequest, database: Database, redis: RedisServer) -> AsyncIterator[Answers]:
    form: Answers = MemoryAnswers() if request.param == "memory" else RedisAnswers(database, redis)
    await form.start()
    yield form
    await form.close()


@pytest.fixture
async def shared(
    database: Database, redis_server: OwnRedis, redis: RedisServer
) -> AsyncIterator[Callable[[], Awaitable[RedisAnswers]]]:
    """The answers of so many processes, each with a connection of its own."""
    async with AsyncExitStack() as stack:

        async def process() -> RedisAnswers:
            client = RedisServer(redis_server.url, prefix=redis.key())
            await client.open()
            stack.push_async_callback(client.close)
            answers = RedisAnswers(database, client)
            await answers.start()
            stack.push_async_callback(answers.close)
            return answers

        yield process


async def kept(answers: Answers, key: str = "k", tables: tuple[str, ...] = ("a", "b"), value: bytes = b"v") -> bool:
    return await answers.put(key, value, tables=tables, mark=await answers.mark(), seconds=10)


async def test_H02_an_answer_is_given_until_its_time_is_over(clock: Clock) -> None:
    answers = MemoryAnswers(monotonic=clock)
    assert await answers.get("k") is None
    assert await kept(answers)
    clock.now += 9
    found = await answers.get("k")
    assert found is not None
    assert (found.value, found.age_seconds) == (b"v", 9)
    clock.now += 1
    assert await answers.get("k") is None


@pytest.mark.parametrize(
    ("changed", "is_dropped"), [(["a"], True), (["c"], False), (["c", "b"], True), ([EVERYTHING], True)]
)
async def test_H02_a_change_drops_what_was_made_from_it(answers: Answers, changed: list[str], is_dropped: bool) -> None:
    await kept(answers)
    change = Change(changed)
    await answers.will_change(change)
    await answers.has_changed(change)
    assert (await answers.get("k") is None) is is_dropped
    await kept(answers)
    assert await answers.get("k") is not None


async def test_H03_an_answer_that_a_change_came_between_is_not_kept(answers: Answers) -> None:
    mark = await answers.mark()
    await answers.has_changed(Change(["b"]))
    assert not await answers.is_current(["a", "b"], mark)
    assert await answers.is_current(["a"], mark)
    assert not await answers.put("k", b"v", tables=["a", "b"], mark=mark, seconds=10)
    assert await answers.get("k") is None
    assert await answers.put("k", b"v", tables=["a"], mark=mark, seconds=10)


async def test_what_depends_on_everything_or_on_nothing(answers: Answers) -> None:
    await kept(answers, "all", (EVERYTHING,))
    await kept(answers, "none", ())
    await answers.has_changed(Change(["anything"]))
    assert await answers.get("all") is None
    assert await answers.get("none") is not None
    mark = await answers.mark()
    await answers.has_been_replaced()
    assert await answers.get("none") is None
    assert not await answers.put("none", b"v", tables=(), mark=mark, seconds=10)


@settings(max_examples=60)
@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(["begin", "end", "change", "commit", "look"]), st.sampled_from("xy"), st.sampled_from("ab")
        ),
        max_size=40,
    )
)
async def test_no_answer_from_before_a_change_is_given_after_it(
    answers: Answers, steps: list[tuple[str, str, str]]
) -> None:
    """Against a model: the value of a table is how often it has changed; an answer is the value that was read.

    Between `change` and `commit` somebody commits: what is read then may be either, and nobody is told of it afterwards.
    """
    await answers.has_been_replaced()
    state = {"a": 0, "b": 0}
    open_reads: dict[str, tuple[int, str, int]] = {}
    running: dict[str, Change] = {}
    for what, key, table in steps:
        if what == "begin":
            open_reads[key + table] = (await answers.mark(), table, state[table])
        elif what == "end" and key + table in open_reads:
            mark, read, value = open_reads.pop(key + table)
            await answers.put(key + table, str(value).encode(), tables=[read], mark=mark, seconds=60)
        elif what == "change" and key not in running:
            running[key] = Change([table])
            await answers.will_change(running[key])
        elif what == "commit" and key in running:
            state[next(iter(running[key].tables))] += 1
            await answers.has_changed(running.pop(key))
        found = await answers.get(key + table)
        assert found is None or int(found.value) == state[table]
    for change in running.values():
        await answers.has_changed(change)


async def test_memory_is_bounded_and_the_least_used_make_room() -> None:
    answers = MemoryAnswers(20_000)
    for number in range(100):
        await kept(answers, str(number), value=b"x" * 500)
        assert await answers.get("0") is not None, "it is used all the time"
        assert answers.used_bytes <= 20_000
    assert await answers.get("1") is None
    assert await answers.get("99") is not None
    assert not await kept(answers, "huge", value=b"x" * 5_000)
    await kept(answers, "0", value=b"y")
    before = answers.used_bytes
    await kept(answers, "0", value=b"z")
    assert answers.used_bytes == before
    await answers.has_been_replaced()
    assert (len(answers), answers.used_bytes) == (0, 0)


async def test_many_names_of_tags_do_not_fill_the_memory() -> None:
    answers = MemoryAnswers()
    await kept(answers)
    for number in range(10_001):
        await answers.has_changed(Change([f"tag {number}"]))
    assert len(answers._changed) <= 10_001
    assert await answers.get("k") is None, "one that may have changed counts as changed"


@pytest.mark.parametrize("journal", ["wal", "delete"])
async def test_H02_what_another_process_writes_to_an_sqlite_file_drops_every_answer(
    tmp_path: Path, journal: str
) -> None:
    file = tmp_path / "t.db"
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute(f"PRAGMA journal_mode={journal}")
        other.execute("CREATE TABLE a (x)")
        answers = MemoryAnswers(outside=Outside(file))
        await kept(answers, tables=("a",))
        await kept(answers, "none", ())
        assert await answers.get("k") is not None
        mark = await answers.mark()
        other.execute("INSERT INTO a VALUES (1)")
        assert await answers.get("k") is None
        assert await answers.get("none") is None
        assert not await answers.put("k", b"v", tables=["a"], mark=mark, seconds=10)
        await kept(answers, "k", ("a",))
        await kept(answers, "b", ("b",))
        await answers.will_change(Change(["a"]))  # a commit of this process, which is told of its tables
        other.execute("INSERT INTO a VALUES (2)")
        assert await answers.get("k") is not None, "the commit is not over"
        await answers.has_changed(Change(["a"]))
        assert await answers.get("k") is None
        assert await answers.get("b") is not None
        await answers.close()
        assert await answers.get("b") is None, "nobody looked meanwhile"
        await answers.close()


async def test_H02_over_redis_an_answer_is_given_by_every_process_until_its_time_is_over(
    shared: Callable[[], Awaitable[RedisAnswers]],
) -> None:
    one, other = await shared(), await shared()
    assert await one.put("k", b"v", tables=["a"], mark=await one.mark(), seconds=60)
    found = await other.get("k")
    assert found is not None and found.value == b"v" and found.age_seconds < 10
    change = Change(["a"])
    await other.will_change(change)
    assert await one.get("k") is None, "whoever dies in its commit leaves nothing old behind"
    assert not await kept(one, tables=("a",)), "it may be read or not until the commit is over"
    assert await kept(one, "elsewhere", tables=("b",))
    await other.has_changed(change)
    assert await one.put("k", b"w", tables=["a"], mark=await other.mark(), seconds=0.2)
    await asyncio.sleep(0.25)
    assert await other.get("k") is None


async def test_H03_a_process_that_died_in_its_commit_holds_nothing_up_for_ever(
    shared: Callable[[], Awaitable[RedisAnswers]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("freehold.traffic.answers_redis.COMMIT_SECONDS", 1)
    one, dead = await shared(), await shared()
    await dead.will_change(Change(["a"]))
    mark = await one.mark()
    assert not await one.put("k", b"old", tables=["a"], mark=mark, seconds=10)
    await asyncio.sleep(1.1)
    assert not await one.put("k", b"old", tables=["a"], mark=mark, seconds=10), "it was read before the commit was over"
    assert await kept(one, tables=("a",))


async def test_H03_an_answer_is_made_by_one_process_at_a_time(shared: Callable[[], Awaitable[RedisAnswers]]) -> None:
    one, other = await shared(), await shared()
    assert await one.begin("k")
    assert not await other.begin("k")
    await other.end("k")
    assert not await other.begin("k"), "it was not the other's to end"
    await one.end("k")
    assert await other.begin("k")


async def test_H03_an_emptied_redis_keeps_nothing_that_was_begun_before(
    shared: Callable[[], Awaitable[RedisAnswers]], redis: RedisServer
) -> None:
    answers = await shared()
    await kept(answers)
    mark = await answers.mark()
    await redis.ask(("FLUSHDB",))
    assert await answers.get("k") is None
    assert not await answers.put("k", b"v", tables=["a"], mark=mark, seconds=10)
    assert await kept(answers)


async def test_H03_while_a_process_cannot_tell_of_its_commits_no_answer_counts(
    shared: Callable[[], Awaitable[RedisAnswers]], database: Database
) -> None:
    """It writes, cut off from Redis, and dies or comes back; the others go on with Redis."""
    living, cut_off = await shared(), await shared()
    assert await kept(living)
    lane, cut_off._redis._lane = cut_off._redis._lane, None
    for _ in range(3):
        async with database.writing(system("a commit that nobody is told of")) as unit:
            change = Change(["a"], lambda: unit.session)
            await cut_off.will_change(change)
        await cut_off.has_changed(change)
        await cut_off._silence.look()
        await living._silence.look()
        assert await living.get("k") is None
        assert not await kept(living, "other", tables=("z",))
    cut_off._redis._lane = lane
    await cut_off._silence.look()
    await living._silence.look()
    assert await living.get("k") is None, "what was kept before is gone for good"
    assert await kept(living)
    assert await living.get("k") is not None
    async with database.reading(system("who is silent")) as session:
        assert not await silent_writers(session, lasting=NOTED_FOR)


async def test_H03_a_silent_process_that_is_gone_is_waited_for_no_longer_than_its_note_lasts(
    shared: Callable[[], Awaitable[RedisAnswers]], database: Database
) -> None:
    living = await shared()
    assert await kept(living)
    async with database.writing(system("a commit of a process that dies")) as unit:
        await fall_silent(unit.session, new_id(), lasting=timedelta(seconds=1))
    await living._silence.look()
    assert await living.get("k") is None
    await asyncio.sleep(1.1)
    for _ in range(2):
        await living._silence.look()
    assert await living.get("k") is None
    assert await kept(living)


async def test_with_redis_away_nothing_is_kept_and_nobody_waits(database: Database, redis_server: OwnRedis) -> None:
    answers = RedisAnswers(database, RedisServer(f"{redis_server.url}.nowhere"))
    await answers.start()
    assert not await kept(answers)
    assert await answers.get("k") is None
    assert await answers.begin("k") and await answers.begin("k")
    assert not await answers.is_current(["a"], await answers.mark())
    await answers.close()
