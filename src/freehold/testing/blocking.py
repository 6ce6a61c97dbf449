"""Tests that fail where something blocks the event loop, with the line that did."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from freehold.observe.blocking import Blocked, watched_loop

THRESHOLD_MS = 100


class LoopBlocked(AssertionError):
    """Something blocked the event loop. The message names each line, `blocks` holds them."""

    def __init__(self, blocks: list[Blocked]) -> None:
        super().__init__("the event loop was blocked:\n" + "\n".join(map(str, blocks)))
        self.blocks = blocks


@asynccontextmanager
async def unblocked(*, threshold_ms: int = THRESHOLD_MS) -> AsyncIterator[None]:
    """Raise LoopBlocked at the end where the block let the running loop stand still for longer than the threshold.

    What lasts one and a half times as long is always seen, what is shorter than the threshold never.
    """
    found: list[Blocked] = []
    with watched_loop(threshold_seconds=threshold_ms / 1000, told=found.append):
        yield
    if found:
        raise LoopBlocked(found)
