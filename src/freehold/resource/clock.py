"""The one source of the present instant, so that a test can move it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Final

_system: Final = partial(datetime.now, UTC)


class _Clock:
    source: Callable[[], datetime] = _system


def now() -> datetime:
    """The present instant, aware, in UTC. Durations are measured with `time.monotonic`, never with this."""
    return _Clock.source()


def set_source(source: Callable[[], datetime] | None) -> Callable[[], datetime]:
    """Replace the clock of this process (tests) and return the one before; `None` puts the system's back."""
    before = _Clock.source
    _Clock.source = staticmethod(source or _system)
    return before
