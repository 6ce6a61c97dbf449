"""Units that share a statement, on a way that does what it is told: whatever happens, each is settled and nothing stays behind."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import Any

import pytest

from freehold.cancellation import may_be_done
from freehold.errors import OutcomeUnknown
from freehold.store.together import AT_ONCE, MOST, Apart, Together
from freehold.store.touched import Change, Watchers
from freehold.store.ways import NotAtOnce, NotTaken

pytestmark = pytest.mark.anyio
Happening = Callable[[str], Exception | None]


class Described:
    """What `Together` asks of a prepared statement."""

    writes = frozenset({"buds"})
    sql = "one"

    def describe(self, kinds: Sequence[Any]) -> None:
        assert list(kinds) == [0]


class Road:
    """A way whose statements end when they may. happens: what goes wrong at a place; None for nothing.

    taken: values whose rows a trigger takes away.
    """

    def __init__(self, happens: Happening = lambda _: None, *, pauses: bool = False) -> None:
        self.happens = happens
        self.pauses = pauses
        self.open = 0
        self.done: list[Any] = []
        self.sizes: list[int] = []
        self.taken: set[Any] = set()
        self.goes_on = asyncio.Event()
        self.goes_on.set()

    async def pause(self, place: str) -> None:
        if self.pauses:
            await asyncio.sleep(random.choice((0, 0, 0.0005)))
        error = self.happens(place)
        if error is not None:
            raise error

    async def turn(self) -> Lap:
        await self.pause("turn")
        self.open += 1
        return Lap(self)

    def tell(self, sql: str) -> None: ...

    def together(self, *_: object) -> None: ...

    async def close(self) -> None: ...


class Lap:
    def __init__(self, road: Road) -> None:
        self.road = road

    async def run(self, sql: str, values: Sequence[Any]) -> tuple[Sequence[Any], Sequence[int]]:
        (column,) = values if sql == "many" else [values]
        self.road.sizes.append(len(column))
        try:
            await self.road.goes_on.wait()
            await self.road.pause("run")
            self.road.done += column
            await self.road.pause("answer")
        finally:
            self.road.open -= 1
        if sql == "one":
            return [(value,) for value in column if value not in self.road.taken], [0]
        numbered = [(value, number) for number, value in enumerate(column, 1) if value not in self.road.taken]
        return random.sample(numbered, len(numbered)), [0, 0]

    def cut_short(self) -> None: ...

    def leave(self) -> None:
        self.road.open -= 1


class Telling:
    """A watcher that pauses and fails."""

    def __init__(self, road: Road) -> None:
        self.road = road
        self.told = 0

    def joins(self, _: Change) -> bool:
        return False

    async def will_change(self, _: Change) -> None:
        self.told += 1
        await self.road.pause("will change")

    async def has_changed(self, _: Change) -> None:
        self.told -= 1
        await self.road.pause("has changed")

    async def has_been_replaced(self) -> None: ...


def meeting(road: Road, watchers: Watchers | None = None) -> Together:
    return Together(road, Described(), "many", watchers or Watchers())  # type: ignore[arg-type]


async def sends(together: Together, value: int) -> asyncio.Task[Sequence[Any]]:
    task = asyncio.create_task(together.write([value]))
    await asyncio.sleep(0)
    return task


async def test_V11_whoever_leaves_while_a_connection_is_found_is_told_of_nothing_else() -> None:
    """The statement passes it over before its task hears that it is cancelled."""
    together = meeting(Road())
    together.begins()
    together.begins()
    leaving = await sends(together, 1)
    together.ends()  # takes along who waits in the loop's next round
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving


async def test_V11_whoever_leaves_what_is_done_all_the_same_learns_of_it() -> None:
    road, told = Road(), dict[int, bool]()
    together = meeting(road)
    road.goes_on.clear()

    async def one(value: int) -> None:
        try:
            await together.write([value])
        except asyncio.CancelledError as error:
            told[value] = may_be_done(error)
            raise

    tasks = [asyncio.create_task(one(value)) for value in range(3)]
    while not road.sizes:  # noqa: ASYNC110 (nobody tells that it was sent)
        await asyncio.sleep(0)
    tasks[0].cancel()
    await asyncio.sleep(0.01)
    road.goes_on.set()
    tasks[1].cancel()  # who learns of it when the statement has come back
    await asyncio.wait(tasks)
    assert told == {0: True, 1: True}
    assert road.done == [0, 1, 2]


async def test_more_than_one_statement_takes_wait_no_longer_for_those_that_were_sent_before() -> None:
    road = Road()
    together = meeting(road)
    for _ in range(AT_ONCE):
        together.begins()  # and they do not end
    tasks = [await sends(together, number) for number in range(2 * MOST + 1)]
    await asyncio.wait_for(asyncio.gather(*tasks), 5)
    assert road.sizes == [MOST, MOST, 1]


async def test_whatever_happens_each_is_settled_and_nothing_stays_behind() -> None:
    chance = random.Random(7)
    faults: dict[str, Callable[[], Exception]] = {
        "turn": NotAtOnce,
        "run": lambda: chance.choice((NotTaken(), NotAtOnce())),
        "answer": lambda: OutcomeUnknown("lost"),
        "will change": lambda: LookupError("a fault of the watcher's"),
        "has changed": lambda: LookupError("a fault of the watcher's"),
    }
    road = Road(lambda place: faults[place]() if chance.random() < 0.1 else None, pauses=True)
    watchers = Watchers()
    watchers.add(telling := Telling(road))
    together = meeting(road, watchers)
    told: dict[int, Any] = {}

    async def one(value: int) -> None:
        await asyncio.sleep(chance.random() / 10)
        try:
            told[value] = (await together.write([value]))[0][0]
        except (Apart, NotAtOnce, NotTaken):
            told[value] = None
        except (OutcomeUnknown, LookupError) as error:
            told[value] = error
        except asyncio.CancelledError as error:
            told[value] = may_be_done(error)
            raise

    async def left(value: int) -> None:
        task = asyncio.create_task(one(value))
        await asyncio.sleep(chance.random() / 8)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled() or task.exception() is None

    await asyncio.gather(*((left if number % 4 == 0 else one)(number) for number in range(2000)))
    assert (together._on_the_way, together._is_gathering, len(together._waiting)) == (0, False, 0)
    assert (road.open, telling.told, together._tasks._running) == (0, 0, set())
    assert len(road.done) == len(set(road.done)), "none is done twice"
    unchanged = {value for value, found in told.items() if found is False or found is None}
    assert unchanged.isdisjoint(road.done), "who is told that nothing was changed, for them nothing was"
    numbers = {value: found for value, found in told.items() if type(found) is int}
    assert all(found == value for value, found in numbers.items()), "each has its own"
    assert numbers.keys() <= set(road.done)
    assert {value for value in range(2000) if value % 4} <= told.keys()


class TestApart:
    async def test_one_refusal_sends_nobody_alone_who_comes_later_and_two_in_a_second_do(self) -> None:
        refusals = [NotTaken(), NotTaken()]
        together = meeting(Road(lambda place: refusals.pop() if place == "run" else None))
        for later in (True, False):
            together.begins()
            together.begins()
            refused = [await sends(together, number) for number in range(2)]
            together.ends()
            for each in refused:
                with pytest.raises(Apart):
                    await asyncio.wait_for(each, 5)
            assert together.is_apart is not later
            together.ends()

    async def test_one_that_was_sent_by_itself_is_told_how_it_was_refused_and_sends_nobody_alone(self) -> None:
        road = Road(lambda place: NotTaken() if place == "run" else None)
        together = meeting(road)
        for number in range(3):
            with pytest.raises(NotTaken):
                await asyncio.wait_for(together.write([number]), 5)
        assert not together.is_apart

    async def test_what_is_cut_short_because_all_have_left_is_no_refusal(self) -> None:
        road = Road(lambda place: NotTaken() if place == "run" else None)
        together = meeting(road)
        for _ in range(2):
            road.goes_on.clear()
            together.begins()
            together.begins()
            leaving = [await sends(together, number) for number in range(2)]
            together.ends()
            while not road.sizes:  # noqa: ASYNC110 (one round of the loop)
                await asyncio.sleep(0)
            road.sizes.clear()
            for each in leaving:
                each.cancel()
            road.goes_on.set()
            for each in leaving:
                with pytest.raises(asyncio.CancelledError):
                    await each
            together.ends()
        assert not together.is_apart


async def test_those_that_come_in_one_round_of_the_loop_are_one_statement() -> None:
    road = Road()
    together = meeting(road)
    assert [list(row) for [row] in await asyncio.gather(*(together.write([n]) for n in range(5)))] == [
        [n] for n in range(5)
    ]
    assert road.sizes == [5]


@pytest.mark.parametrize("others", [0, 3])
async def test_a_row_that_the_database_took_away_is_told_of_as_none(others: int) -> None:
    road = Road()
    road.taken = {0}
    together = meeting(road)
    async with asyncio.timeout(5):
        found = await asyncio.gather(*(together.write([n]) for n in range(1 + others)))
    assert [list(row) for [row] in found] == [[], *([n] for n in range(1, 1 + others))]


async def test_who_comes_while_the_last_room_is_taken_waits_no_longer_than_a_while() -> None:
    """It saw room, and others were sent before this round of the loop was over."""
    road = Road()
    together = meeting(road)
    task = asyncio.create_task(together.write([1]))
    asyncio.get_running_loop().call_soon(lambda: [together.begins() for _ in range(AT_ONCE)])
    assert [list(row) for row in await asyncio.wait_for(task, 5)] == [[1]]


async def test_what_waits_is_sent_before_anybody_makes_an_answer_of_what_came() -> None:
    seen: list[str] = []
    road = Road(seen.append)
    together = meeting(road)

    async def answering(number: int) -> None:
        await together.write([number])
        seen.append(f"answered {number}")

    road.goes_on.clear()
    together.begins()
    first = asyncio.create_task(answering(1))
    while not road.sizes:  # noqa: ASYNC110 (a round of the loop)
        await asyncio.sleep(0)
    second = asyncio.create_task(answering(2))
    while not together._waiting:  # noqa: ASYNC110 (as above)
        await asyncio.sleep(0)
    road.goes_on.set()
    await asyncio.gather(first, second)
    assert seen[:4] == ["turn", "run", "answer", "turn"], "the second was on its way"
    assert "answered 1" in seen[4:]


async def test_what_is_shared_is_done_in_no_requests_context() -> None:
    """Watchers of its commit would tell of it under the name of the request that set it off."""
    of_a_request: ContextVar[str] = ContextVar("of_a_request")
    seen: list[str | None] = []
    road = Road(lambda _: seen.append(of_a_request.get(None)))
    together = meeting(road)
    together.begins()
    together.begins()
    of_a_request.set("one")
    waiting = await sends(together, 1)
    together.ends()
    assert [list(row) for row in await waiting] == [[1]]
    assert seen
    assert set(seen) == {None}
