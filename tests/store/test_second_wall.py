"""The database's own wall: the same answers with the compiler's clause taken out (Z06)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import ProgrammingError

from freehold import Access, Session, job, owner, recent, system, with_factor
from freehold.jobs import Jobs
from freehold.resource import clock
from freehold.resource.principal import Principal
from freehold.store.database import Database
from freehold.store.ledger import LEDGER
from freehold.store.policies import drift
from tests.store.attack_statements import OPEN, READING, ROWS, SECRET, WRITING, Attacked, Target, texts
from tests.store.roles import Walled, walled
from tests.store.test_attacks import prepare

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
REGISTERED = Access(read=owner("owner_id"), write=owner("owner_id"))


@pytest.fixture
async def roles(postgres_url: str) -> AsyncIterator[Walled]:
    async with walled(postgres_url) as found:
        yield found


@pytest.fixture
async def served(roles: Walled) -> AsyncIterator[Database]:
    """As the role that serves, with a role for planned reads."""
    found = Database.open(roles.app, reader_url=roles.reader, pool_size=2)
    found.registry.protect(Attacked, REGISTERED)
    await roles.build([Attacked.metadata, LEDGER], found.registry)
    await found.start()
    yield found
    await found.close()


@pytest.fixture
async def embedded(tmp_path: object) -> AsyncIterator[Database]:
    found = Database.open(f"sqlite+aiosqlite:///{tmp_path}/test.db")
    found.registry.protect(Attacked, REGISTERED)
    await found.start()
    yield found
    await found.close()


@pytest.fixture
def without_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every rule is taken out of the statements, and none is refused: what is left is the database's own wall."""
    monkeypatch.setattr("freehold.store.compiler.RuleCompiler._fh_condition", lambda *_: True)
    monkeypatch.setattr("freehold.store.execution._judge", lambda *_: None)
    monkeypatch.setattr("freehold.store.compiler.Guard.mentions", lambda *_: 0)
    monkeypatch.setattr("freehold.store.session.Judge", lambda _: None)


async def damage(database: Database, target: Target) -> set[str]:
    """The writing attacks after which a row of another was changed, planted, moved or gone."""
    found = set()
    for name, attack in WRITING.items():
        with suppress(Exception):
            async with database.writing(Principal(id=target.caller)) as unit:
                await attack(unit.session, target)
        async with database.reading(system("look at the damage")) as session:
            rows = {(row.owner_id, row.text) for row in (await session.execute(select(ROWS))).all()}
        if {row for row in rows if row[0] == target.other} != {(target.other, SECRET)}:
            found.add(name)
        async with database.writing(system("repair what the caller may break")) as unit:
            await unit.session.execute(ROWS.delete())
            unit.session.add(Attacked(id=target.mine, owner_id=target.caller, text=OPEN, folder_id=target.folder))
            unit.session.add(Attacked(id=target.hidden, owner_id=target.other, text=SECRET, folder_id=target.folder))
    return found


async def test_Z06_role_app_gives_the_same_answers_without_the_compilers_clause(
    served: Database, roles: Walled, without_compiler: None
) -> None:
    target = await prepare(served)
    seen = {}
    for name, attack in READING.items():
        with suppress(Exception):
            async with served.writing(Principal(id=target.caller)) as unit:
                seen[name] = texts(await attack(unit.session, target))
    assert [name for name, found in seen.items() if SECRET in found] == []
    assert len([name for name, found in seen.items() if OPEN in found]) > 30, (
        "a wall that lets nothing through proves nothing"
    )
    assert await damage(served, target) == set()


async def test_Z06_views_and_raw_driver_connections_are_stopped_by_the_second_wall_alone(
    served: Database, roles: Walled
) -> None:
    target = await prepare(served)
    await roles.execute(
        f"SET LOCAL ROLE {roles.owner_role}",
        "CREATE VIEW overview AS SELECT text FROM attacked_rows",
        f"GRANT SELECT ON overview TO {roles.roles.app}",
    )
    ask = text("SELECT text FROM overview")

    async def seen() -> set[str]:
        async with served.writing(Principal(id=target.caller)) as unit:
            return set(await unit.session.scalars(ask))

    assert await seen() == {OPEN, SECRET}, "a view reads with its owner's rights: the drift that a start tells"
    await roles.build([], served.registry)
    assert await seen() == {OPEN}
    async with served.writing(Principal(id=target.caller)) as unit:
        connection = await unit.session.connection()
        await connection.execute(text("SELECT 1"))
        raw = (await connection.get_raw_connection()).driver_connection
        assert [row["text"] for row in await raw.fetch("SELECT text FROM attacked_rows")] == [OPEN]


@pytest.fixture
async def guarded(roles: Walled) -> AsyncIterator[Database]:
    """As the role that serves, where rows show themselves after a log-in of late with two factors alone."""
    found = Database.open(roles.app, pool_size=2)
    mine = owner("owner_id") & recent(minutes=5) & with_factor
    found.registry.protect(Attacked, Access(read=mine, write=mine))
    await roles.build([Attacked.metadata, LEDGER], found.registry)
    await found.start()
    yield found
    await found.close()


