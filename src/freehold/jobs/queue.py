"""The statements on job rows. Each runs in its caller's transaction; none commits."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, and_, case, delete, exists, false, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from freehold.jobs import carriage
from freehold.jobs.tables import JOBS, WAITING_WITH_KEY, State, in_state
from freehold.jobs.waking import wake_after_commit
from freehold.resource.base import new_id
from freehold.resource.principal import Principal
from freehold.store.instant import instant

if TYPE_CHECKING:
    from freehold.store.session import Session

# A worker that died this often without finishing a job is held to have died of it (J03).
POISON_AFTER = 3
# No lease lasts this long: a later one was written by a clock that has been put back since (F06).
_IMPOSSIBLE = timedelta(minutes=20)

_IDLE = {"lease_token": None, "lease_until": None}


@dataclass(frozen=True, slots=True)
class Claim:
    """One job under a lease: whoever holds the token may end it."""

    id: UUID
    name: str
    token: UUID
    payload: Mapping[str, Any]
    principal: Mapping[str, Any]
    attempts: int
    failures: int
    request_id: str | None

    @property
    def held(self) -> ColumnElement[bool]:
        """True in SQL as long as nobody took the lease over."""
        return and_(JOBS.c.id == self.id, JOBS.c.lease_token == self.token, in_state(State.RUNNING))


def dialect_of(session: Session) -> str:
    """`sqlite` or `postgresql`."""
    return session.get_bind().dialect.name


async def put(
    session: Session,
    *,
    name: str,
    payload: Mapping[str, Any],
    system: str | None = None,
    run_at: datetime | None = None,
    key: str | None = None,
    owner: UUID | None = None,
) -> UUID:
    """Write a job row, or find the waiting one with the same key; its id.

    owner: whose job it is. Raises ValueError where the session is not the system's: nobody acts for another.
    """
    if owner is not None and not session.principal.is_system:
        raise ValueError(f"job {name!r}: only the system enqueues for somebody else")
    if session.unit is None:
        raise RuntimeError(f"job {name!r} needs a unit of work to commit with; this session only reads")
    dialect = dialect_of(session)
    insert = (postgresql.insert if dialect == "postgresql" else sqlite.insert)(JOBS).values(
        id=new_id(),
        name=name,
        payload=dict(payload),
        principal=carriage.pack(session.principal if owner is None else Principal(id=owner), system=system),
        unique_key=key,
        run_at=instant(dialect) if run_at is None else run_at,
        request_id=getattr(session.unit, "request_id", None),
    )
    # DO UPDATE, not DO NOTHING: it locks the waiting row until this transaction ends, so that no worker takes it and
    # runs before what is written here can be seen.
    earlier = case((insert.excluded.run_at < JOBS.c.run_at, insert.excluded.run_at), else_=JOBS.c.run_at)
    statement = insert.on_conflict_do_update(
        index_elements=["name", "unique_key"], index_where=WAITING_WITH_KEY, set_={"run_at": earlier}
    ).returning(JOBS.c.id)
    identity: UUID = (await session.execute(statement)).scalar_one()
    wake_after_commit(session.unit)
    return identity


def is_due(dialect: str, names: Collection[str]) -> ColumnElement[bool]:
    """Ready, its time has come, and this process knows the function."""
    return and_(in_state(State.READY), JOBS.c.run_at <= instant(dialect), JOBS.c.name.in_(names))


def is_abandoned(dialect: str, held: Collection[UUID]) -> ColumnElement[bool]:
    """Its lease has run out, and it is not one of those that this process itself is running."""
    late = or_(JOBS.c.lease_until <= instant(dialect), JOBS.c.lease_until > instant(dialect, _IMPOSSIBLE))
    return and_(in_state(State.RUNNING), late, JOBS.c.id.not_in(held))


async def has_work(session: Session, names: Collection[str], held: Collection[UUID]) -> bool:
    """Whether a claim or a recovery would find anything: a read, so that an idle runner takes no write lock."""
    dialect = dialect_of(session)
    found = await session.execute(
        select(exists().where(is_due(dialect, names)), exists().where(is_abandoned(dialect, held)))
    )
    due, abandoned = found.one()
    return bool(due or abandoned)


async def claim(session: Session, leases: Mapping[str, timedelta], *, limit: int) -> list[Claim]:
    """Take up to `limit` due jobs, the longest waiting first. `leases`: the names known here, with their lease."""
    if not leases or limit < 1:
        return []
    dialect = dialect_of(session)
    due = is_due(dialect, leases.keys())
    chosen = select(JOBS.c.id).where(due).order_by(JOBS.c.run_at, JOBS.c.id).limit(limit)
    ids = (await session.execute(chosen.with_for_update(skip_locked=True))).scalars().all()
    if not ids:
        return []
    taken = (
        update(JOBS)
        .where(JOBS.c.id.in_(ids), in_state(State.READY))
        .values(
            state=State.RUNNING,
            attempts=JOBS.c.attempts + 1,
            lease_token=new_id(),
            lease_until=_lease_end(dialect, leases),
        )
        .returning(*JOBS.c)
    )
    rows = (await session.execute(taken)).all()
    return sorted((_claim(row) for row in rows), key=lambda one: ids.index(one.id))


def _lease_end(dialect: str, leases: Mapping[str, timedelta]) -> ColumnElement[datetime]:
    ends = [(JOBS.c.name == name, instant(dialect, lease)) for name, lease in leases.items()]
    return case(*ends, else_=instant(dialect))


def _claim(row: Row[Any]) -> Claim:
    return Claim(
        id=row.id,
        name=row.name,
        token=row.lease_token,
        payload=row.payload,
        principal=row.principal,
        attempts=row.attempts,
        failures=row.failures,
        request_id=row.request_id,
    )


async def extend(session: Session, held: Sequence[Claim], leases: Mapping[str, timedelta]) -> set[UUID]:
    """Lengthen the leases of `held`; the ids that are still ours."""
    statement = (
        update(JOBS)
        .where(or_(false(), *(one.held for one in held)))
        .values(lease_until=_lease_end(dialect_of(session), leases))
        .returning(JOBS.c.id)
    )
    return set((await session.execute(statement)).scalars())


async def still_held(session: Session, held: Claim) -> bool:
    """Whether the lease is ours, and stays so until this transaction ends."""
    found = await session.execute(select(JOBS.c.id).where(held.held).with_for_update(read=True))
    return found.first() is not None


async def finish(session: Session, held: Claim) -> bool:
    """Mark the job done in the unit of its effect. False: the lease is lost and the unit must roll back."""
    done: dict[str, Any] = {
        "state": State.DONE,
        "payload": {},
        "error": None,
        "finished_at": instant(dialect_of(session)),
        **_IDLE,
    }
    return await _end(session, held, done)


async def fail(session: Session, held: Claim, *, error: str, pause: timedelta | None) -> bool:
    """Record a failed try: again after `pause`, or dead where that is None."""
    now = instant(dialect_of(session), pause or timedelta(0))
    values: dict[str, Any] = {"failures": JOBS.c.failures + 1, "error": error, **_IDLE}
    if pause is None:
        return await _end(session, held, values | {"state": State.DEAD, "finished_at": now})
    return await _end(session, held, values | {"state": State.READY, "run_at": now, "unique_key": free_key()})


async def give_back(session: Session, held: Claim) -> bool:
    """Return the job untried, as a worker does that has been told to stop."""
    values: dict[str, Any] = {"state": State.READY, "attempts": JOBS.c.attempts - 1, "unique_key": free_key()}
    return await _end(session, held, values | _IDLE)


async def _end(session: Session, held: Claim, values: Mapping[str, Any]) -> bool:
    ended = await session.execute(update(JOBS).where(held.held).values(**values).returning(JOBS.c.id))
    return ended.first() is not None


def free_key() -> ColumnElement[str | None]:
    """The row's key, unless another job waits under it by now: then both shall run, this one without a key."""
    other = JOBS.alias("other")
    waiting = (
        exists()
        .where(
            other.c.name == JOBS.c.name,
            other.c.unique_key == JOBS.c.unique_key,
            other.c.state == State.READY,
            other.c.id != JOBS.c.id,
        )
        .correlate(JOBS)
    )
    return case((waiting, None), else_=JOBS.c.unique_key)


