"""The deadlines of requests. All of one length share a timer: one for each would cost as much as half of the edge."""

from __future__ import annotations

import asyncio
from typing import Any


class Limited:
    """What has to be done by some time. Unless it is `met` before, it `passes`.

    running: it and all others of its kind; None until `Deadlines.follow` sets both.
    """

    __slots__ = ("ends_at", "running")

    def __init__(self) -> None:
        self.running: dict[Limited, None] | None = None
        self.ends_at = 0.0

    def met(self) -> None:
        """What had to be done by then is done: it will not pass any more."""
        if self.running is not None:
            self.running.pop(self, None)

    def passes(self) -> None:
        """The time is over."""
        raise NotImplementedError


class Deadline(Limited):
    """Of one request, in the task that made it: past it the task is cancelled, as by `asyncio.timeout`."""

    __slots__ = ("_cancelling", "_task", "is_over")

    def __init__(self, task: asyncio.Task[Any]) -> None:
        super().__init__()
        self._task = task
        self._cancelling = task.cancelling()
        self.is_over = False

    def passes(self) -> None:
        """Cancel the task."""
        self.is_over = True
        self._task.cancel()

    def left(self, error: BaseException | None) -> bool:
        """The work is over. Whether `error` came of this deadline, and of nobody else's cancellation."""
        self.met()
        if not self.is_over:
            return False
        return self._task.uncancel() <= self._cancelling and isinstance(error, asyncio.CancelledError)


class Rest(Deadline):
    """What is left of the deadline of a request that was begun without a task. of: passes on that it passes, and is met with it."""

    __slots__ = ("_of",)

    def __init__(self, task: asyncio.Task[Any], of: Limited) -> None:
        super().__init__(task)
        self._of = of

    def met(self) -> None:
        """See `Limited`."""
        self._of.met()


class Deadlines:
    """All that are `seconds` long, and so pass in the order in which they began."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._loop: asyncio.AbstractEventLoop | None = None
        self._running: dict[Limited, None] = {}
        self._has_timer = False

    def begin(self) -> Deadline:
        """One for the running task."""
        task = asyncio.current_task()
        assert task is not None, "a request is served by a task"
        made = Deadline(task)
        self.follow(made)
        return made

    def follow(self, made: Limited) -> None:
        """One that begins now."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            self._loop, self._running, self._has_timer = loop, {}, False
        made.running, made.ends_at = self._running, loop.time() + self._seconds
        self._running[made] = None
        if not self._has_timer:
            self._wait_for(made)

    def _wait_for(self, first: Limited) -> None:
        assert self._loop is not None
        self._has_timer = True
        self._loop.call_at(first.ends_at, self._look, self._running)

    def _look(self, running: dict[Limited, None]) -> None:
        """End what is over, and come back for the next one."""
        if running is not self._running or self._loop is None:
            return  # of a loop that served before (tests have several)
        self._has_timer = False
        now = self._loop.time()
        while running:
            first = next(iter(running))
            if first.ends_at > now:
                self._wait_for(first)
                return
            first.met()
            first.passes()