async def test_Z06_how_a_caller_logged_in_is_judged_by_the_database_too(
    guarded: Database, without_compiler: None
) -> None:
    target = await prepare(guarded)
    now = clock.now()
    strong = Principal(id=target.caller, authenticated_at=now, amr=frozenset({"pwd", "mfa"}))
    weak = replace(strong, amr=frozenset({"pwd"}))
    late = replace(strong, authenticated_at=now - timedelta(minutes=6))
    for caller, seen in ((strong, [OPEN]), (weak, []), (late, []), (Principal(id=target.caller), [])):
        async with guarded.reading(caller) as session:
            assert list(await session.scalars(select(ROWS.c.text))) == seen, caller


@job("second_wall.touch")
async def touch(db: Session) -> None:
    """What a job does that forgot whose rows it may change."""
    await db.execute(update(ROWS).values(text="touched"))


async def test_Z06_a_job_reaches_the_rows_of_who_enqueued_it(served: Database, without_compiler: None) -> None:
    target = await prepare(served)

    async def principals(user_id: UUID) -> Principal:
        return Principal(id=user_id)

    jobs = Jobs(served, jobs=[touch], principals=principals)
    async with served.writing(Principal(id=target.caller)) as unit:
        await touch.enqueue(unit.session)
    assert await jobs.run_pending() == 1
    async with served.reading(system("look at the effect")) as session:
        assert set(await session.scalars(select(ROWS.c.text))) == {"touched", SECRET}


async def test_Z06_least_privilege_of_the_role_that_serves(served: Database) -> None:
    for statement in (
        "TRUNCATE attacked_rows",
        "ALTER TABLE attacked_rows DISABLE ROW LEVEL SECURITY",
        "CREATE TABLE mine (id int)",
        "DELETE FROM freehold_audit",
        "UPDATE freehold_audit SET action = 'x'",
    ):
        with pytest.raises(ProgrammingError, match=r"permission denied|must be owner"):
            async with served.writing(system("try what the role must not")) as unit:
                await unit.session.execute(text(statement))
    async with served.reading(system("the reader only reads")) as session:
        with pytest.raises(ProgrammingError, match="permission denied"):
            await session.execute(text("DELETE FROM attacked_rows"))


async def test_Z06_drift_is_told(served: Database, roles: Walled) -> None:
    async def drifted() -> set[str]:
        async with served.reading(system("compare")) as session:
            connection = await session.connection()
            found = await connection.run_sync(lambda each: drift(each, served.registry, reader=roles.roles.reader))
        return set(found)

    assert await drifted() == set()
    await roles.execute("CREATE POLICY by_hand ON attacked_rows USING (true)")
    assert await drifted() == {"attacked_rows"}
    await roles.build([], served.registry)
    assert await drifted() == {"attacked_rows"}, "what was made by hand stays, and is told again"
    await roles.execute("DROP POLICY by_hand ON attacked_rows", "ALTER POLICY fh_read ON attacked_rows USING (true)")
    assert await drifted() == {"attacked_rows"}
    await roles.build([], served.registry)
    assert await drifted() == set()


async def test_Z06_nobody_is_told_outside_of_a_unit(served: Database) -> None:
    await prepare(served)
    async with served.engine.connect() as connection:
        raw = (await connection.get_raw_connection()).driver_connection
        assert await raw.fetchval("SELECT count(*) FROM attacked_rows") == 0


async def test_Z06_scopes_of_one_transaction_each_see_their_own(served: Database) -> None:
    """Also after a part was rolled back, with which PostgreSQL forgets what that part was told."""
    target = await prepare(served)
    ask = select(Attacked.text).order_by(Attacked.text)
    async with served.writing(Principal(id=target.caller)) as unit:
        assert (await unit.session.scalars(ask)).all() == [OPEN]
        with suppress(ZeroDivisionError):
            async with unit.session.begin_nested(), unit.session.unscoped("look at all") as everything:
                assert (await everything.scalars(ask)).all() == [SECRET, OPEN]
                raise ZeroDivisionError
        assert (await unit.session.scalars(ask)).all() == [OPEN]
        async with unit.session.unscoped("look at all again") as everything:
            assert (await everything.scalars(ask)).all() == [SECRET, OPEN]


async def test_Z06_temporary_triggers_judge_what_is_written_on_sqlite(
    embedded: Database, monkeypatch: pytest.MonkeyPatch, without_compiler: None
) -> None:
    target = await prepare(embedded)
    assert len(await damage(embedded, target)) > 10, "without either wall"
    await embedded.put_up_wall()
    assert await damage(embedded, target) == set()
    async with embedded.writing(Principal(id=target.caller)) as unit:
        (await unit.session.get_one(Attacked, target.mine)).text = "own"
        await unit.session.flush()
