"""Whether the process can serve, and with all that it has: checks that run in the background, answered from memory.

A probe never waits for a check: it reads the last result. A result older than `STALE_SECONDS` counts as a failure, so
that a lost database is seen within 5 s even when its check hangs.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field

from freehold.observe.logs import get_logger

Check = Callable[[], Awaitable[object]]

STALE_SECONDS = 4.0
_FIRST_BUDGET_SECONDS = 0.05
_log = get_logger("freehold.health")


@dataclass(slots=True)
class _Result:
    check: Check
    is_needed: bool
    passed: bool | None = None
    at: float = field(default=0.0)


class Health:
    """The checks of one application. A check passes unless it raises or returns False.

    interval_seconds: between two rounds. timeout_seconds: one check may take no longer in the background.
    """

    def __init__(self, *, interval_seconds: float = 1.0, timeout_seconds: float = 2.0) -> None:
        self._interval = interval_seconds
        self._timeout = timeout_seconds
        self._results: dict[str, _Result] = {}
        self._task: asyncio.Task[None] | None = None

    def register(self, name: str, check: Check, *, is_needed: bool = True) -> None:
        """Add a check. is_needed: the service is not ready without it; otherwise it serves on, degraded."""
        self._results[name] = _Result(check, is_needed)

    async def start(self) -> None:
        """Run the checks now and then in the background, until `stop`."""
        if self._task is None:
            await self._round(self._timeout)
            self._task = asyncio.create_task(self._run(), name="freehold-health")

    async def stop(self) -> None:
        """End the background rounds."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def is_ready(self) -> bool:
        """Whether every check that is needed passed lately. Without `start`, runs them here with 50 ms for each."""
        if self._task is None:
            await self._round(_FIRST_BUDGET_SECONDS)
        return not any(self._results[name].is_needed for name in self.failing())

    @property
    def is_degraded(self) -> bool:
        """Whether a check does not pass, of whatever kind: something is missing."""
        return bool(self.failing())

    def failing(self) -> list[str]:
        """The names of the checks that do not pass: for logs and metrics, never for an answer."""
        oldest = time.monotonic() - STALE_SECONDS
        return [name for name, result in self._results.items() if not result.passed or result.at < oldest]

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._interval)
            await self._round(self._timeout)

    async def _round(self, budget: float) -> None:
        await asyncio.gather(*(self._one(name, result, budget) for name, result in self._results.items()))

    async def _one(self, name: str, result: _Result, budget: float) -> None:
        error: Exception | None = None
        try:
            async with asyncio.timeout(budget):
                passed = await result.check() is not False
        except Exception as caught:  # noqa: BLE001  # whatever a check raises is a failure
            passed, error = False, caught
        if passed != result.passed and (result.passed is not None or not passed):
            _log.log(20 if passed else 40, "health check changed", check=name, passed=passed, error=repr(error))
        result.passed, result.at = passed, time.monotonic()
