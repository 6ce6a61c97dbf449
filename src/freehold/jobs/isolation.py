"""Which of the jobs that one process could take it does take, where one of them is to run alone."""

from __future__ import annotations

import time
from collections.abc import Sequence
from uuid import UUID

from freehold.jobs.claiming import Chosen

# So long a process takes nothing, that what it runs may end; with jobs that take longer it goes on, and tries again later.
_EMPTYING_SECONDS = 30.0
_GOES_ON_SECONDS = 300.0


class Isolation:
    """A job that has died with its worker twice runs alone, so that it cannot be parked for what another did, nor kill others."""

    def __init__(self) -> None:
        self._emptying_since: float | None = None

    @property
    def wants_suspects(self) -> bool:
        """Whether those that run alone are looked at: not while this process cannot be emptied."""
        since = self._emptying_since
        if since is not None and time.monotonic() > since + _EMPTYING_SECONDS + _GOES_ON_SECONDS:
            self._emptying_since = since = None
        return since is None or time.monotonic() < since + _EMPTYING_SECONDS

    def of(self, chosen: Sequence[Chosen], *, is_busy: bool) -> list[UUID]:
        """Those to take. is_busy: this process runs something."""
        suspect = next((each.id for each in chosen if each.is_suspect), None)
        if suspect is None:
            if self.wants_suspects:
                self._emptying_since = None
            return [each.id for each in chosen]
        if not is_busy:
            self._emptying_since = None
            return [suspect]
        self._emptying_since = self._emptying_since or time.monotonic()
        return []
