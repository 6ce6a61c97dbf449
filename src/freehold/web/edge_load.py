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
_LOWERED_TO = 0.7
# A loop that comes round as slowly as this has more to do than it can: answers are late for that, not by their nature.
_BUSY_SECONDS = 0.05
_NEVER_REFUSED = ("/health/", "/metrics")
# A request that waits for its client costs memory and a descriptor, no time.
WAITING_LIMIT = 5_000
_log = get_logger("freehold.load")


class Turn:
    """One request that was taken on. `answered` when its answer begins; `left`, once, when it is over."""

    __slots__ = ("_is_working", "_load", "since")

    def __init__(self, load: Load) -> None:
        self._load = load
        self.since = time.monotonic()
        self._is_working = True

    def answered(self) -> None:
        """Its answer begins: what is left is its client's business."""
        if self._is_working:
            self._is_working = False
            self._load.done(self.since)

    def left(self) -> None:
        """It is over, answered or not."""
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
        self._queue: deque[asyncio.Future[None]] = deque()
        self._lowered_at = self._told_at = 0.0
        self._lateness = Lateness()
        self._round_seconds = 0.0
        self._is_measuring = False

    async def enter(self, path: str) -> Turn:
        """Take a request on, at the latest after a moment. Raises AtCapacity where there is no room by then.

        Probes are never refused, and never wait.
        """
        if self.working >= self.limit or self.in_flight >= WAITING_LIMIT:
            if path.startswith(_NEVER_REFUSED):
                self.working += 1
            else:
                await self._wait_for_room()
        else:
            self.working += 1
        self.in_flight += 1
        turn = Turn(self)
        if not self._is_measuring:
            self._is_measuring = True
            asyncio.get_running_loop().call_soon(self._measured, turn.since)
        return turn

    async def _wait_for_room(self) -> None:
        """Until one of those that are worked on is done, in order: its place is ours then."""
        if len(self._queue) >= self.limit or self.in_flight >= WAITING_LIMIT:
            raise AtCapacity(retry_after=self.refuse())
        place = asyncio.get_running_loop().create_future()
        self._queue.append(place)
        try:
            async with asyncio.timeout(_QUEUED_SECONDS):
                await place
        except BaseException as given_up:
            if place.done() and not place.cancelled():
                self._leave_place()
            if isinstance(given_up, TimeoutError):
                raise AtCapacity(retry_after=self.refuse()) from None
            raise

    def is_full(self, path: str) -> bool:
        """Whether a request for `path` would be refused without having waited."""
        has_room = self.working < self.limit or len(self._queue) < self.limit
        return not has_room and not path.startswith(_NEVER_REFUSED)

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
        self._leave_place()

    def _leave_place(self) -> None:
        self.working -= 1
        while self._queue and self.working < self.limit:
            place = self._queue.popleft()
            if not place.done():
                self.working += 1
                place.set_result(None)

    def _measured(self, since: float) -> None:
        """How long the loop has taken for one round, by the first request in it."""
        self._round_seconds = time.monotonic() - since
        self._is_measuring = False
