"""The rows behind jobs and schedules: the truth about what is owed, with or without a broker."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import JSON, BigInteger, Column, ColumnElement, Index, Integer, Table, Text, Uuid, literal_column, text

from freehold.resource import clock
from freehold.resource.base import UTCDateTime, new_id
from freehold.store.ledger import LEDGER


class State(StrEnum):
    """`ready` waits for its time, `behind` for an earlier job of its order, `running` is under a lease, `done` is kept
    a while, `dead` waits for a person.
    """

    READY = "ready"
    BEHIND = "behind"
    RUNNING = "running"
    DONE = "done"
    DEAD = "dead"


# Literal text, not bound values: an `ON CONFLICT` names a partial index by its predicate, word for word.
WAITING_WITH_KEY = text("state = 'ready' AND unique_key IS NOT NULL")
_READY = text("state = 'ready'")
_RUNNING = text("state = 'running'")
_ENDED = text("state = 'done'")
_DEAD = text("state = 'dead'")
_ORDERED = text("order_key IS NOT NULL")

JOBS = Table(
    "freehold_jobs",
    LEDGER,
    Column("id", Uuid, primary_key=True, default=new_id),
    Column("name", Text, nullable=False),
    Column("payload", JSON, nullable=False, comment="emptied when done: it may hold personal data"),
    Column(
        "principal", JSON, nullable=False, comment="who enqueued it: id, roles then, scopes, or the system's reason"
    ),
    Column("state", Text, nullable=False, default=State.READY),
    Column("unique_key", Text, nullable=True, comment="at most one waiting job of this name has it"),
    Column("order_key", Text, nullable=True, comment="jobs of this name and key run one after the other"),
    Column("order_number", BigInteger, nullable=True, comment="their order, which is that of their commits"),
    Column("run_at", UTCDateTime, nullable=False),
    Column(
        "attempts", Integer, nullable=False, default=0, comment="counted at the claim, so that a killed worker counts"
    ),
    Column("failures", Integer, nullable=False, default=0, comment="attempts that ended in a recorded failure"),
    Column("lease_token", Uuid, nullable=True, comment="changes with every claim"),
    Column("lease_until", UTCDateTime, nullable=True),
    Column("error", Text, nullable=True, comment="the last failure, without values"),
    Column("request_id", Text, nullable=True),
    Column("created_at", UTCDateTime, nullable=False, default=clock.now),
    Column("finished_at", UTCDateTime, nullable=True),
)

# The name comes first: what waits under one name, however much, is in nobody else's way.
Index("ix_freehold_jobs_due", JOBS.c.name, JOBS.c.run_at, JOBS.c.id, sqlite_where=_READY, postgresql_where=_READY)
Index("ix_freehold_jobs_lease", JOBS.c.lease_until, sqlite_where=_RUNNING, postgresql_where=_RUNNING)
Index("ix_freehold_jobs_done", JOBS.c.finished_at, sqlite_where=_ENDED, postgresql_where=_ENDED)
Index("ix_freehold_jobs_dead", JOBS.c.id, sqlite_where=_DEAD, postgresql_where=_DEAD)
Index(
    "ix_freehold_jobs_order",
    JOBS.c.name,
    JOBS.c.order_key,
    JOBS.c.order_number,
    sqlite_where=_ORDERED,
    postgresql_where=_ORDERED,
)
Index(
    "uq_freehold_jobs_waiting",
    JOBS.c.name,
    JOBS.c.unique_key,
    unique=True,
    sqlite_where=WAITING_WITH_KEY,
    postgresql_where=WAITING_WITH_KEY,
)


def in_state(state: State) -> ColumnElement[bool]:
    """A condition on the state, with the state written out: a bound value would not match a partial index."""
    return JOBS.c.state == literal_column(f"'{state}'", Text)


QUEUES = Table(
    "freehold_job_queues",
    LEDGER,
    Column("name", Text, primary_key=True),
    Column("free_at", UTCDateTime, nullable=False, comment="when the rate has room again for as much as it may hold"),
)

TRACKS = Table(
    "freehold_job_tracks",
    LEDGER,
    Column("id", Uuid, primary_key=True, comment="of the job; its row says whether it waits, runs or has ended"),
    Column("name", Text, nullable=False),
    Column("principal_id", Uuid, nullable=True, comment="who may follow it"),
    Column("progress", JSON(none_as_null=True), nullable=True),
    Column("result", JSON(none_as_null=True), nullable=True),
    Column("failure", JSON(none_as_null=True), nullable=True, comment="of the last try, in words for the client"),
    Column("cancellation_requested_at", UTCDateTime, nullable=True),
    Column("cancelled_at", UTCDateTime, nullable=True),
    Column("created_at", UTCDateTime, nullable=False, default=clock.now),
    Column("updated_at", UTCDateTime, nullable=False, default=clock.now, index=True),
)

SCHEDULES = Table(
    "freehold_schedules",
    LEDGER,
    Column("name", Text, primary_key=True),
    Column("spec", Text, nullable=False, comment="the declaration that next_at was computed from"),
    Column("next_at", UTCDateTime, nullable=False),
    Column("last_at", UTCDateTime, nullable=True, comment="the tick that was fired last"),
)
