"""Lists of one plan that are asked for at the same time share a statement, where that costs no list more than its own would.

A list may join only a statement that was not sent yet: one that is on its way may be older than the commit that the reader
was told of. A statement belongs to nobody. What goes wrong with it goes wrong for nobody: each list is then asked for alone,
by its reader, whose leaving cuts it short.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from contextvars import Context
from typing import Any, Final, Protocol

from freehold.store.bounded_plan import is_bounded
from freehold.store.lanes import Lane, Lanes
from freehold.store.pairs import Pairs, paired
from freehold.store.prepared import Prepared
from freehold.store.read_path import Answer

MOST_ROWS: Final = 400
"""Of one statement, so that the first list does not wait long for the last. A longer list is asked for alone."""
AT_ONCE: Final = 2
"""Statements of one plan on their way: one is answered while the next is gathered."""
PATIENCE_SECONDS: Final = 0.02
"""Nobody waits longer than this for those that were sent before."""
MOST_SECONDS: Final = 0.5
"""What takes longer is cut short, and asked for one by one."""
APART_SECONDS: Final = 1.0
"""How long each goes alone after something went wrong."""
SLOW_SECONDS: Final = 10.0
"""The same after a statement that was cut short."""
JUDGED_SECONDS: Final = 60.0
"""How long a look at the server's plan holds: its statistics and the indexes change."""

Rows = Sequence[Sequence[Any]]


class _Waits(Protocol):
    """Who waits in a place, for rows; for None where the list has to be asked for alone."""

    def done(self) -> bool: ...
    def set_result(self, found: Rows | None, /) -> None: ...


class _Place:
    """One list that waits."""

    __slots__ = ("answer", "values")

    def __init__(self, values: list[Any], answer: _Waits) -> None:
        self.values = values
        self.answer = answer


