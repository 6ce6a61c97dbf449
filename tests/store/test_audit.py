"""The audit trail: with its cause, never changed, and a change is found."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import DBAPIError

from freehold.resource import clock
from freehold.resource.base import new_id
from freehold.resource.principal import Principal, system
from freehold.store.audit import AUDIT, record
from freehold.store.audit_check import examine, verify
from freehold.store.audit_ddl import AUDIT_DDL
from freehold.store.audit_sealing import seal, seal_pending
from freehold.store.database import Database
from freehold.testing.budget import watch
from tests.kept import Kept, kept, with_tables

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

USER = Principal(id=new_id(), roles=frozenset({"admin"}))


@pytest.fixture(scope="module")
async def _kept(module_database: str) -> AsyncIterator[Kept]:
    async with kept(Database.open(module_database), with_tables()) as found:
        yield found


@pytest.fixture
async def database(_kept: Kept) -> AsyncIterator[Database]:
    async with _kept.lent() as found:
        yield found


async def write(database: Database, *subjects: str, **values: Any) -> None:
    async with database.writing(USER, request_id="r-1") as unit:
        for subject in subjects:
            await record(unit.session, "thing.changed", subject_type="thing", subject_id=subject, **values)


async def rows(database: Database) -> list[Any]:
    async with database.reading(system("test")) as session:
        return list((await session.execute(select(AUDIT).order_by(AUDIT.c.sequence))).all())


async def faults(database: Database, *, key: bytes = b"") -> list[str]:
    async with database.reading(system("test")) as session:
        return [fault.message for fault in await verify(session, key=key)]


async def tamper(database: Database, *statements: str) -> None:
    """What somebody does who may drop triggers: change the rows behind them. The wall stands again afterwards."""
    drop = {
        "sqlite": [f"DROP TRIGGER freehold_audit_{name}" for name in ("insert", "update", "delete")],
        "postgresql": [f"DROP TRIGGER freehold_audit_{name} ON freehold_audit" for name in ("row", "truncate")],
    }
    async with database.engine.begin() as connection:
        for statement in [*drop[database.dialect_name], *statements]:
            await connection.execute(text(statement))
        for statement in AUDIT_DDL[database.dialect_name]:
            await connection.exec_driver_sql(statement)


class TestRecord:
    async def test_E05_a_record_commits_with_its_cause(self, database: Database) -> None:
        with pytest.raises(ZeroDivisionError):  # a unit that fails
            async with database.writing(USER) as unit:
                await record(unit.session, "thing.changed", subject_type="thing", subject_id=1)
                raise ZeroDivisionError
        assert await rows(database) == []
        await write(database, "a", before={"day": date(2026, 1, 2)}, after={"day": None}, details={"n": 1.5})
        (row,) = await rows(database)
        assert (row.principal_id, row.system_reason, row.request_id) == (USER.id, None, "r-1")
        assert (row.action, row.subject_type, row.subject_id) == ("thing.changed", "thing", "a")
        assert (row.before, row.after, row.details) == ({"day": "2026-01-02"}, {"day": None}, {"n": 1.5})
        assert abs(clock.now() - row.recorded_at).total_seconds() < 60

    async def test_E05_unscoped_work_keeps_the_caller_and_the_reason(self, database: Database) -> None:
        async with database.writing(USER) as unit, unit.session.unscoped("sweep of drafts") as other:
            await record(other, "draft.swept", subject_type="draft", subject_id=1)
        (row,) = await rows(database)
        assert (row.principal_id, row.system_reason) == (USER.id, "sweep of drafts")

    async def test_a_reading_session_records_nothing(self, database: Database) -> None:
        async with database.reading(USER) as session:
            with pytest.raises(RuntimeError, match="only reads"):
                await record(session, "a.b", subject_type="a", subject_id=1)

    async def test_a_value_that_json_would_lose_is_refused(self, database: Database) -> None:
        with pytest.raises(ValueError, match="JSON"):
            await write(database, "a", after={"n": float("nan")})


FORBIDDEN = {
    "change": "UPDATE freehold_audit SET action = 'x'",
    "change while sealing": "UPDATE freehold_audit SET action = 'x', sequence = 9, digest = 'x' WHERE subject_id = 'new'",
    "unseal": "UPDATE freehold_audit SET sequence = NULL WHERE subject_id = 'old'",
    "renumber": "UPDATE freehold_audit SET sequence = 9 WHERE subject_id = 'old'",
    "take a number": "UPDATE OR REPLACE freehold_audit SET sequence = 1, digest = 'x' WHERE subject_id = 'new'",
    "remove": "DELETE FROM freehold_audit WHERE subject_id = 'old'",
    "remove all": "TRUNCATE freehold_audit",
    "replace": "INSERT OR REPLACE INTO freehold_audit (id, recorded_at, action, subject_type, subject_id)"
    " SELECT id, recorded_at, 'x', 'x', 'x' FROM freehold_audit WHERE subject_id = 'old'",
    "insert as sealed": "INSERT INTO freehold_audit (id, recorded_at, action, subject_type, subject_id, sequence, digest)"
    " SELECT '{id}', recorded_at, 'x', 'x', 'x', 9, 'x' FROM freehold_audit WHERE subject_id = 'old'",
}
ONLY_HERE = {"take a number": "sqlite", "replace": "sqlite", "remove all": "postgresql"}


class TestWall:
    @pytest.mark.parametrize("name", FORBIDDEN)
    async def test_E05_hand_written_sql_cannot_change_a_record(self, database: Database, name: str) -> None:
        if database.dialect_name != ONLY_HERE.get(name, database.dialect_name):
            return  # the other database has no such statement
        await write(database, "old")
        await seal_pending(database)
        await write(database, "new")
        before = await rows(database)
        identity = new_id().hex if database.dialect_name == "sqlite" else str(new_id())
        with pytest.raises(DBAPIError, match="append-only"):
            async with database.engine.begin() as connection:
                await connection.execute(text(FORBIDDEN[name].replace("{id}", identity)))
        assert await rows(database) == before
        assert await faults(database) == []

    async def test_the_statements_for_migrations_build_the_same_wall(self, database: Database) -> None:
        await tamper(database)
        await write(database, "a")
        with pytest.raises(DBAPIError, match="append-only"):
            async with database.engine.begin() as connection:
                await connection.execute(text("DELETE FROM freehold_audit"))


class TestChain:
    async def test_E05_sealing_numbers_what_was_committed_and_verifies(self, database: Database) -> None:
        await write(database, "a", "b", after={"ü": [1, 2.5, None, "\N{SNOWMAN}"]})
        assert await seal_pending(database) == 2
        await write(database, "c")
        assert await seal_pending(database) == 1
        assert await seal_pending(database) == 0
        assert [(row.sequence, row.subject_id) for row in await rows(database)] == [(1, "a"), (2, "b"), (3, "c")]
        assert await faults(database) == []

    async def test_E05_more_than_one_batch_is_sealed_and_verified(self, database: Database) -> None:
        values = [
            {"id": new_id(), "recorded_at": clock.now(), "action": "a.b", "subject_type": "a", "subject_id": str(n)}
            for n in range(1003)
        ]
        async with database.writing(USER) as unit:
            await unit.session.execute(insert(AUDIT), values)
        assert await seal_pending(database) == 1003
        assert await faults(database) == []

    async def test_E05_two_sealers_at_once_make_one_chain(self, database: Database) -> None:
        for number in range(10):
            await write(database, str(number))
        await asyncio.gather(*(seal_pending(database) for _ in range(4)))
        assert [row.sequence for row in await rows(database)] == list(range(1, 11))
        assert await faults(database) == []

    async def test_a_seal_that_rolls_back_leaves_the_chain_as_it_was(self, database: Database) -> None:
        await write(database, "a")
        with pytest.raises(ZeroDivisionError):  # a unit that fails
            async with database.writing(system("test")) as unit:
                assert await seal(unit.session) == 1
                raise ZeroDivisionError
        assert await seal_pending(database) == 1
        assert await faults(database) == []

    @pytest.mark.parametrize(
        ("statements", "fault"),
        [
            (["UPDATE freehold_audit SET action = 'x' WHERE sequence = 2"], "record 2 "),
            (["UPDATE freehold_audit SET principal_id = NULL WHERE sequence = 2"], "record 2 "),
            (["UPDATE freehold_audit SET after = NULL WHERE sequence = 2"], "record 2 "),
            (["DELETE FROM freehold_audit WHERE sequence = 1"], "records 1 to 1 are missing"),
            (["DELETE FROM freehold_audit WHERE sequence = 2"], "records 2 to 2 are missing"),
            (["DELETE FROM freehold_audit WHERE sequence = 3"], "the chain ends at 2, but 3"),
            (["DELETE FROM freehold_audit_head"], "head of the chain is missing"),
            (
                [f"UPDATE freehold_audit SET sequence = {a} WHERE sequence = {b}" for a, b in ((9, 1), (1, 2), (2, 9))],
                "record 1 ",
            ),
        ],
    )
    async def test_E05_a_changed_removed_or_reordered_record_is_found(
        self, database: Database, statements: list[str], fault: str
    ) -> None:
        await write(database, "a", "b", "c", after={"n": 1})
        await seal_pending(database)
        await tamper(database, *statements)
        found = await faults(database)
        assert (found and found[0].startswith(fault)) or fault in found[0]

    async def test_E05_a_walk_beside_a_service_that_seals_finds_no_fault(self, database: Database) -> None:
        await write(database, *map(str, range(40)))
        await seal_pending(database)

        async def go_on() -> None:
            for number in range(10):
                await write(database, f"later {number}")
                await seal_pending(database)

        walks = [faults(database) for _ in range(10)]
        found = await asyncio.gather(go_on(), *walks)
        assert [each for each in found if each] == []

    async def test_E05_an_inserted_record_behind_the_head_is_found(self, database: Database) -> None:
        await write(database, "a", "b")
        await seal_pending(database)
        await tamper(database, "UPDATE freehold_audit_head SET sequence = 1")
        assert (await faults(database))[0].startswith("the chain ends at 2, but 1")
        async with database.reading(system("test")) as session:
            verdict = await examine(session, most=1)
        assert (verdict.sealed, verdict.waiting, len(verdict.faults)) == (2, 0, 1)

    async def test_E05_with_a_key_nobody_without_it_can_write_the_chain_anew(self, database: Database) -> None:
        await write(database, "a")
        await seal_pending(database, key=b"secret")
        assert await faults(database, key=b"secret") == []
        assert len(await faults(database, key=b"guessed")) == 1
        assert len(await faults(database)) == 1


async def test_E05_however_many_records_are_sealed_by_as_many_statements(database: Database) -> None:
    await write(database, "the first, which begins the chain")
    await seal_pending(database)
    counts = []
    for number in (1, 40):
        await write(database, *(f"t{each}" for each in range(number)))
        statements = watch(database)
        assert await seal_pending(database) == number
        counts.append(len(statements))
    assert counts[0] == counts[1]
    assert await faults(database) == []
