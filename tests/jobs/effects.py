"""What jobs do in these tests: they write a line that can be counted."""

from __future__ import annotations

from sqlalchemy import Column, Integer, MetaData, Table, Text, insert, select

from freehold.jobs.tables import JOBS
from freehold.resource.principal import system
from freehold.store.database import Database
from freehold.store.ledger import LEDGER
from freehold.store.session import Session

METADATA = MetaData()
EFFECTS = Table("effects", METADATA, Column("id", Integer, primary_key=True), Column("note", Text, nullable=False))


async def prepare(database: Database) -> None:
    """Create Freehold's own tables and the table of effects."""
    async with database.engine.begin() as connection:
        await connection.run_sync(LEDGER.create_all)
        await connection.run_sync(METADATA.create_all)


async def note(db: Session, text: str) -> None:
    """An effect that commits or rolls back with its job."""
    await db.execute(insert(EFFECTS).values(note=text))


async def notes(database: Database) -> list[str]:
    """The effects that were committed, in order."""
    async with database.reading(system("test")) as session:
        return list((await session.execute(select(EFFECTS.c.note).order_by(EFFECTS.c.id))).scalars())


async def states(database: Database) -> list[str]:
    """The states of all job rows, by id."""
    async with database.reading(system("test")) as session:
        return list((await session.execute(select(JOBS.c.state).order_by(JOBS.c.id))).scalars())
