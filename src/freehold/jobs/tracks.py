"""What a client can follow of a job: the statements on its track, and the form in which it is shown.

The job row stays the truth about whether it waits, runs or has ended; the track holds what the function said of itself.
Every write of a worker asks for the lease, so that one who lost it changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson
from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import to_json
from sqlalchemy import Row, delete, exists, select, update

from freehold.errors import Conflict
from freehold.jobs import queue
from freehold.jobs.tables import JOBS, TRACKS, State, in_state
from freehold.store.instant import instant
from freehold.store.upserts import insert_into

if TYPE_CHECKING:
    from freehold.jobs.leases import Claim
    from freehold.store.session import Session

LARGEST_RESULT = 64 * 1024
_UNSAID = {"code": "job.failed", "detail": "The job could not be carried out."}


class JobState(StrEnum):
    """`failed`: a try failed, and it is tried again. `dead`: it was given up."""

    WAITING = "waiting"
    RUNNING = "running"
    FAILED = "failed"
    DONE = "done"
    DEAD = "dead"
    CANCELLED = "cancelled"


class Progress(BaseModel):
    """How far a job is, in units of its own. total: null while it is not known."""

    model_config = ConfigDict(frozen=True)

    done: int = Field(ge=0)
    total: int | None = Field(None, ge=0)
    note: str = Field("", max_length=200)


class JobFailure(BaseModel):
    """Why the last try failed, as far as a client may know."""

    code: str
    detail: str


class JobRead(BaseModel):
    """A job as the one who enqueued it sees it."""

    id: UUID
    name: str
    state: JobState
    progress: Progress | None
    result: Any = Field(description="What the job returned, once it is done.")
    failure: JobFailure | None
    cancellation_requested: bool
    created_at: datetime
    updated_at: datetime

    @property
    def has_ended(self) -> bool:
        """Nothing will change any more by itself."""
        return self.state in (JobState.DONE, JobState.DEAD, JobState.CANCELLED)


class JobEnded(Conflict):
    """A job that has ended cannot be cancelled."""

    code, title = "job.ended", "The job has ended"


class ResultTooLarge(ValueError):
    """A job returned more than can be kept: keep it in a table, and return its id."""


async def put(session: Session, job_id: UUID, *, name: str) -> None:
    """Begin a track in the transaction that enqueues the job; a job that waited already keeps its own."""
    values = {"id": job_id, "name": name, "principal_id": session.principal.id}
    await session.execute(insert_into(session, TRACKS).values(**values).on_conflict_do_nothing(index_elements=["id"]))


async def find(session: Session, job_id: UUID) -> tuple[JobRead, UUID | None] | None:
    """The job as it is shown, and whose it is. None: there is no such tracked job."""
    statement = (
        select(TRACKS, JOBS.c.state, JOBS.c.failures)
        .select_from(TRACKS.outerjoin(JOBS, JOBS.c.id == TRACKS.c.id))
        .where(TRACKS.c.id == job_id)
    )
    row = (await session.execute(statement)).one_or_none()
    if row is None or (row.state is None and row.cancelled_at is None):
        return None
    return _shown(row), row.principal_id


def _shown(row: Row[Any]) -> JobRead:
    state = _state(row)
    failed = state in (JobState.FAILED, JobState.DEAD)
    return JobRead(
        id=row.id,
        name=row.name,
        state=state,
        progress=row.progress,
        result=row.result,
        failure=JobFailure(**(row.failure or _UNSAID)) if failed else None,
        cancellation_requested=row.cancellation_requested_at is not None,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def _state(row: Row[Any]) -> JobState:
    if row.cancelled_at is not None:
        return JobState.CANCELLED
    if row.state in (State.READY, State.BEHIND):
        return JobState.FAILED if row.failures else JobState.WAITING
    return JobState(row.state)


async def report(session: Session, held: Claim, values: Mapping[str, Any]) -> bool | None:
    """Write down what the running job says. Whether its cancellation was asked for; None: the lease is lost."""
    statement = (
        update(TRACKS)
        .where(TRACKS.c.id == held.id, exists().where(held.held))
        .values(**values, updated_at=instant(queue.dialect_of(session)))
        .returning(TRACKS.c.cancellation_requested_at)
    )
    row = (await session.execute(statement)).one_or_none()
    return None if row is None else row.cancellation_requested_at is not None


async def is_cancellation_requested(session: Session, job_id: UUID) -> bool:
    """Whether somebody wants it to stop."""
    statement = select(TRACKS.c.cancellation_requested_at).where(TRACKS.c.id == job_id)
    return await session.scalar(statement) is not None


async def progress_of(session: Session, job_id: UUID) -> Progress | None:
    """What an earlier try said last."""
    found = await session.scalar(select(TRACKS.c.progress).where(TRACKS.c.id == job_id))
    return None if found is None else Progress(**found)


async def cancel(session: Session, job_id: UUID) -> bool:
    """Take a waiting job away, or ask a running one to stop. False: it has ended."""
    now = instant(queue.dialect_of(session))
    values: dict[str, Any] = {"cancellation_requested_at": now, "updated_at": now}
    if await queue.take_away(session, job_id):
        values["cancelled_at"] = now
    running = exists().where(JOBS.c.id == job_id, in_state(State.RUNNING))
    asked = update(TRACKS).where(TRACKS.c.id == job_id).values(**values)
    if "cancelled_at" not in values:
        asked = asked.where(running)
    return (await session.execute(asked.returning(TRACKS.c.id))).first() is not None


def checked_result(value: Any) -> Any:
    """The result as JSON values. Raises ResultTooLarge, or ValueError for what JSON cannot say."""
    data = to_json(value, bytes_mode="base64", inf_nan_mode="null")
    if len(data) > LARGEST_RESULT:
        raise ResultTooLarge(f"{len(data)} bytes; a job may return {LARGEST_RESULT}: keep it in a table, return its id")
    return orjson.loads(data)


async def clear(session: Session, *, older_than: timedelta, limit: int = 1000) -> int:
    """Delete the tracks of jobs whose row is gone, once nothing has changed for so long; how many."""
    gone = ~exists().where(JOBS.c.id == TRACKS.c.id)
    old = select(TRACKS.c.id).where(TRACKS.c.updated_at < instant(queue.dialect_of(session), -older_than), gone)
    done = await session.execute(delete(TRACKS).where(TRACKS.c.id.in_(old.limit(limit))).returning(TRACKS.c.id))
    return len(done.all())
