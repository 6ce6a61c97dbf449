"""Units of one statement and one shape that come in one round of the loop, or wait at the same time, share a statement, and so a commit.

Each has an outcome of its own: what the database refuses of the shared one is undone whole, and done by each alone. A unit
joins only a statement that was not sent yet. Whoever leaves before that leaves nothing; later, the outcome is waited for.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from math import inf
from typing import TYPE_CHECKING, Any, Final

from freehold.cancellation import note_done
from freehold.errors import OutcomeUnknown
from freehold.store.many import PATIENCE_MS
from freehold.store.tasks import Tasks, over
from freehold.store.touched import Change, Watchers
from freehold.store.ways import NotAtOnce, NotTaken, Turn, Way

if TYPE_CHECKING:
    from freehold.store.fetched import Fetched
    from freehold.store.prepared import Prepared
    from freehold.store.questions import Answer, Sent

MOST: Final = 64
AT_ONCE: Final = 2
"""Statements of one shape on their way: one is answered while the next is gathered."""
_APART_SECONDS: Final = 1.0
"""How long each goes alone after two refusals within that time: one refused row costs all others a second statement."""


class Apart(Exception):
    """Nothing was done: it has to be done alone."""


NOTHING_DONE: Final = (Apart, NotAtOnce, NotTaken)


def may_have_done(answer: asyncio.Future[Any]) -> bool:
    """Whether something was done, or nobody knows, by what came of it; of who is cancelled before anything came, nothing was."""
    return answer.done() and not answer.cancelled() and not isinstance(answer.exception(), NOTHING_DONE)


class _Batch:
    """What is sent together. See `Sent`."""

    __slots__ = ("error", "places", "task", "turn")

    def __init__(self, places: list[_Place], turn: Turn) -> None:
        self.places = places
        self.turn = turn
        self.task = asyncio.current_task()
        self.error: BaseException | None = None

    @property
    def is_abandoned(self) -> bool:
        """Whether nobody waits for it any more."""
        return all(place.answer.done() for place in self.places)

    def left(self) -> None:
        """One of them has left. What nobody waits for is cut short."""
        if self.is_abandoned:
            self.turn.cut_short()

    async def may_be_done(self) -> bool:
        """See `Sent`."""
        await over(self.task)
        return not isinstance(self.error, NOTHING_DONE)


class _Place:
    """One unit that waits. batch: that took it along."""

    __slots__ = ("answer", "batch", "values")

    def __init__(self, values: Sequence[Any], answer: Answer) -> None:
        self.values = values
        self.answer = answer
        self.batch: _Batch | None = None


class Together:
    """The units of one prepared statement, of which `many` is the text for many."""

    def __init__(self, way: Way, prepared: Prepared, many: str, watchers: Watchers) -> None:
        self._way = way
        self._prepared = prepared
        self._many = many
        self._watchers = watchers
        self._waiting: deque[_Place] = deque()
        self._sent_out: list[_Batch] = []
        self._on_the_way = 0
        self._is_gathering = self._is_due = False
        self._loop: asyncio.AbstractEventLoop
        self._apart_until = 0.0
        self._refused_at = -inf
        self._timer: asyncio.TimerHandle | None = None
        self._tasks = Tasks()

    @property
    def is_apart(self) -> bool:
        """Whether one that comes now is not to join others; it is sent by itself then, between `begins` and `ends`."""
        if self._apart_until and asyncio.get_running_loop().time() >= self._apart_until:
            self._apart_until = 0.0
        return bool(self._apart_until)

    def begins(self) -> None:
        """One is sent by itself."""
        self._on_the_way += 1

    def ends(self) -> None:
        """One that was sent is over."""
        self._on_the_way -= 1
        self._send()

    async def write(self, values: list[Any]) -> Sequence[Sequence[Any]]:
        """Its row alone, committed. Raises Apart, NotTaken and NotAtOnce where nothing was done, OutcomeUnknown, and what watchers raise."""
        answer: asyncio.Future[Sequence[Sequence[Any]]] = asyncio.get_running_loop().create_future()
        place = self._wait(values, answer)
        try:
            return await answer
        except asyncio.CancelledError as left:
            sent = self._left(place)
            if sent is not None and await sent.may_be_done():
                note_done(left)
            raise

    def ask(self, values: list[Any], answer: Answer) -> None:
        """See `Responder`."""
        self._wait(values, answer)

    def _wait(self, values: list[Any], answer: Answer) -> _Place:
        # Those that wait together wait in one loop.
        self._loop = asyncio.get_running_loop()
        place = _Place(values, answer)
        self._waiting.append(place)
        if self._on_the_way >= AT_ONCE:
            self._bound_the_wait()
        elif not self._is_due:
            self._is_due = True
            self._loop.call_soon(self._send_due)  # together with what else this round of the loop brings
        return place

    def leave(self, answer: Answer) -> Sent | None:
        """See `Responder`. What was sent is cut short once all have left it."""
        sent = (place for batch in self._sent_out for place in batch.places)
        for place in (*sent, *self._waiting):
            if place.answer is answer:
                return self._left(place)
        return None

    def _left(self, place: _Place) -> _Batch | None:
        """Its batch may be over by now: who is cancelled hears of it a round of the loop later."""
        if place.batch is not None:
            place.batch.left()
        elif place in self._waiting:
            self._waiting.remove(place)
        return place.batch

    def rows(self, found: Sequence[Sequence[Any]]) -> Fetched:
        """See `Responder`."""
        return self._prepared.rows(found)

    def fault(self, error: Exception) -> Exception | None:
        """See `Responder`. None where nothing was done."""
        return None if isinstance(error, NOTHING_DONE) else error

    def _bound_the_wait(self) -> None:
        """Have what waits now sent after a while, whatever became of those that were sent before."""
        if self._timer is None:
            self._timer = self._loop.call_later(PATIENCE_MS / 1000, self._send_late)

    def _send_due(self) -> None:
        self._is_due = False
        self._send()

    def _send(self) -> None:
        if self._on_the_way < AT_ONCE:
            self._carry_some()
        elif self._waiting:
            self._bound_the_wait()

    def _send_late(self) -> None:
        """Those that were sent before wait for something: nobody waits along with them."""
        self._timer = None
        self._carry_some()

    def _carry_some(self) -> None:
        if not self._waiting or self._is_gathering:
            return  # or somebody is about to take them all along
        self._is_gathering = True
        self._on_the_way += 1
        self._tasks.start(self._carry(), self._loop)

    async def _carry(self) -> None:
        """Take those that wait once there is a connection, and settle each, whatever happens."""
        batch: _Batch | None = None
        change = Change(self._prepared.writes)
        try:
            try:
                await self._watchers.will_change(change)
                batch = self._taken(await self._way.turn())
                rows = await self._sent(batch)
            finally:
                await self._watchers.has_changed(change)
        except BaseException as error:
            places = batch.places if batch is not None else self._all_waiting()
            self._comes_back(batch, error)
            self.ends()  # what waits goes on its way before anybody makes an answer of what came
            _fail(places, error)
            if not isinstance(error, Exception):
                raise
        else:
            self._comes_back(batch, None)
            self.ends()
            for place, row in zip(batch.places, rows, strict=True):
                if not place.answer.done():
                    place.answer.set_result([row])

    def _taken(self, turn: Turn) -> _Batch:
        self._is_gathering = False
        batch = _Batch([], turn)
        self._sent_out.append(batch)
        while self._waiting and len(batch.places) < MOST:
            place = self._waiting.popleft()
            if not place.answer.done():
                place.batch = batch
                batch.places.append(place)
        if self._waiting:  # more than one statement takes
            self._bound_the_wait()
        elif self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._send()
        return batch

    def _comes_back(self, batch: _Batch | None, error: BaseException | None) -> None:
        if batch is not None:
            batch.error = error
            self._sent_out.remove(batch)

    def _note_refusal(self) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._refused_at < _APART_SECONDS:
            self._apart_until = now + _APART_SECONDS
        self._refused_at = now

    def _all_waiting(self) -> list[_Place]:
        self._is_gathering = False
        found = list(self._waiting)
        self._waiting.clear()
        return found

    async def _sent(self, batch: _Batch) -> Sequence[Sequence[Any]]:
        """A row for each, without columns where a trigger or a rule of the database has taken it away."""
        if not batch.places:
            batch.turn.leave()
            return []
        if len(batch.places) == 1:
            found, kinds = await batch.turn.run(self._prepared.sql, batch.places[0].values)
            self._prepared.describe(kinds)
            return found or [()]
        return await self._sent_together(batch)

    async def _sent_together(self, batch: _Batch) -> Sequence[Sequence[Any]]:
        values = list(zip(*(place.values for place in batch.places), strict=True))
        try:
            rows, kinds = await batch.turn.run(self._many, values)
        except (NotAtOnce, NotTaken) as refused:
            if not batch.is_abandoned:
                self._note_refusal()
            raise Apart from refused
        self._prepared.describe(kinds[:-1])
        found: list[Sequence[Any]] = [()] * len(batch.places)
        for row in rows:
            found[row[-1] - 1] = row[:-1]
        return found


def _fail(places: Sequence[_Place], error: BaseException) -> None:
    told = error if isinstance(error, Exception) else OutcomeUnknown("The process ends.")
    for place in places:
        if not place.answer.done():
            place.answer.set_exception(told)
