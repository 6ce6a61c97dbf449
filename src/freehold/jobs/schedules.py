"""When a schedule ticks. Ticks are fixed instants, so that every process computes the same ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any, Literal, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from freehold.errors import ConfigurationError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATE = timedelta(minutes=1)


@dataclass(frozen=True)
class Schedule:
    """Enqueues a job at each tick: every so often, or once a day at a local time.

    every: counted from 1970-01-01T00:00Z, so that `hours=1` means on the hour. at, zone: once each local day; where
    the clock is put forward over that time it ticks right after the gap, where it is put back only the first time.
    missed: what becomes of ticks that passed while no process ran: one run for all of them, or none.
    """

    name: str
    every: timedelta | None = None
    at: time | None = None
    zone: str = "UTC"
    missed: Literal["once", "skip"] = "once"
    payload: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a schedule that names no ticks."""
        if (self.every is None) == (self.at is None):
            raise ConfigurationError(f"schedule {self.name!r}: give either every= or at=")
        if self.every is not None and self.every < timedelta(seconds=1):
            raise ConfigurationError(f"schedule {self.name!r}: every= must be at least a second")
        try:
            ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ConfigurationError(f"schedule {self.name!r}: unknown zone {self.zone!r}") from error

    @property
    def spec(self) -> str:
        """The declaration in words: when it changes, the next tick is computed anew."""
        return f"every {self.every}" if self.every is not None else f"at {self.at} {self.zone}"

    def after(self, instant: datetime) -> datetime:
        """The first tick later than `instant`."""
        if self.every is not None:
            return _EPOCH + ((instant - _EPOCH) // self.every + 1) * self.every
        # From the day before: the tick of a local day may lie on another day in UTC, and a gap may move it on.
        day = instant.astimezone(ZoneInfo(self.zone)).date() - timedelta(days=1)
        while (tick := self._on(datetime.combine(day, cast(time, self.at)))) <= instant:
            day += timedelta(days=1)
        return tick

    def _on(self, local: datetime) -> datetime:
        # fold=0: in a gap the offset from before it applies (the instant right after), and of two equal local times
        # the first is meant. So each local day has exactly one tick.
        return local.replace(tzinfo=ZoneInfo(self.zone), fold=0).astimezone(UTC)

    def is_run(self, tick: datetime, now: datetime) -> bool:
        """Whether a due tick is run now, or was missed and is skipped as declared."""
        return self.missed == "once" or now - tick <= min(_LATE, (self.every or timedelta(days=1)) / 2)
