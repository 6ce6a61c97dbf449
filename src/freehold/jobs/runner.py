"""`Jobs`: the part of a process that runs what is owed. Any number of them may work on one database."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import KW_ONLY, dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import structlog

from freehold.errors import ConfigurationError
from freehold.jobs import queue, ticking, tracks, waking
from freehold.jobs.carriage import Principals
from freehold.jobs.declaration import Job
from freehold.jobs.execution import Execution, Outcome, describe
from freehold.jobs.gauges import JobMetrics
from freehold.jobs.queue import Claim
from freehold.jobs.tables import State
from freehold.jobs.tracks import Progress
from freehold.observe.metrics import Metrics
from freehold.resource.principal import Principal, system
from freehold.store import audit

if TYPE_CHECKING:
    from freehold.store.database import Database
    from freehold.store.outbox import Outbox

_log = structlog.get_logger("freehold.jobs")

_REASON = "job runner"
_SWEEP_SECONDS = 60.0
_MEASURE_SECONDS = 5.0
_LONGEST_PAUSE_SECONDS = 10.0
_ADMISSION_SECONDS = 30.0  # past what the store lets a writer wait


@dataclass
class _Running:
    claim: Claim
    task: asyncio.Task[Outcome]


async def _nobody(_: UUID) -> Principal | None:
    return None


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
    principals: Principals = _nobody
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
        _refuse_repeats("job", [job.name for job in known])
        _refuse_repeats("schedule", [schedule.name for schedule, _ in self._planned])
        self._leases = {job.name: job.lease for job in known}
        self._execution = Execution(self.database, self._known, self.principals)
        self._metrics = JobMetrics(self.metrics) if self.metrics is not None else None
        self._running: dict[UUID, _Running] = {}
        self._wakened = asyncio.Event()
        self._admission: asyncio.Task[None] | None = None
        self._duties: list[asyncio.Task[None]] = []
        self._loop: asyncio.AbstractEventLoop | None = None

    async def start(self) -> None:
        """Begin to work, in tasks of the running loop."""
        if self._duties:
            raise RuntimeError("these jobs have been started")
        self._loop = asyncio.get_running_loop()
        waking.register(self)
        heartbeat = min([*self._leases.values(), timedelta(seconds=60)]) / 4
        duties: list[tuple[Callable[[], Awaitable[object]], float]] = [
            (self._extend, heartbeat.total_seconds()),
            (self._seal, 1.0),
            (self._sweep, _SWEEP_SECONDS),
        ]
        if self._metrics is not None:
            duties.append((self._measure, _MEASURE_SECONDS))
        if self.outbox is not None:
            duties.append((self._relay, 0.0))
        self._duties = [asyncio.create_task(self._forever(duty, pause)) for duty, pause in duties]
        self._duties.append(asyncio.create_task(self._forever(self._serve, 0.0)))

    async def stop(self, grace: timedelta = timedelta(seconds=30)) -> None:
        """Take no more jobs; let the running ones end within `grace`, then roll them back and return them."""
        end = time.monotonic() + grace.total_seconds()
        if not self._duties:
            return
        server = self._duties.pop()
        await _cancel([server])
        # A claim that is under way ends in any case: what it took would otherwise stay leased to nobody.
        if self._admission is not None:
            await _wait([self._admission], _ADMISSION_SECONDS)
            await _cancel([self._admission])
        await _wait([one.task for one in self._running.values()], end - time.monotonic())
        left = list(self._running.values())
        await _cancel([one.task for one in left] + self._duties)
        for one in left:
            await self._execution.give_back(one.claim)
        waking.unregister(self)
        self._duties = []

    def wake(self) -> None:
        """Look for work now. Safe from any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wakened.set)

    async def run_pending(self) -> int:
        """Run everything that is due now, one after the other, until nothing is; how many tries were made.

        For tests: no task is started and no time passes. A job that fails waits for its backoff.
        """
        tries = 0
        while True:
            await ticking.fire_due(self.database, self._planned)
            claims = await self._take(limit=1)
            for claim in claims:
                # A task each, as when serving: what a job sets in its context stays in it.
                await asyncio.create_task(self._execution.run(claim))
                tries += 1
            relayed = await self.outbox.relay() if self.outbox is not None else 0
            if not claims and not relayed:
                await self._seal()
                return tries

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
            return await queue.oldest_waiting_age(session)

    async def _serve(self) -> None:
        """One look for work, and the wait for the next reason to look."""
        self._wakened.clear()
        await ticking.fire_due(self.database, self._planned)
        if len(self._running) < self.concurrency and await self._has_work():
            self._admission = asyncio.create_task(self._admit())
            await asyncio.shield(self._admission)
        await _wait([asyncio.ensure_future(self._wakened.wait())], self.poll.total_seconds(), cancel=True)

    async def _admit(self) -> None:
        for claim in await self._take(limit=self.concurrency - len(self._running)):
            self._begin(claim)

    async def _has_work(self) -> bool:
        async with self.database.reading(system(_REASON)) as session:
            return await queue.has_work(session, self._room(), self._running)

    async def _take(self, *, limit: int) -> list[Claim]:
        """Recover what the dead have left, then claim what is due."""
        async with self.database.writing(system(_REASON)) as unit:
            recovered = await queue.recover(unit.session, self._running)
            claims: list[Claim] = []
            for names, most in self._groups(limit):
                claims += await queue.claim(unit.session, names, limit=min(most, limit - len(claims)))
        for job_id, name, state in recovered:
            event = "job_parked_as_poison" if state is State.DEAD else "job_recovered"
            _log.warning(event, job=name, job_id=str(job_id))
        return claims

    def _room(self) -> dict[str, timedelta]:
        """The leases of the jobs that may begin now: not of those that run as often as they may at once."""
        running = Counter(one.claim.name for one in self._running.values())
        return {
            name: lease
            for name, lease in self._leases.items()
            if (most := self._known[name].at_once) is None or running[name] < most
        }

    def _groups(self, limit: int) -> list[tuple[dict[str, timedelta], int]]:
        """What to claim one after the other: the jobs without a number of their own, then each of the others."""
        running = Counter(one.claim.name for one in self._running.values())
        room = self._room()
        counted = {name: most for name in room if (most := self._known[name].at_once) is not None}
        plain = {name: lease for name, lease in room.items() if name not in counted}
        return [(plain, limit), *(({name: room[name]}, most - running[name]) for name, most in counted.items())]

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
            ours = await queue.extend(unit.session, [one.claim for one in held], self._leases)
        for one in held:
            if one.claim.id not in ours:
                one.task.cancel()

    async def _relay(self) -> None:
        assert self.outbox is not None
        await self.outbox.relay()
        await self.outbox.wait(self.poll)

    async def _measure(self) -> None:
        assert self._metrics is not None
        async with self.database.reading(system(_REASON)) as session:
            oldest = await queue.oldest_waiting_age(session)
            self._metrics.measured(oldest=oldest, dead=await queue.count_dead(session))

    async def _seal(self) -> None:
        await audit.seal_pending(self.database, key=self.audit_key)

    async def _sweep(self) -> None:
        async with self.database.writing(system(_REASON)) as unit:
            await queue.clear_done(unit.session, older_than=self.keep_done)
            await tracks.clear(unit.session, older_than=self.keep_done)
        if self.outbox is not None:
            await self.outbox.clear_delivered(older_than=self.keep_done)

    async def _forever(self, duty: Callable[[], Awaitable[object]], pause_seconds: float) -> None:
        """Repeat a duty. A database that is away is waited for, longer each time."""
        failures, me = 0, asyncio.current_task()
        while True:
            try:
                await duty()
                failures = 0
            except Exception as error:  # nothing ends the runner
                if me is not None and me.cancelling():
                    # A driver that is cleaning up after the cancellation may fail, and its error then hides it.
                    raise asyncio.CancelledError from error
                failures += 1
                _log.error("job_duty_failed", duty=duty.__name__, error=describe(error))
            await asyncio.sleep(pause_seconds if not failures else min(2.0**failures / 4, _LONGEST_PAUSE_SECONDS))


async def _wait(tasks: Iterable[asyncio.Future[Any]], seconds: float, *, cancel: bool = False) -> None:
    waited = list(tasks)
    try:
        if waited and seconds > 0:
            await asyncio.wait(waited, timeout=seconds)
    finally:
        for task in waited if cancel else ():
            task.cancel()


async def _cancel(tasks: Iterable[asyncio.Task[Any]]) -> None:
    cancelled = list(tasks)
    for task in cancelled:
        task.cancel()
    await asyncio.gather(*cancelled, return_exceptions=True)


def _refuse_repeats(kind: str, names: list[str]) -> None:
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ConfigurationError(f"{kind} names must differ; given twice: {', '.join(repeated)}")