class SharedLists:
    """The lists of one plan. limit: the bind that says how many rows one gives at most."""

    def __init__(self, lanes: Lanes, prepared: Prepared, limit: str) -> None:
        self._lanes = lanes
        self._prepared = prepared
        self._limit = prepared.key[limit]
        self._pairs: Pairs | None = paired(prepared.sql, prepared.key.values())
        self._waiting: deque[_Place] = deque()
        self._on_the_way = 0
        self._is_due = False
        self._timer: asyncio.TimerHandle | None = None
        self._is_bounded = False
        self._judged_until = 0.0
        self._apart_until = 0.0
        self._tasks: set[asyncio.Task[None]] = set()
        self._alone_for: dict[Answer, asyncio.Task[None]] = {}

    async def read(self, values: list[Any]) -> Rows:
        """The rows, as the driver gives them, perhaps with a column more. Raises what the driver raises."""
        if not self._may_share(values):
            return await self._alone(values)
        answer: asyncio.Future[Rows | None] = asyncio.get_running_loop().create_future()
        self._wait(values, answer)
        found = await answer
        return await self._alone(values) if found is None else found

    def ask(self, values: list[Any], answer: Answer) -> None:
        """The same, for whoever waits by other means than a future."""
        if self._may_share(values):
            self._wait(values, _Asker(self, values, answer))
        else:
            self.ask_alone(values, answer)

    def ask_alone(self, values: list[Any], answer: Answer) -> None:
        """The same by a statement of its own."""
        task = self._alone_for[answer] = self._start(self._answer_alone(values, answer))
        task.add_done_callback(lambda _: self._alone_for.pop(answer, None))

    def leave(self, answer: Answer) -> None:
        """Nobody waits for an answer any more."""
        task = self._alone_for.get(answer)
        if task is not None:
            task.cancel()

    async def _answer_alone(self, values: list[Any], answer: Answer) -> None:
        try:
            found = await self._alone(values)
        except Exception as error:  # noqa: BLE001 (who asked judges it)
            if not answer.done():
                answer.set_exception(error)
        else:
            if not answer.done():
                answer.set_result(found)

    def _wait(self, values: list[Any], answer: _Waits) -> None:
        self._waiting.append(_Place(values, answer))
        self._gather()

    def _may_share(self, values: list[Any]) -> bool:
        pairs, now = self._pairs, asyncio.get_running_loop().time()
        if pairs is None or values[self._limit] > MOST_ROWS:
            return False
        if now >= self._judged_until and self._on_the_way:  # lists that never meet need no judgement
            self._judged_until = now + JUDGED_SECONDS
            self._start(self._judge(pairs, values))
        return self._is_bounded and now >= self._apart_until

    async def _judge(self, pairs: Pairs, values: list[Any]) -> None:
        try:
            rows, _ = await self._lanes.fetch(f"EXPLAIN (FORMAT JSON) {pairs.sql}", pairs.arguments([values, values]))
            self._is_bounded = is_bounded(rows[0][0][0]["Plan"])
        except Exception:  # noqa: BLE001 (whatever it is, the lists themselves will meet it, and say so)
            self._is_bounded = False

    async def _alone(self, values: list[Any]) -> Rows:
        self._on_the_way += 1
        try:
            rows, oids = await self._lanes.fetch(self._prepared.sql, values)
        finally:
            self._on_the_way -= 1
            self._send()
        self._prepared.describe(oids)
        return rows

    def _gather(self) -> None:
        loop = asyncio.get_running_loop()
        if not self._is_due and self._on_the_way < AT_ONCE:
            self._is_due = True
            loop.call_soon(self._send_due)  # together with what else this round of the loop asks for
        elif self._timer is None and not self._is_due:
            self._timer = loop.call_later(PATIENCE_SECONDS, self._send_late)

    def _send_due(self) -> None:
        self._is_due = False
        self._send()

    def _send_late(self) -> None:
        """Those that were sent before take long: nobody waits along with them."""
        self._timer = None
        while self._waiting:
            self._send_some()

    def _send(self) -> None:
        while self._waiting and self._on_the_way < AT_ONCE:
            self._send_some()
        if self._timer is not None and not self._waiting:
            self._timer.cancel()
            self._timer = None

    def _send_some(self) -> None:
        batch, rows = list[_Place](), 0
        while self._waiting and rows + self._waiting[0].values[self._limit] <= MOST_ROWS:
            place = self._waiting.popleft()
            if not place.answer.done():
                batch.append(place)
                rows += place.values[self._limit]
        if len(batch) > 1:
            self._on_the_way += 1
            self._start(self._run(batch))
        elif batch:
            batch[0].answer.set_result(None)

    async def _run(self, batch: list[_Place]) -> None:
        found: Sequence[Rows | None] = [None] * len(batch)
        try:
            found = await self._many([place.values for place in batch])
        except Exception:  # noqa: BLE001 (also of a driver that raises what it does not document)
            self._stay_apart(APART_SECONDS)
        finally:
            self._on_the_way -= 1
            self._send()  # what waits goes on its way before anybody makes an answer of what came
            for place, rows in zip(batch, found, strict=True):
                if not place.answer.done():
                    place.answer.set_result(rows)

    async def _many(self, values: list[list[Any]]) -> Sequence[Rows]:
        assert self._pairs is not None, "asked for by nobody who may not share"
        lane = await self._lanes.lane()
        limit = asyncio.get_running_loop().call_later(MOST_SECONDS, self._give_up, lane)
        try:
            rows, oids = await self._lanes.run(lane, self._pairs.sql, self._pairs.arguments(values))
        finally:
            limit.cancel()
        self._prepared.describe(oids[:-1])
        found: list[list[Sequence[Any]]] = [[] for _ in values]
        for row in rows:
            found[row[-1] - 1].append(row)
        return found

    def _give_up(self, lane: Lane) -> None:
        self._stay_apart(SLOW_SECONDS)
        lane.cut_short()

    def _stay_apart(self, seconds: float) -> None:
        self._apart_until = max(self._apart_until, asyncio.get_running_loop().time() + seconds)

    def _start(self, work: Any) -> asyncio.Task[None]:
        # What the one who asked first has in their context is nothing to the others.
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(work, context=Context())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


class _Asker:
    """One who is told by other means than a future."""

    __slots__ = ("_answer", "_lists", "_values", "done")

    def __init__(self, lists: SharedLists, values: list[Any], answer: Answer) -> None:
        self._lists = lists
        self._values = values
        self._answer = answer
        self.done = answer.done

    def set_result(self, found: Rows | None) -> None:
        """See `_Waits`."""
        if found is None:
            self._lists.ask_alone(self._values, self._answer)
        else:
            self._answer.set_result(found)
