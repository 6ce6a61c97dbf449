"""At the start: wait for a PostgreSQL that is still starting, and say in one line where it is no use to wait."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

from sqlalchemy.ext.asyncio import AsyncEngine

from freehold.errors import ConfigurationError

PAUSE_SECONDS: Final = 0.25
TELL_SECONDS: Final = 5.0
TRY_SECONDS: Final = 5.0
# SQLSTATE of what will be no other in a minute: a wrong log-in, no such database, a right that lacks.
_HOPELESS: Final = ("28", "3D", "42")


async def await_server(engine: AsyncEngine, *, seconds: float, say: Callable[[str], None]) -> None:
    """Return once the server takes connections; at once for SQLite. say: is given a line every few seconds until then.

    Raises ConfigurationError with what the server, or the way to it, says: at once where waiting would not help, else
    after so many seconds.
    """
    if engine.dialect.name != "postgresql":
        return
    ends = time.monotonic() + seconds
    tell_at = time.monotonic()
    server = f"PostgreSQL at {engine.url.host or 'the default host'}:{engine.url.port or 5432}"
    while True:
        try:
            async with asyncio.timeout(TRY_SECONDS), engine.connect():
                return
        except Exception as error:  # noqa: BLE001 (the driver has errors of its own while it connects)
            reason, now = _reason(error), time.monotonic()
            if _is_hopeless(error):
                raise ConfigurationError(f"{server} refuses: {reason}") from None
            if now >= ends:
                raise ConfigurationError(f"{server} is not there, {seconds:g} s after the start: {reason}") from None
        if now >= tell_at:
            say(f"waiting for {server}, {ends - now:.0f} s more at most: {reason}")
            tell_at = now + TELL_SECONDS
        await asyncio.sleep(PAUSE_SECONDS)


def _is_hopeless(error: Exception) -> bool:
    state = getattr(error, "sqlstate", None) or getattr(getattr(error, "orig", None), "sqlstate", None) or ""
    return str(state).startswith(_HOPELESS)


def _reason(error: Exception) -> str:
    """One line, without SQL."""
    if isinstance(error, TimeoutError):
        return f"no answer within {TRY_SECONDS:g} s"
    said = str(getattr(error, "orig", None) or error).strip()
    return said.splitlines()[0] if said else type(error).__name__
