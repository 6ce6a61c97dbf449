"""What a job is: a name, a function with checked arguments, and how it is retried."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Concatenate, Generic, Literal, ParamSpec
from uuid import UUID

from pydantic import ValidationError

from freehold.errors import ConfigurationError
from freehold.jobs import carriage, queue, tracks
from freehold.jobs.backoff import Backoff
from freehold.jobs.payload import Payload
from freehold.jobs.queues import DEFAULT, Queue
from freehold.jobs.schedules import Schedule
from freehold.resource.access import Member, Owner, Rule, Where, nobody

if TYPE_CHECKING:
    from freehold.store.session import Session

P = ParamSpec("P")

LONGEST_LEASE = timedelta(minutes=10)


@dataclass(frozen=True, eq=False)
class Job(Generic[P]):
    """A declared job. Called directly it is the function itself; `enqueue` writes it down to be run.

    retries: further tries after the first. timeout: for one try. lease: a worker that dies is noticed within this.
    outside: the function talks to the world (mail, HTTP) and runs *without* a transaction, so that none is held open
    meanwhile: it gets a reading session, and its effect happens at least once, under `current_job().id` as key.
    system: the job always acts as the system, for this reason, whoever enqueued it.
    queue: where it waits, for workers that serve some queues only, and for its rate. priority: of what is due, jobs with
    the larger number begin first.
    at_once: how many of it a process runs at a time, whatever else it could run; None: as many as there are places.
    tracked: who enqueued it can follow it (`GET /v1/jobs/{id}`): progress, result, cancellation. What the function
    returns is the result. readers: who may follow it beside that one; the rule asks for the caller, not for a row.
    """

    name: str
    function: Callable[Concatenate[Session, P], Awaitable[Any]]
    payload: Payload
    retries: int = 5
    timeout: timedelta = timedelta(seconds=60)
    backoff: Backoff = field(default_factory=Backoff)
    lease: timedelta = timedelta(seconds=60)
    outside: bool = False
    system: str | None = None
    queue: Queue = DEFAULT
    priority: int = 0
    at_once: int | None = None
    tracked: bool = False
    readers: Rule = nobody
    schedules: tuple[Schedule, ...] = ()

    def __call__(self, db: Session, /, *args: P.args, **kwargs: P.kwargs) -> Awaitable[Any]:
        """Run the function here and now, in the caller's own unit."""
        return self.function(db, *args, **kwargs)

    async def enqueue(
        self,
        session: Session,
        *,
        run_at: datetime | None = None,
        key: str | None = None,
        order: str | None = None,
        owner: UUID | None = None,
        **payload: Any,
    ) -> UUID:
        """Write the job into the caller's transaction: it exists if and only if that commits.

        run_at: not before this instant. key: while a job of this name and key waits, that one is returned instead
        (its own payload stays, the earlier run_at wins); of a tracked job, only that of the same principal.
        order: jobs of this name and order run one after the other, as their transactions commit; one that fails is
        tried again before the next begins, and one that is given up lets it begin. On PostgreSQL an order is held until
        the commit: enqueue for several in sorted order. The job carries the session's principal.
        Raises pydantic.ValidationError for a payload that the function would not take, ValueError for key with order,
        ConfigurationError where nobody will know who the caller is.
        """
        if self.system is None:
            carriage.require_lookup(session.principal, session.parts.get(carriage.Lookup), self.name)
        if self.tracked and key is not None:  # what somebody else waits for could not be followed
            key = f"{session.principal.id or 'system'}:{key}"
        identity = await queue.put(
            session,
            name=self.name,
            payload=self.payload.dump(payload),
            system=self.system,
            run_at=run_at,
            key=key,
            order_key=order,
            owner=owner,
        )
        if self.tracked:
            await tracks.put(session, identity, name=self.name)
        return identity


Function = Callable[Concatenate["Session", P], Awaitable[Any]]


