"""The port of the response cache: what every form of it keeps, gives and drops."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from freehold.store.sqlite_outside import Outside
from freehold.store.touched import EVERYTHING
from freehold.traffic.answers import Answers, MemoryAnswers

pytestmark = pytest.mark.anyio


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def answers(clock: Clock) -> Answers:
    return MemoryAnswers(monotonic=clock)


async def kept(answers: Answers, key: str = "k", tables: tuple[str, ...] = ("a", "b"), value: bytes = b"v") -> bool:
    return await answers.put(key, value, tables=tables, mark=await answers.mark(), seconds=10)


async def test_H02_an_answer_is_given_until_its_time_is_over(answers: Answers, clock: Clock) -> None:
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
    await answers.will_change(changed)
    await answers.has_changed(changed)
    assert (await answers.get("k") is None) is is_dropped
    await kept(answers)
    assert await answers.get("k") is not None


async def test_H03_an_answer_that_a_change_came_between_is_not_kept(answers: Answers) -> None:
    mark = await answers.mark()
    await answers.has_changed(["b"])
    assert not await answers.is_current(["a", "b"], mark)
    assert await answers.is_current(["a"], mark)
    assert not await answers.put("k", b"v", tables=["a", "b"], mark=mark, seconds=10)
    assert await answers.get("k") is None
    assert await answers.put("k", b"v", tables=["a"], mark=mark, seconds=10)


async def test_what_depends_on_everything_or_on_nothing(answers: Answers) -> None:
    await kept(answers, "all", (EVERYTHING,))
    await kept(answers, "none", ())
    await answers.has_changed(["anything"])
    assert await answers.get("all") is None
    assert await answers.get("none") is not None
    mark = await answers.mark()
    await answers.has_been_replaced()
    assert await answers.get("none") is None
    assert not await answers.put("none", b"v", tables=(), mark=mark, seconds=10)


@settings(max_examples=60, deadline=None)
@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["begin", "end", "change", "look"]), st.sampled_from("xy"), st.sampled_from("ab")),
        max_size=40,
    )
)
async def test_no_answer_from_before_a_change_is_given_after_it(steps: list[tuple[str, str, str]]) -> None:
    """Against a model: the value of a table is how often it has changed; an answer is the value that was read."""
    answers = MemoryAnswers()
    state = {"a": 0, "b": 0}
    open_reads: dict[str, tuple[int, str, int]] = {}
    for what, key, table in steps:
        if what == "begin":
            open_reads[key + table] = (await answers.mark(), table, state[table])
        elif what == "end" and key + table in open_reads:
            mark, read, value = open_reads.pop(key + table)
            await answers.put(key + table, str(value).encode(), tables=[read], mark=mark, seconds=60)
        elif what == "change":
            state[table] += 1
            await answers.has_changed([table])
        found = await answers.get(key + table)
        assert found is None or int(found.value) == state[table]


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
        await answers.has_changed([f"tag {number}"])
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
        await answers.will_change(["a"])  # a commit of this process, which is told of its tables
        other.execute("INSERT INTO a VALUES (2)")
        assert await answers.get("k") is not None, "the commit is not over"
        await answers.has_changed(["a"])
        assert await answers.get("k") is None
        assert await answers.get("b") is not None
        answers.close()
        assert await answers.get("b") is None, "nobody looked meanwhile"
        answers.close()
