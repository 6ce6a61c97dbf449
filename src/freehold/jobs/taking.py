"""What one process takes next: of what is due, that for which it has room, by priority."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

import structlog

from freehold.errors import ConfigurationError
from freehold.jobs import claiming, leases, looking, pace
from freehold.jobs.claiming import Chosen
from freehold.jobs.declaration import Job
from freehold.jobs.isolation import Isolation
from freehold.jobs.leases import Claim
from freehold.jobs.looking import Look
from freehold.jobs.queues import Queue
from freehold.jobs.tables import State
from freehold.resource.principal import system

if TYPE_CHECKING:
    from freehold.store.database import Database
    from freehold.store.session import Session

_log = structlog.get_logger("freehold.jobs")
_REASON = "job runner"


class _Emptying(Exception):
    """Nothing is taken, and what was spent of rates for it is given back."""


class Taker:
    """Claims jobs of the names in `known`. Raises ConfigurationError for two queues of one name that differ."""

    def __init__(self, database: Database, known: Mapping[str, Job[Any]]) -> None:
        self._database = database
        self._known = known
        self.leases = {name: job.lease for name, job in known.items()}
        self.queues = _by_name({job.queue for job in known.values()})
        self._served: frozenset[str] = frozenset(self.queues)
        self._isolation = Isolation()
        self._rests: dict[str, float] = {}  # queues whose rate has no room, and until when

    def serve(self, queues: Collection[str]) -> None:
        """Take from these queues only. Raises ConfigurationError for one that no job is declared for."""
        unknown = sorted(set(queues) - set(self.queues))
        if unknown:
            raise ConfigurationError(
                f"No job is declared for the queue {', '.join(unknown)}; there are: {', '.join(sorted(self.queues))}."
            )
        self._served = frozenset(queues)

    @property
    def rest_seconds(self) -> float:
        """How long until a queue whose rate had no room has some again; infinity where none rests."""
        return max(0.0, min(self._rests.values(), default=float("inf")) - time.monotonic())

    async def take(
        self, running: Collection[Claim], *, limit: int, seen: Look | None = None, paced: bool = True
    ) -> list[Claim]:
        """Recover what the dead have left, then claim what is due. Only reads when there is nothing to do.

        running: what this process holds. seen: by a look a moment ago. paced: heed the rates of queues.
        """
        if any(claim.is_suspect for claim in running):
            return []
        look = seen or await self.look(running)
        if look.abandoned:
            await self._recover([claim.id for claim in running])
            look = await self.look(running)
        wanted = list(self._in_turn(look, Counter(claim.name for claim in running)))
        if not wanted:
            return []
        rests = dict(self._rests)
        try:
            async with self._database.writing(system(_REASON)) as unit:
                chosen: list[Chosen] = []
                for job, most in wanted:
                    if (left := min(most, limit - len(chosen))) > 0:
                        chosen += await self._choose(unit.session, job, left, paced=paced)
                taken = self._isolation.of(chosen, is_busy=bool(running))
                if chosen and not taken:
                    raise _Emptying  # noqa: TRY301  # only an exception rolls a unit back
                return await claiming.claim(unit.session, taken, self.leases)
        except _Emptying:
            self._rests = rests
            return []

    async def look(self, running: Collection[Claim], *, schedules: Collection[str] = ()) -> Look:
        """See `looking.look`. running: what this process holds."""
        async with self._database.reading(system(_REASON)) as session:
            return await looking.look(session, [claim.id for claim in running], schedules=schedules)

    async def _recover(self, held: Collection[UUID]) -> None:
        async with self._database.writing(system(_REASON)) as unit:
            recovered = await leases.recover(unit.session, held)
        for job_id, name, state in recovered:
            event = "job_parked_as_poison" if state is State.DEAD else "job_recovered"
            _log.warning(event, job=name, job_id=str(job_id))

    def _in_turn(self, look: Look, running: Counter[str]) -> Iterator[tuple[Job[Any], int]]:
        """The jobs to take from, each with how many of it may begin here: by priority, then the longest waiting."""
        now = time.monotonic()
        self._rests = {queue: until for queue, until in self._rests.items() if until > now}
        due = [self._known[name] for name in look.since if name in self._known]
        for job in sorted(due, key=lambda one: (-one.priority, look.since[one.name])):
            most = 1_000_000 if job.at_once is None else job.at_once - running[job.name]
            if job.queue.name in self._served and job.queue.name not in self._rests and most > 0:
                yield job, most

    async def _choose(self, session: Session, job: Job[Any], limit: int, *, paced: bool) -> list[Chosen]:
        queue = job.queue
        if queue.rate is None or not paced:
            return await self._found(session, job, limit)
        if queue.name in self._rests:  # another job of it has used up what there was, a moment ago
            return []
        room = await pace.room(session, queue)
        chosen = await self._found(session, job, min(limit, room.jobs)) if room.jobs else []
        await pace.spend(session, queue, room, len(chosen))
        if len(chosen) == room.jobs:
            rest = room.wait + queue.interval * len(chosen)
            self._rests[queue.name] = time.monotonic() + rest.total_seconds()
        return chosen

    async def _found(self, session: Session, job: Job[Any], limit: int) -> list[Chosen]:
        return await claiming.choose(session, job.name, limit=limit, suspects=self._isolation.wants_suspects)


def _by_name(queues: Collection[Queue]) -> dict[str, Queue]:
    named = {queue.name: queue for queue in queues}
    for queue in queues:
        if named[queue.name] != queue:
            raise ConfigurationError(f"queue {queue.name!r} is declared twice, with different rates: make it once")
    return named
