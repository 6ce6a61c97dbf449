"""Work that belongs to nobody: what the statement of several needs done, whoever of them set it off."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from contextvars import Context
from typing import Any


class Tasks:
    """Keeps tasks until they are done; a loop by itself may forget them before."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, None], loop: asyncio.AbstractEventLoop) -> asyncio.Task[None]:
        """In an empty context: what the one who set it off has in theirs is nothing to the others.

        loop: the running one, which costs a system call to ask for.
        """
        task = loop.create_task(work, context=Context())
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task


async def over(task: asyncio.Task[Any] | None) -> None:
    """Wait for the end of a task, however often the waiting one is cancelled."""
    while task is not None and not task.done():
        with suppress(asyncio.CancelledError):
            await asyncio.wait([task])
