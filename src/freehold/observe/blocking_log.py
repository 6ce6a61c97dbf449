"""Blocks of the event loop in the log: each line of code at most once a minute."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager, nullcontext

import structlog

from freehold.observe.blocking import Blocked, watched_loop
from freehold.settings import Environment, Settings

QUIET_SECONDS = 60.0
_log = structlog.get_logger("freehold.blocking")


class BlockingLog:
    """Writes a warning for a block, with the line that blocked and how long."""

    def __init__(self) -> None:
        self._told: dict[str, float] = {}

    def __call__(self, block: Blocked) -> None:
        now = time.monotonic()
        if now - self._told.get(block.place, -QUIET_SECONDS) < QUIET_SECONDS:
            return
        self._told[block.place] = now
        _log.warning(
            "event_loop_blocked",
            place=block.place,
            function=block.function,
            line=block.code,  # a field named code would be covered as a secret
            milliseconds=round(block.seconds * 1000),
        )


def logging_blocks(settings: Settings) -> AbstractContextManager[None]:
    """Log what blocks the running loop, during the block: in development, and unless the setting says not to."""
    if settings.env is not Environment.DEVELOPMENT or settings.blocking_ms == 0:
        return nullcontext()
    return watched_loop(threshold_seconds=settings.blocking_ms / 1000, told=BlockingLog())
