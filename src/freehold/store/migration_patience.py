"""A migration waits for a lock one second at most, so that nobody queues behind it for longer; then it tries again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from sqlalchemy.exc import DBAPIError

from freehold.errors import ConfigurationError
from freehold.store.faults import sqlstate

LOCK_SECONDS: Final = 1
TRIES: Final = 30
_PAUSE_SECONDS: Final = 0.5
_LOCK_NOT_AVAILABLE: Final = "55P03"


async def patiently(attempt: Callable[[], Awaitable[None]], say: Callable[[str], None]) -> None:
    """Run an attempt that undoes itself when it fails, until it has got its locks.

    Raises ConfigurationError when others held on to a table all the time.
    """
    for tried in range(TRIES):
        try:
            await attempt()
        except DBAPIError as error:
            if sqlstate(error) != _LOCK_NOT_AVAILABLE:
                raise
        else:
            return
        if not tried:
            say("a table is in use by a long transaction: trying again until it is free")
        await asyncio.sleep(_PAUSE_SECONDS)
    raise ConfigurationError(
        f"a table was in use each of the {TRIES} times that the migration asked for {LOCK_SECONDS} s: nothing was changed. "
        "Look for long transactions in pg_stat_activity, and run it again"
    )
