"""Z06: `member(…)` in the database's own wall, with the compiler's clause taken out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress
from uuid import UUID, uuid4

import pytest
from sqlalchemy import insert, select, update
from sqlalchemy.exc import DBAPIError

from freehold import Principal, system
from freehold.store.database import Database
from freehold.store.ledger import LEDGER
from freehold.store.memberships import MEMBERSHIPS, ORGANISATIONS
from tests.store.roles import walled
from tests.web.office import PROJECT, TASK, Base, Project, Task

pytestmark = pytest.mark.anyio
ADA, EVE = Principal(id=UUID(int=1)), Principal(id=UUID(int=2))
PROJECTS = Project.__table__
ACME, OTHER = UUID(int=11), UUID(int=12)


async def furnish(database: Database) -> None:
    async with database.writing(system("two organisations")) as unit:
        for organisation, who in ((ACME, ADA), (OTHER, EVE)):
            await unit.session.execute(insert(ORGANISATIONS).values(id=organisation, name="x"))
            values = {"organisation_id": organisation, "user_id": who.id, "role": "member"}
            await unit.session.execute(insert(MEMBERSHIPS).values(values))
            project = Project(id=UUID(int=organisation.int + 10), organisation_id=organisation, title="x")
            unit.session.add(project)
            await unit.session.flush()
            unit.session.add(Task(id=UUID(int=organisation.int + 20), project_id=project.id, words="x"))


@pytest.fixture
async def embedded(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Database]:
    """The same on SQLite, whose triggers judge what is written."""
    found = Database.open(f"sqlite+aiosqlite:///{tmp_path}/wall.db")
    found.registry.protect(Project, PROJECT)
    found.registry.protect(Task, TASK)
    async with found.engine.begin() as connection:
        await connection.run_sync(LEDGER.create_all)
        await connection.run_sync(Base.metadata.create_all)
    await found.start()
    await found.put_up_wall()
    await furnish(found)
    leave_out_the_compiler(monkeypatch)
    yield found
    await found.close()


def leave_out_the_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is left is the database's own wall."""
    monkeypatch.setattr("freehold.store.compiler.RuleCompiler._fh_condition", lambda *_: True)
    monkeypatch.setattr("freehold.store.execution._judge", lambda *_: None)
    monkeypatch.setattr("freehold.store.session.Judge", lambda _: None)


@pytest.fixture
async def served(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Database]:
    """As the role that serves, without a rule in any statement."""
    async with walled(postgres_url) as roles:
        found = Database.open(roles.app, reader_url=roles.reader, pool_size=2)
        found.registry.protect(Project, PROJECT)
        found.registry.protect(Task, TASK)
        await roles.build([Base.metadata, LEDGER], found.registry)
        await found.start()
        await furnish(found)
        leave_out_the_compiler(monkeypatch)
        yield found
        await found.close()


async def titles(database: Database, caller: Principal) -> set[UUID]:
    async with database.writing(caller) as unit:
        rows = [*await unit.session.scalars(select(Project.id)), *await unit.session.scalars(select(Task.id))]
        return set(rows)


async def test_Z06_policies_alone_show_members_what_is_theirs(served: Database) -> None:
    assert await titles(served, ADA) == {UUID(int=21), UUID(int=31)}
    assert await titles(served, EVE) == {UUID(int=22), UUID(int=32)}
    assert await titles(served, Principal(id=uuid4())) == set()
    assert await titles(served, Principal()) == set()
    async with served.writing(system("she leaves")) as unit:
        await unit.session.execute(MEMBERSHIPS.delete().where(MEMBERSHIPS.c.user_id == ADA.id))
    assert await titles(served, ADA) == set()


async def test_Z06_Z09_policies_alone_refuse_to_plant_and_to_move(served: Database) -> None:
    assert await planted_and_moved(served) == {"plant at home", "change at home"}


async def test_Z06_Z09_the_triggers_of_sqlite_alone_refuse_it_too(embedded: Database) -> None:
    assert await planted_and_moved(embedded) == {"plant at home", "change at home"}


async def planted_and_moved(database: Database) -> set[str]:
    """Which of the attempts of somebody without a rule in their statements came about."""
    attempts = {
        "plant elsewhere": insert(Project).values(id=UUID(int=41), organisation_id=OTHER, title="new"),
        "plant at home": insert(Project).values(id=UUID(int=42), organisation_id=ACME, title="new"),
        "move elsewhere": update(Project).where(Project.id == UUID(int=21)).values(organisation_id=OTHER, title="new"),
        "take from elsewhere": update(Project)
        .where(Project.id == UUID(int=22))
        .values(organisation_id=ACME, title="new"),
        "change at home": update(Project).where(Project.id == UUID(int=21)).values(title="new"),
    }
    came_about = set()
    for name, statement in attempts.items():
        async with database.reading(system("look")) as session:
            before = (await session.execute(select(PROJECTS))).all()
        with suppress(DBAPIError):
            async with database.writing(ADA) as unit:
                await unit.session.execute(statement)
        async with database.reading(system("look")) as session:
            if (await session.execute(select(PROJECTS))).all() != before:
                came_about.add(name)
    return came_about