async def recover(session: Session, held: Collection[UUID]) -> list[tuple[UUID, str, State]]:
    """Take back the jobs whose worker is gone; park as dead those that killed POISON_AFTER workers."""
    dialect = dialect_of(session)
    gone = select(JOBS.c.id).where(is_abandoned(dialect, held)).limit(100).with_for_update(skip_locked=True)
    ids = (await session.execute(gone)).scalars().all()
    if not ids:
        return []
    poison = JOBS.c.attempts - JOBS.c.failures >= POISON_AFTER
    statement = (
        update(JOBS)
        .where(JOBS.c.id.in_(ids), in_state(State.RUNNING))
        .values(
            state=case((poison, State.DEAD.value), else_=State.READY.value),
            error=case((poison, f"poison: its worker died {POISON_AFTER} times"), else_="its worker died"),
            finished_at=case((poison, instant(dialect)), else_=None),
            unique_key=free_key(),
            **_IDLE,
        )
        .returning(JOBS.c.id, JOBS.c.name, JOBS.c.state)
    )
    return [(row.id, row.name, State(row.state)) for row in await session.execute(statement)]


async def clear_done(session: Session, *, older_than: timedelta, limit: int = 1000) -> int:
    """Delete up to `limit` jobs that were done longer ago than this; how many."""
    old = select(JOBS.c.id).where(in_state(State.DONE), JOBS.c.finished_at < instant(dialect_of(session), -older_than))
    gone = await session.execute(delete(JOBS).where(JOBS.c.id.in_(old.limit(limit))).returning(JOBS.c.id))
    return len(gone.all())


async def count_dead(session: Session) -> int:
    """How many jobs wait for a person."""
    return int(await session.scalar(select(func.count()).select_from(JOBS).where(in_state(State.DEAD))) or 0)


async def oldest_waiting_age(session: Session) -> timedelta:
    """How long the job that has been due longest has been waiting; zero when none is due."""
    now = instant(dialect_of(session))
    oldest = select(func.min(JOBS.c.run_at)).where(in_state(State.READY), JOBS.c.run_at <= now)
    row = (await session.execute(select(oldest.scalar_subquery().label("run_at"), now.label("now")))).one()
    return timedelta(0) if row.run_at is None else max(timedelta(0), row.now - row.run_at)
