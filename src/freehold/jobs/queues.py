"""Where jobs wait: named, so that a worker can be told to serve some of them only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from freehold.resource.quotas import Quota


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue, and how fast jobs leave it.

    rate: over all processes together, evenly: `per_minute(300)` begins five in any second and never all at once. It
    limits how often a job is begun, tries after a failure included.
    """

    name: str
    rate: Quota | None = None

    @property
    def interval(self) -> timedelta:
        """The time that one job takes of the rate; zero without one."""
        return timedelta(0) if self.rate is None else self.rate.window / self.rate.limit

    @property
    def burst(self) -> int:
        """How many may begin at one moment: as many as the rate allows in a second, and one at least."""
        return 1 if self.rate is None else max(1, int(timedelta(seconds=1) / self.interval))


DEFAULT = Queue("default")
