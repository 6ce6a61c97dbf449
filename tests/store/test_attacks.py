"""Access scoping fails closed: the table of attacks on one protected table (Z02, Z03, Z06)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from sqlalchemy import select

from freehold import Access, owner, system
from freehold.resource.base import new_id
from freehold.resource.principal import Principal
from freehold.store.database import Database
from freehold.store.scope import UnscopedStatement
from tests.store.attack_statements import OPEN, READING, ROWS, SECRET, WRITING, Attacked, AttackFolder, Target, texts

pytestmark = pytest.mark.anyio


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    found = Database.open(database_url)
    found.registry.protect(Attacked, Access(read=owner("owner_id"), write=owner("owner_id")))
    await found.start()
    yield found
    await found.close()


async def prepare(database: Database) -> Target:
    caller, other = new_id(), new_id()
    async with database.writing(system("set the scene")) as unit:
        connection = await unit.session.connection()
        tables = [Attacked.__table__, AttackFolder.__table__]
        await connection.run_sync(Attacked.metadata.create_all, tables=tables)
        folder = AttackFolder(name="shared")
        unit.session.add(folder)
        await unit.session.flush()
        mine = Attacked(owner_id=caller, text=OPEN, folder_id=folder.id)
        hidden = Attacked(owner_id=other, text=SECRET, folder_id=folder.id)
        unit.session.add_all([mine, hidden])
        await unit.session.flush()
        return Target(mine.id, hidden.id, caller, other, folder.id)


async def leaked(database: Database, target: Target, name: str) -> bool:
    with suppress(Exception):
        async with database.writing(Principal(id=target.caller)) as unit:
            return SECRET in texts(await READING[name](unit.session, target))
    return False


async def test_Z06_no_reading_attack_sees_a_hidden_row(database: Database) -> None:
    target = await prepare(database)
    assert [name for name in READING if await leaked(database, target, name)] == []


async def test_Z06_an_innocent_statement_sees_exactly_the_own_row(database: Database) -> None:
    """The table above would also be held by a wall that lets nothing through."""
    target = await prepare(database)
    held = {
        "for update",
        "for update of",
        "entity",
        "column",
        "alias",
        "core table",
        "cte",
        "union",
        "subquery",
        "join",
        "outer join",
        "lambda",
        "stream",
    }
    for name in sorted(held):
        async with database.writing(Principal(id=target.caller)) as unit:
            assert OPEN in texts(await READING[name](unit.session, target)), name


async def test_Z06_no_writing_attack_changes_plants_or_moves_a_row(database: Database) -> None:
    target = await prepare(database)
    for name, attack in WRITING.items():
        with suppress(Exception):
            async with database.writing(Principal(id=target.caller)) as unit:
                await attack(unit.session, target)
        async with database.reading(system("look at the damage")) as session:
            rows = {(row.owner_id, row.text) for row in (await session.execute(select(ROWS))).all()}
        foreign = {row for row in rows if row[0] == target.other}
        assert foreign == {(target.other, SECRET)}, name
        async with database.writing(system("repair what the caller may break")) as unit:
            await unit.session.execute(ROWS.delete().where(ROWS.c.owner_id == target.caller))
            unit.session.add(Attacked(id=target.mine, owner_id=target.caller, text=OPEN, folder_id=target.folder))


async def test_two_callers_alternating_on_one_cached_statement_never_see_each_other(database: Database) -> None:
    target = await prepare(database)
    callers = {target.caller: OPEN, target.other: SECRET}
    statement = select(Attacked.text)
    for _ in range(20):
        for caller, text in callers.items():
            async with database.reading(Principal(id=caller)) as session:
                assert (await session.scalars(statement)).all() == [text]


async def test_a_statement_without_a_scope_does_not_run(database: Database) -> None:
    await prepare(database)
    async with database.engine.connect() as connection:
        with pytest.raises(UnscopedStatement):
            await connection.execute(select(ROWS))


async def test_the_weakened_guard_is_caught_by_the_table_of_attacks(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the count of mentions, textual SQL gets through: the attacks must notice."""
    target = await prepare(database)
    monkeypatch.setattr("freehold.store.compiler.Guard.mentions", lambda *_: 0)
    monkeypatch.setattr("freehold.store.compiler.RuleCompiler.fh_opaque", False)
    database.engine.sync_engine._compiled_cache.clear()  # type: ignore[union-attr]
    monkeypatch.setattr("freehold.store.execution._judge", lambda *_: None)
    assert await leaked(database, target, "text")


async def test_the_weakened_rule_is_caught_by_the_table_of_attacks(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = await prepare(database)
    monkeypatch.setattr("freehold.store.compiler.RuleCompiler._fh_condition", lambda *_: True)
    assert await leaked(database, target, "entity by guessed key")


def test_there_are_at_least_sixty_three_attacks() -> None:
    assert len(READING) + len(WRITING) >= 63
