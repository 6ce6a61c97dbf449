"""How much a process takes on at once: past a limit it refuses soon, so that what it took it finishes in time.

What counts is work: a request that waits for its client (a body that trickles in, an answer that is read slowly) is none.
The limit is lowered while answers take too long, for a queue that nobody waits out is work for nobody, and rises again.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque

from starlette.types import Message, Receive

from freehold.errors import AtCapacity
from freehold.observe.logs import get_logger

# Answers that begin later than this are a queue, not work; operations that are meant to take long are few at a time.
_TOO_LATE_SECONDS = 1.0
# A crowd that comes at one moment is late once and over; only lateness that goes on is more than the process can bear
# (the principle of CoDel, RFC 8289: judge a queue by what stands for an interval).
_LASTING_SECONDS = 1.0
_FORGOTTEN_SECONDS = 3.0
_LOWEST = 8
_QUEUED_SECONDS = 0.25
_HOPEFUL_SECONDS = 0.1
_WEIGHT = 0.02
_LOWERED_TO = 0.7
# A loop that comes round as slowly as this has more to do than it can: answers are late for that, not by their nature.
_BUSY_SECONDS = 0.05
_NEVER_REFUSED = ("/health/", "/metrics/")
# A request that waits for its client costs memory and a descriptor, no time.
WAITING_LIMIT = 5_000
ARRIVED = "fh_arrived"
"""Where a server that counts what arrives leaves in a request's state when it did."""
_log = get_logger("freehold.load")


def is_probe(path: str) -> bool:
    """Whether it is never refused: what watches over the process has to learn that it is busy, not that it is dead."""
    return f"{path}/".startswith(_NEVER_REFUSED)


class Turn:
    """One request that was taken on. `answered` when its answer begins; `left`, once, when it is over."""

    __slots__ = ("_is_working", "_load", "since")

    def __init__(self, load: Load, since: float) -> None:
        self._load = load
        self.since = since
        self._is_working = True

    def answered(self) -> None:
        """Its answer begins: what is left is its client's business."""
        if self._is_working:
            self._is_working = False
            self._load.done(self.since)

    def left(self) -> None:
        """It is over, answered or not."""
        if self._is_working:
            self.answered()
        self._load.in_flight -= 1

    def waiting(self, receive: Receive) -> Receive:
        """`receive`, during which it waits for its client."""

        async def received() -> Message:
            if not self._is_working:
                return await receive()
            self._load.working -= 1
            began = time.monotonic()
            try:
                return await receive()
            finally:
                self._load.working += 1
                self.since += time.monotonic() - began

        return received


class Lateness:
    """Whether answers have been late for as long as it takes to believe it: most of those since the first late one."""

    __slots__ = ("_late", "_since", "_timely")

    def __init__(self) -> None:
        self._since: float | None = None
        self._late = self._timely = 0

    def lasts(self, now: float) -> bool:
        """One more is late. Whether that is enough; if so, what comes next is judged afresh."""
        if self._since is None or now - self._since > _FORGOTTEN_SECONDS:
            self._forget()
            self._since = now
        self._late += 1
        if now - self._since < _LASTING_SECONDS:
            return False
        was_most = self._late > self._timely
        self._forget()
        return was_most

    def timely(self, now: float) -> None:
        """One more is in time."""
        if self._since is not None:
            self._timely += 1
            if now - self._since >= _LASTING_SECONDS and self._timely >= self._late:
                self._forget()

    def _forget(self) -> None:
        self._since = None
        self._late = self._timely = 0


