"""`Jobs`: the part of a process that runs what is owed. Any number of them may work on one database."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Iterable
from dataclasses import KW_ONLY, dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from freehold.errors import ConfigurationError
from freehold.jobs import leases, looking, ticking
from freehold.jobs.carriage import Principals, nobody_found
from freehold.jobs.declaration import Job
from freehold.jobs.duties import Duty, cancelled, forever, wait
from freehold.jobs.execution import Execution, Outcome
from freehold.jobs.gauges import JobMetrics
from freehold.jobs.housekeeping import Housekeeping
from freehold.jobs.leases import Claim
from freehold.jobs.looking import Look
from freehold.jobs.taking import Taker
from freehold.jobs.tracks import Progress
from freehold.observe.metrics import Metrics
from freehold.resource.principal import system
from freehold.store.waking import Waking

if TYPE_CHECKING:
    from freehold.store.database import Database
    from freehold.store.outbox import Outbox

_REASON = "job runner"
_SWEEP_SECONDS = 60.0
_SEAL_SECONDS = 1.0
# What a look does not tell of schedules: new ones, changed ones, and that the clock was put back.
_PLAN_SECONDS = 10.0
# Between two looks of which the first found no job: commits elsewhere wake everybody, and each look costs.
_REST_SECONDS = 0.02
_MEASURE_SECONDS = 5.0
_ADMISSION_SECONDS = 30.0  # past what the store lets a writer wait


@dataclass
class _Running:
    claim: Claim
    task: asyncio.Task[Outcome]


@dataclass(eq=False)
class Jobs:
    """Runs jobs, fires their schedules, relays the outbox and seals the audit trail of one database.

    jobs: the functions that this process knows; rows of other names wait for a process that does. principals: gives
    the principal of an id as it stands now; without one, jobs of users are dead-lettered as "principal gone".
    outbox: relayed when given. concurrency: jobs at a time. poll: how soon work is found that no commit of this process
    has told of. keep_done: how long done jobs and delivered events can be looked at. audit_key: with one, nobody who
    lacks it can write the chain of audit records anew. metrics: where tries and the age of the oldest waiting job are
    shown.
    """

    database: Database
    _: KW_ONLY
    jobs: Iterable[Job[Any]] = ()
    principals: Principals = nobody_found
    outbox: Outbox | None = None
    concurrency: int = 4
    poll: timedelta = timedelta(seconds=1)
    keep_done: timedelta = timedelta(hours=24)
    audit_key: bytes = b""
    metrics: Metrics | None = None

    def __post_init__(self) -> None:
        """Refuse two jobs or two schedules with one name."""
        known = list({id(job.function): job for job in self.jobs}.values())
        self._known = {job.name: job for job in known}
        self._planned = [(schedule, job) for job in known for schedule in job.schedules]
        self._ticking = [schedule.name for schedule, _ in self._planned]
        _refuse_repeats("job", [job.name for job in known])
        _refuse_repeats("schedule", [schedule.name for schedule, _ in self._planned])
        self._taker = Taker(self.database, self._known)
        self._execution = Execution(self.database, self._known, self.principals)
        self._metrics = JobMetrics(self.metrics) if self.metrics is not None else None
        self._housekeeping = Housekeeping(
            self.database, self.outbox, self.keep_done, self.audit_key, metrics=self._metrics
        )
        self._running: dict[UUID, _Running] = {}
        self._wakened, self._unsealed = asyncio.Event(), asyncio.Event()
        self._admission: asyncio.Task[None] | None = None
        self._server: asyncio.Task[None] | None = None
        self._duties: list[asyncio.Task[None]] = []
        self._next_plan = float("-inf")
        self._loop: asyncio.AbstractEventLoop | None = None
        self._leaving_since: float | None = None

    def serve(self, queues: Collection[str]) -> None:
        """Run the jobs of these queues only; before `start`. Raises ConfigurationError for one that nothing waits in."""
        self._taker.serve(queues)

    async def start(self, *, apart: bool = False) -> None:
        """Begin to work, in tasks of the running loop. apart: other processes do; this one only measures."""
        if self._duties:
            raise RuntimeError("these jobs have been started")
        self._leaving_since = None
        keeping = self._housekeeping
        duties: list[tuple[Duty, float]] = [(keeping.measure, _MEASURE_SECONDS)] if self._metrics is not None else []
        if not apart:
            self._loop = asyncio.get_running_loop()
            # Of this loop: an application may run in several, one after the other.
            self._wakened, self._unsealed = asyncio.Event(), asyncio.Event()
            self.database.parts[Waking].register(self)
            heartbeat = min([*self._taker.leases.values(), timedelta(seconds=60)]) / 4
            duties += [(self._extend, heartbeat.total_seconds()), (self._seal, _SEAL_SECONDS)]
            duties.append((keeping.sweep, _SWEEP_SECONDS))
            if self.outbox is not None:
                duties.append((self._relay, 0.0))
            self._server = asyncio.create_task(forever(self._serve, 0.0))
        self._duties = [asyncio.create_task(forever(duty, pause)) for duty, pause in duties]

    def take_no_more(self) -> None:
        """Begin no further job: the process is about to end. Sets a flag alone, for signal handlers."""
        self._leaving_since = self._leaving_since or time.monotonic()

    async def stop(self, grace: timedelta = timedelta(seconds=30)) -> None:
        """Take no more jobs; let the running ones end within `grace`, then roll them back and return them.

        The grace begins with `take_no_more`, where that came before.
        """
        self.take_no_more()
        end = (self._leaving_since or 0.0) + grace.total_seconds()
        if self._server is not None:
            await cancelled([self._server])
            self._server = None
        # A claim that is under way ends in any case: what it took would otherwise stay leased to nobody.
        if self._admission is not None:
            await wait([self._admission], _ADMISSION_SECONDS)
            await cancelled([self._admission])
        await wait([one.task for one in self._running.values()], end - time.monotonic())
        left = list(self._running.values())
        await cancelled([one.task for one in left] + self._duties)
        for one in left:
            await self._execution.give_back(one.claim)
        self.database.parts[Waking].unregister(self)
        self._duties = []

    def wake(self) -> None:
        """Look for work now. Safe from any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wakened.set)

    async def run_pending(self) -> int:
        """Run everything that is due now, one after the other, until nothing is; how many tries were made.

        For tests: no task is started, no time passes, and no rate is heeded. A job that fails waits for its backoff.
        """
        tries = 0
        while True:
            await ticking.fire_due(self.database, self._planned)
            claims = await self._taker.take([], limit=1, paced=False)
            for claim in claims:
                # A task each, as when serving: what a job sets in its context stays in it.
                await asyncio.create_task(self._execution.run(claim))
                tries += 1
            relayed = await self.outbox.relay() if self.outbox is not None else 0
            if not claims and not relayed:
                await self._housekeeping.seal()
                return tries

    def queue_of(self, name: str) -> str | None:
        """Where jobs of this name wait; None for a name that is not declared (any more)."""
        job = self._known.get(name)
        return None if job is None else job.queue.name

    @property
    def tracked(self) -> dict[str, Job[Any]]:
        """The jobs that can be followed, by name."""
        return {name: job for name, job in self._known.items() if job.tracked}

    def said_here(self, job_id: UUID) -> Progress | None:
        """What a job that this process is running said last."""
        reporter = self._execution.speaking.get(job_id)
        return None if reporter is None else reporter.latest

    async def oldest_waiting_age(self) -> timedelta:
        """How long the job that has been due longest has been waiting: the figure to raise an alarm on."""
        async with self.database.reading(system(_REASON)) as session:
            return (await looking.look(session)).longest_wait

    async def _serve(self) -> None:
        """One look for work, and the wait for the next reason to look."""
        self._wakened.clear()
        seen = await self._taker.look(self._held, schedules=self._ticking)
        await self._tick(seen)
        if seen.records:
            self._unsealed.set()
        if seen.events and self.outbox is not None:
            self.outbox.wake()
        pause = self.poll.total_seconds()
        if len(self._running) < self.concurrency and self._leaving_since is None:
            self._admission = asyncio.create_task(self._admit(seen))
            await asyncio.shield(self._admission)
            pause = min(pause, self._taker.rest_seconds)
        if not seen.since:
            await asyncio.sleep(min(pause, _REST_SECONDS))
        await wait([asyncio.ensure_future(self._wakened.wait())], pause, cancel=True)

    @property
    def _held(self) -> list[Claim]:
        return [one.claim for one in self._running.values()]

    async def _tick(self, seen: Look) -> None:
        """Fire the schedules whose tick has come."""
        if seen.ticks or time.monotonic() >= self._next_plan:
            await ticking.fire_due(self.database, self._planned)
            self._next_plan = time.monotonic() + _PLAN_SECONDS

    async def _admit(self, seen: Look) -> None:
        held = self._held
        # A tick that was fired has left a job that was not seen yet.
        for claim in await self._taker.take(
            held, limit=self.concurrency - len(held), seen=None if seen.ticks else seen
        ):
            self._begin(claim)

    def _begin(self, claim: Claim) -> None:
        task = asyncio.create_task(self._execution.run(claim))
        self._running[claim.id] = _Running(claim, task)
        task.add_done_callback(lambda ended: self._ended(claim, ended))

    def _ended(self, claim: Claim, task: asyncio.Task[Outcome]) -> None:
        self._running.pop(claim.id, None)
        if self._metrics is not None and not task.cancelled():
            self._metrics.tried(claim.name, task.result())
        self._wakened.set()  # a place is free

    async def _extend(self) -> None:
        """Lengthen the leases of running jobs; a job whose lease is lost is stopped, and rolls back."""
        held = list(self._running.values())
        if not held:
            return
        async with self.database.writing(system(_REASON)) as unit:
            ours = await leases.extend(unit.session, [one.claim for one in held], self._taker.leases)
        for one in held:
            if one.claim.id not in ours:
                one.task.cancel()

    async def _relay(self) -> None:
        assert self.outbox is not None
        await self.outbox.relay()
        await self.outbox.wait()

    async def _seal(self) -> None:
        await self._unsealed.wait()
        self._unsealed.clear()
        await self._housekeeping.seal()


def _refuse_repeats(kind: str, names: list[str]) -> None:
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ConfigurationError(f"{kind} names must differ; given twice: {', '.join(repeated)}")