def job(
    name: str,
    *,
    retries: int = 5,
    timeout: timedelta = timedelta(seconds=60),
    backoff: Backoff | None = None,
    lease: timedelta = timedelta(seconds=60),
    outside: bool = False,
    system: str | None = None,
    queue: str | Queue = DEFAULT,
    priority: int = 0,
    at_once: int | None = None,
    tracked: bool = False,
    readers: Rule = nobody,
) -> Callable[[Function[P]], Job[P]]:
    """Declare an async function as a job; `Job` says what the options do.

        @job("imba.expire_reservations", retries=5, timeout=timedelta(seconds=60))
        async def expire_reservations(db: Session, *, batch: int = 100) -> None: ...

        await expire_reservations.enqueue(session, batch=50)

    It runs in a transaction of its own, as the principal that enqueued it, judged again at that time; the effect and
    the mark that it is done commit together. Arguments must survive JSON and are checked on both ways.
    """

    def declare(function: Function[P]) -> Job[P]:
        declared = Job(
            name=name,
            function=function,
            payload=Payload.of(function, job_name=name),
            retries=retries,
            timeout=timeout,
            backoff=backoff or Backoff(),
            lease=lease,
            outside=outside,
            system=system,
            queue=queue if isinstance(queue, Queue) else Queue(queue),
            priority=priority,
            at_once=at_once,
            tracked=tracked,
            readers=readers,
        )
        _check(declared)
        return declared

    return declare


def schedule(
    name: str,
    *,
    every: timedelta | None = None,
    at: time | None = None,
    zone: str = "UTC",
    missed: Literal["once", "skip"] = "once",
    payload: Mapping[str, Any] | None = None,
) -> Callable[[Job[P] | Function[P]], Job[P]]:
    """Run a job, or a plain async function that becomes one, by the clock; `Schedule` says what the options do.

        @schedule("imba.expire", every=timedelta(minutes=1))
        async def expire(db: Session) -> None: ...

        @schedule("imba.digest", at=time(7, 30), zone="Asia/Shanghai", missed="skip")
        @job("imba.send_digest", retries=2)
        async def send_digest(db: Session) -> None: ...

    The tick and the job row commit together: however many schedulers there are, a tick fires once. The job acts as
    the system.
    """
    planned = Schedule(name=name, every=every, at=at, zone=zone, missed=missed, payload=payload or {})

    def declare(target: Job[P] | Function[P]) -> Job[P]:
        declared = target if isinstance(target, Job) else job(name)(target)
        try:
            declared.payload.dump(planned.payload)
        except ValidationError as error:
            raise ConfigurationError(f"schedule {name!r}: job {declared.name!r} would refuse its payload") from error
        return replace(declared, schedules=(*declared.schedules, planned))

    return declare


def _check(declared: Job[Any]) -> None:
    """Refuse a declaration that could not do what it says."""
    faults: Mapping[str, bool] = {
        "its function must be `async def`": not inspect.iscoroutinefunction(declared.function),
        "retries must not be negative": declared.retries < 0,
        "timeout must be positive": declared.timeout <= timedelta(0),
        f"lease must be over a second and at most {LONGEST_LEASE}": not (
            timedelta(seconds=1) <= declared.lease <= LONGEST_LEASE
        ),
        "readers is for a tracked job; add tracked=True": declared.readers is not nobody and not declared.tracked,
        "readers asks for the caller (role, scope, signed_in); a job has no row": any(
            isinstance(atom, Owner | Member | Where) for atom in declared.readers.atoms()
        ),
        "at_once must be at least 1": declared.at_once is not None and declared.at_once < 1,
        "its name must not be empty": not declared.name.strip(),
        "its queue must have a name without a comma": not declared.queue.name.strip() or "," in declared.queue.name,
    }
    for fault, found in faults.items():
        if found:
            raise ConfigurationError(f"job {declared.name!r}: {fault}")
