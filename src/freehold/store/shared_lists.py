"""Lists of one plan that are asked for at the same time share a statement, where that costs no list more than its own would.

A list may join only a statement that was not sent yet: one that is on its way may be older than the commit that the reader
was told of. A statement belongs to nobody. What goes wrong with it goes wrong for nobody: each list is then asked for alone,
by its reader, whose leaving cuts it short.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, Final, NamedTuple

from freehold.store.bounded_plan import is_bounded
from freehold.store.lanes import Lane, Lanes
from freehold.store.pairs import Pairs, paired
from freehold.store.prepared import Prepared
from freehold.store.questions import Answer
from freehold.store.shared_reads import SharedReads
from freehold.store.tasks import Tasks

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
_number: Final = itemgetter(-1)  # of the list that a row belongs to, from 1


class _Place(NamedTuple):
    """One list that waits."""

    values: list[Any]
    answer: Answer


class SharedLists(SharedReads):
    """The lists of one plan. limit: the bind that says how many rows one gives at most."""

    def __init__(self, lanes: Lanes, prepared: Prepared, limit: str) -> None:
        super().__init__(lanes, prepared)
        self._tasks = Tasks()
        self._limit = prepared.key[limit]
        self._pairs: Pairs | None = paired(prepared.sql, prepared.key.values())
        self._waiting: deque[_Place] = deque()
        self._on_the_way = 0
        self._is_due = False
        self._timer: asyncio.TimerHandle | None = None
        self._is_bounded = False
        self._judged_until = 0.0
        self._apart_until = 0.0
        self._alone_for: dict[Answer, asyncio.Task[None]] = {}

    async def read(self, values: list[Any]) -> Rows:
        """The rows, as the driver gives them, perhaps with a column more. Raises what the driver raises."""
        if not self._may_share(values):
            return await self._alone(values)
        answer: asyncio.Future[Rows] = asyncio.get_running_loop().create_future()
        self._wait(values, answer)
        try:
            return await answer
        finally:
            self.leave(answer)

    def ask(self, values: list[Any], answer: Answer) -> None:
        """See `Responder`."""
        if self._may_share(values):
            self._wait(values, answer)
        else:
            self._ask_alone(values, answer)

    def leave(self, answer: Answer) -> None:
        """See `Responder`."""
        task = self._alone_for.get(answer)
        if task is not None:
            task.cancel()

    def _ask_alone(self, values: list[Any], answer: Answer) -> None:
        task = self._alone_for[answer] = self._tasks.start(
            self._answer_alone(values, answer), asyncio.get_running_loop()
        )
        task.add_done_callback(lambda _: self._alone_for.pop(answer, None))

    async def _answer_alone(self, values: list[Any], answer: Answer) -> None:
        try:
            found = await self._alone(values)
        except Exception as error:  # noqa: BLE001 (who asked judges it)
            if not answer.done():
                answer.set_exception(error)
        else:
            if not answer.done():
                answer.set_result(found)

    def _may_share(self, values: list[Any]) -> bool:
        pairs, now = self._pairs, asyncio.get_running_loop().time()
        if pairs is None or values[self._limit] > MOST_ROWS:
            return False
        if now >= self._judged_until and self._on_the_way:  # lists that never meet need no judgement
            self._judged_until = now + JUDGED_SECONDS
            self._tasks.start(self._judge(pairs, values), asyncio.get_running_loop())
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

    def _wait(self, values: list[Any], answer: Answer) -> None:
        self._waiting.append(_Place(values, answer))
        if self._is_due:
            return
        loop = asyncio.get_running_loop()
        if self._on_the_way < AT_ONCE:
            self._is_due = True
            loop.call_soon(self._send_due)  # together with what else this round of the loop asks for
        elif self._timer is None:
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
            self._tasks.start(self._run(batch), asyncio.get_running_loop())
        elif batch:
            self._ask_alone(*batch[0])

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
                if place.answer.done():
                    continue
                if rows is None:
                    self._ask_alone(*place)
                else:
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
        for number, its_own in groupby(rows, _number):
            found[number - 1] += its_own
        return found

    def _give_up(self, lane: Lane) -> None:
        self._stay_apart(SLOW_SECONDS)
        lane.cut_short()

    def _stay_apart(self, seconds: float) -> None:
        self._apart_until = max(self._apart_until, asyncio.get_running_loop().time() + seconds)
