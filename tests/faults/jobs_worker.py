"""A worker process for test_jobs_kill: runs jobs until it is killed. Arguments: database URL, mail folder."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Column, Integer, MetaData, Table, Text, insert

from freehold.jobs import Jobs, current_job, job, running
from freehold.store.database import Database
from freehold.store.outbox import Event, Outbox, emit
from freehold.store.session import Session

METADATA = MetaData()
EFFECTS = Table("effects", METADATA, Column("id", Integer, primary_key=True), Column("note", Text, nullable=False))
DELIVERIES = Table(
    "deliveries", METADATA, Column("id", Integer, primary_key=True), Column("note", Text, nullable=False)
)
LEASE = timedelta(seconds=1)


@job("kill.inside", lease=LEASE)
async def inside(db: Session, *, text: str) -> None:
    """Two statements with a pause between: a kill may fall anywhere."""
    await db.execute(insert(EFFECTS).values(note=text))
    await asyncio.sleep(random.random() / 200)
    await emit(db, "effect.happened", key=text[-1], payload={"text": text})


@job("kill.outside", lease=LEASE, outside=True)
async def outside(db: Session, *, folder: str) -> None:
    """An effect outside of the database, under the job's own key."""
    context = current_job()
    assert context is not None
    await asyncio.sleep(random.random() / 200)
    await asyncio.to_thread(Path(folder, str(context.id)).touch)


@job("kill.steps", lease=LEASE, outside=True, tracked=True)
async def steps(db: Session, *, log: str, number: int) -> None:
    """So many steps, each with an effect outside that may come again, and one inside that may not."""
    context = running()
    began = context.reported.done if context.reported else 0
    for step in range(began + 1, number + 1):
        await asyncio.to_thread(note, Path(log), step)
        await asyncio.sleep(0.02)
        async with context.writing(done=step, total=number) as session:
            await session.execute(insert(EFFECTS).values(note=f"step {step}"))


def note(log: Path, step: int) -> None:
    """One line for each time that a step began."""
    with log.open("a") as lines:
        lines.write(f"{step}\n")


@job("kill.slow", lease=LEASE)
async def slow(db: Session, *, text: str) -> None:
    """Long enough to be running when another one kills the process."""
    await db.execute(insert(EFFECTS).values(note=text))
    await asyncio.sleep(1.5)


@job("kill.poison", lease=LEASE)
async def poison(db: Session) -> None:
    """Whoever runs it dies."""
    await asyncio.sleep(0.3)
    os.kill(os.getpid(), signal.SIGKILL)


async def deliver(db: Session, event: Event) -> None:
    """A subscriber whose write commits with the mark that the event is delivered."""
    await db.execute(insert(DELIVERIES).values(note=event.payload["text"]))


def runner(database: Database) -> Jobs:
    """As the worker runs it, and as the test ends it."""
    outbox = Outbox(database)
    outbox.subscribe("effect.happened", deliver)
    return Jobs(database, jobs=[inside, outside, steps, slow, poison], outbox=outbox, poll=timedelta(milliseconds=50))


async def work(url: str) -> None:
    """Run until killed; say when ready."""
    database = Database.open(url)
    await database.start()
    await runner(database).start()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(work(sys.argv[1]))