class Load:
    """What the requests of one process are doing. most: that may be worked on at once."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.limit = float(most)
        self.working = 0
        self.in_flight = 0
        self.refused = 0
        self._arriving = 0
        self._arriving_in: asyncio.AbstractEventLoop | None = None
        self._queue: deque[tuple[asyncio.Future[bool], float]] = deque()
        self._watching: asyncio.AbstractEventLoop | None = None
        # Between two answers while others wait, on average; 0 where nobody has waited yet.
        self._gap = self._done_at = 0.0
        self._lowered_at = self._told_at = 0.0
        self._lateness = Lateness()
        self._round_seconds = 0.0
        self._is_measuring = False

    def arrives(self, loop: asyncio.AbstractEventLoop) -> float:
        """One has come that `loop` will turn to when it has done what came before; when that was.

        Work that waits for nothing never has two requests begun: those that it keeps from being begun are its queue.
        """
        if not self._arriving or self._arriving_in is not loop:
            self._arriving, self._arriving_in = 0, loop
            loop.call_soon(self._turns_to_them)
        self._arriving += 1
        return time.monotonic()

    def _turns_to_them(self) -> None:
        """All that have come are begun in this round; more come after it."""
        self._arriving = 0

    async def enter(self, path: str, *, since: float | None = None) -> Turn:
        """Take a request on, at the latest after a moment. Raises AtCapacity where there is no room by then.

        Probes are never refused, and never wait. since: when it arrived.
        """
        since = time.monotonic() if since is None else since
        taken = self.take(since)
        if taken is not None:
            return taken
        if is_probe(path):
            self.working += 1
        else:
            await self._wait_for_room()
        return self._taken(since)

    def take(self, since: float) -> Turn | None:
        """The same where there is room; None where it has to be waited for."""
        if self.working >= self.limit or self.in_flight >= WAITING_LIMIT:
            return None
        self.working += 1
        return self._taken(since)

    def _taken(self, since: float) -> Turn:
        self.in_flight += 1
        if not self._is_measuring:
            self._is_measuring = True
            asyncio.get_running_loop().call_soon(self._measured, time.monotonic())
        return Turn(self, since)

    async def _wait_for_room(self) -> None:
        """Until one of those that are worked on is done, in order: its place is ours then."""
        if len(self._queue) >= self._room() or self.in_flight >= WAITING_LIMIT:
            raise AtCapacity(retry_after=self.refuse())
        loop = asyncio.get_running_loop()
        place: asyncio.Future[bool] = loop.create_future()
        self._queue.append((place, loop.time() + _QUEUED_SECONDS))
        if self._watching is not loop:
            self._watching = loop
            loop.call_later(_QUEUED_SECONDS, self._send_away, loop)
        try:
            has_place = await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled() and place.result():
                self._leave_place()
            raise
        if not has_place:
            raise AtCapacity(retry_after=self.refuse())

    def _send_away(self, loop: asyncio.AbstractEventLoop) -> None:
        """Those that have waited for as long as anybody would; one timer for all, who all wait for as long."""
        now = loop.time()
        while self._queue and self._queue[0][1] <= now:
            place, _ = self._queue.popleft()
            if not place.done():
                place.set_result(False)
        self._watching = loop if self._queue else None
        if self._queue:
            loop.call_at(self._queue[0][1], self._send_away, loop)

    def _room(self) -> float:
        """How many may wait: as many as are likely to get a place in time, for one that waited in vain costs more than one refused."""
        return min(self.limit, max(1.0, _HOPEFUL_SECONDS / self._gap)) if self._gap else self.limit

    @property
    def is_full(self) -> bool:
        """Whether a request, other than a probe, would be refused without having waited."""
        taken = self.working + self._arriving + len(self._queue)
        return taken >= self.limit and taken >= self.limit + self._room()

    def refuse(self) -> int:
        """Count a refusal; the seconds of its Retry-After, for not all of them are to come back in the same second."""
        self.refused += 1
        now = time.monotonic()
        if now - self._told_at > 1:  # a line for each would cost more than the refusal
            _log.warning("requests refused", since_the_start=self.refused, limit=int(self.limit))
            self._told_at = now
        return 1 + self.refused % 3

    def done(self, since: float) -> None:
        """A request is answered that was worked on since then."""
        now = time.monotonic()
        if now - since > _TOO_LATE_SECONDS:
            is_crowded = self._round_seconds > _BUSY_SECONDS or self.working * 2 > self.limit
            # What was taken on before the last change tells nothing of it.
            if is_crowded and since > self._lowered_at and self._lateness.lasts(now):
                self.limit = max(_LOWEST, min(self.limit, self.working) * _LOWERED_TO)
                self._lowered_at = now
        else:
            self._lateness.timely(now)
            if self.limit < self.most:
                self.limit = min(self.most, self.limit + 4 / self.limit)
        if not self._queue:
            self._done_at = 0.0
        else:
            if self._done_at:
                self._gap += (now - self._done_at - self._gap) * (_WEIGHT if self._gap else 1)
            self._done_at = now
        self._leave_place()

    def _leave_place(self) -> None:
        self.working -= 1
        while self._queue and self.working < self.limit:
            place, _ = self._queue.popleft()
            if not place.done():
                self.working += 1
                place.set_result(True)

    def _measured(self, since: float) -> None:
        """How long the loop has taken for one round, by the first request in it."""
        self._round_seconds = time.monotonic() - since
        self._is_measuring = False
