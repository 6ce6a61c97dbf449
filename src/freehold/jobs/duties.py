"""What a runner does again and again, in tasks of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import structlog

from freehold.jobs.execution import describe

_log = structlog.get_logger("freehold.jobs")

_LONGEST_PAUSE_SECONDS = 10.0

Duty = Callable[[], Awaitable[object]]


async def forever(duty: Duty, pause_seconds: float) -> None:
    """Repeat a duty. A database that is away is waited for, longer each time."""
    failures, me = 0, asyncio.current_task()
    while True:
        try:
            await duty()
            failures = 0
        except Exception as error:  # nothing ends the runner
            if me is not None and me.cancelling():
                # A driver that is cleaning up after the cancellation may fail, and its error then hides it.
                raise asyncio.CancelledError from error
            failures += 1
            _log.error("job_duty_failed", duty=duty.__name__, error=describe(error))
        await asyncio.sleep(pause_seconds if not failures else min(2.0**failures / 4, _LONGEST_PAUSE_SECONDS))


async def wait(tasks: Iterable[asyncio.Future[Any]], seconds: float, *, cancel: bool = False) -> None:
    """Wait until all have ended, for so long at most. cancel: those that are left are cancelled."""
    waited = list(tasks)
    try:
        if waited and seconds > 0:
            await asyncio.wait(waited, timeout=seconds)
    finally:
        for task in waited if cancel else ():
            task.cancel()


async def cancelled(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel them, and wait until they have ended."""
    ending = list(tasks)
    for task in ending:
        task.cancel()
    await asyncio.gather(*ending, return_exceptions=True)
