"""Which of the jobs that one process could take it does take, where one of them is to run alone."""

from __future__ import annotations

import time
from collections.abc import Sequence
from uuid import UUID

from freehold.jobs.claiming import Chosen

# So long a process takes nothing, that what it runs may end. With jobs that take longer it goes on, and tries again later for
# twice as long: where every job takes so much, the one that is to run alone would never begin. It goes on for as long at
# least: beside a job without end it would stand still for nearly all of the time.
_EMPTYING_SECONDS = 30.0
_MOST_EMPTYING_SECONDS = 3_600.0
_LEAST_GOING_ON_SECONDS = 300.0


class Isolation:
    """A job that has died with its worker twice runs alone, so that it cannot be parked for what another did, nor kill others."""

    def __init__(self) -> None:
        self._emptying_since: float | None = None
        self._emptying_for = _EMPTYING_SECONDS

    @property
    def wants_suspects(self) -> bool:
        """Whether those that run alone are looked at: not while this process cannot be emptied."""
        since = self._emptying_since
        goes_on_for = max(_LEAST_GOING_ON_SECONDS, self._emptying_for)
        if since is not None and time.monotonic() > since + self._emptying_for + goes_on_for:
            self._emptying_since = since = None
            self._emptying_for = min(2 * self._emptying_for, _MOST_EMPTYING_SECONDS)
        return since is None or time.monotonic() < since + self._emptying_for

    def of(self, chosen: Sequence[Chosen], *, is_busy: bool) -> list[UUID]:
        """Those to take. is_busy: this process runs something."""
        suspect = next((each.id for each in chosen if each.is_suspect), None)
        if suspect is None:
            if self.wants_suspects:
                self._rest()
            return [each.id for each in chosen]
        if not is_busy:
            self._rest()
            return [suspect]
        self._emptying_since = self._emptying_since or time.monotonic()
        return []

    def _rest(self) -> None:
        """Nothing is waited for."""
        self._emptying_since, self._emptying_for = None, _EMPTYING_SECONDS
