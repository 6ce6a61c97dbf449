"""How long a job that failed waits for its next try."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Backoff:
    """The pause before try n + 1: `first * factor ** (n - 1)`, at most `longest`, a fifth more or less by chance.

    The chance keeps jobs that failed together (a peer was down) from coming back together.
    """

    first: timedelta = timedelta(seconds=5)
    factor: float = 2.0
    longest: timedelta = timedelta(hours=1)

    def pause(self, failures: int) -> timedelta:
        """How long to wait after the failure with this number (from 1)."""
        # The exponent is bounded: a float power overflows long after any pause has reached its ceiling.
        grown = self.first.total_seconds() * self.factor ** min(failures - 1, 64)
        return timedelta(seconds=min(grown, self.longest.total_seconds()) * random.uniform(0.8, 1.2))  # noqa: S311
