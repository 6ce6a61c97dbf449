"""Waiting for what comes true by itself: until it does, and never for a time that a slow machine may need as well."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable

PATIENCE_SECONDS = 30.0


async def until(holds: Callable[[], bool | Awaitable[bool]], *, seconds: float = PATIENCE_SECONDS) -> None:
    """Return once it holds. Raises TimeoutError when it does not in that time."""
    async with asyncio.timeout(seconds):
        while True:
            found = holds()
            if await found if inspect.isawaitable(found) else found:
                return
            await asyncio.sleep(0.005)


async def at_rest(count: Callable[[], int], *, seconds: float = 0.3) -> int:
    """What is counted, once it has not changed for so long."""
    found, since = count(), time.monotonic()
    while time.monotonic() - since < seconds:
        await asyncio.sleep(0.01)
        if count() != found:
            found, since = count(), time.monotonic()
    return found


def until_in_a_thread(holds: Callable[[], bool], *, seconds: float = PATIENCE_SECONDS) -> None:
    """As `until`, for what has no loop."""
    ends = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > ends:
            raise TimeoutError
        time.sleep(0.01)
