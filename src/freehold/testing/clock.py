"""Time under control: the clock that Freehold reads, held still and moved by hand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Self

from freehold.resource import clock

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
"""Where a test's clock stands at first: a Monday morning."""


class Clock:
    """A clock that moves only when told to. As a context manager it is the clock of this process; blocks nest."""

    def __init__(self, at: datetime = START) -> None:
        self._now = _aware(at)
        self._before: list[Callable[[], datetime]] = []

    def now(self) -> datetime:
        """The instant it shows."""
        return self._now

    def advance(self, by: timedelta | None = None, /, **parts: float) -> datetime:
        """Move on by a duration, or by `timedelta`'s keywords: `clock.advance(hours=24)`. Never back."""
        step = by if by is not None else timedelta(**parts)
        if step < timedelta(0):
            raise ValueError("a clock does not go back; use set() to say another instant")
        self._now += step
        return self._now

    def set(self, to: datetime) -> datetime:
        """Show another instant; aware, earlier or later."""
        self._now = _aware(to)
        return self._now

    def __enter__(self) -> Self:
        self._before.append(clock.set_source(self.now))
        return self

    def __exit__(self, *_: object) -> None:
        clock.set_source(self._before.pop())


def _aware(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError("a naive datetime names no instant: give it a time zone")
    return at.astimezone(UTC)
