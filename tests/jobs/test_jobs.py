"""Jobs: written with their cause, run once as the one who enqueued them, retried, parked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
import time_machine
from sqlalchemy import select, update
from tests.jobs.effects import note, notes, states

from freehold.jobs import (
    Backoff,
    Jobs,
    current_job,
    dead_letters,
    discard_dead,
    isolation,
    job,
    leases,
    queue,
    retry_dead,
)
from freehold.jobs.execution import Execution
from freehold.jobs.tables import JOBS
from freehold.jobs.taking import Taker
from freehold.resource import clock
from freehold.resource.base import new_id
from freehold.resource.principal import ANONYMOUS, Principal, system
from freehold.store.database import Database
from freehold.store.instant import instant
from freehold.store.session import Session
from freehold.testing import Clock

pytestmark = pytest.mark.anyio

AT_ONCE = Backoff(first=timedelta(0))
HOUR = timedelta(hours=1)


@job("test.note")
async def write_note(db: Session, *, text: str) -> None:
    await note(db, text)


@job("test.fail", retries=2, backoff=AT_ONCE)
async def fail(db: Session, *, text: str) -> None:
    await note(db, text)
    raise RuntimeError("as every time")


@job("test.who")
async def who(db: Session) -> None:
    caller = db.principal
    await note(db, f"{caller.id} {sorted(caller.roles)} {sorted(caller.scopes or [])} {caller.reason}")


def runner(database: Database, **options: object) -> Jobs:
    return Jobs(database, jobs=[write_note, fail, who], **options)  # type: ignore[arg-type]


async def enqueue_note(database: Database, text: str, **options: object) -> UUID:
    async with database.writing(system("test")) as unit:
        return await write_note.enqueue(unit.session, text=text, **options)  # type: ignore[arg-type]


class TestEnqueue:
    async def test_J01_a_job_is_rolled_back_with_its_cause(self, database: Database) -> None:
        with pytest.raises(ZeroDivisionError):  # a unit that fails
            async with database.writing(system("test")) as unit:
                await note(unit.session, "cause")
                await write_note.enqueue(unit.session, text="effect")
                raise ZeroDivisionError
        assert await runner(database).run_pending() == 0
        assert await notes(database) == []
        assert await states(database) == []

    async def test_J01_a_job_commits_with_its_cause(self, database: Database) -> None:
        async with database.writing(system("test")) as unit:
            await note(unit.session, "cause")
            await write_note.enqueue(unit.session, text="effect")
            assert await states(database) == []  # nobody sees it yet
        assert await runner(database).run_pending() == 1
        assert await notes(database) == ["cause", "effect"]
        assert await states(database) == ["done"]

    async def test_a_reading_session_cannot_enqueue(self, database: Database) -> None:
        async with database.reading(system("test")) as session:
            with pytest.raises(RuntimeError, match="only reads"):
                await write_note.enqueue(session, text="x")

    async def test_a_key_is_unique_while_it_waits(self, database: Database) -> None:
        first = await enqueue_note(database, "first", key="k")
        assert await enqueue_note(database, "second", key="k") == first
        assert await enqueue_note(database, "other", key="other") != first
        assert await runner(database).run_pending() == 2
        assert await enqueue_note(database, "third", key="k") != first
        await runner(database).run_pending()
        assert await notes(database) == ["first", "other", "third"]

    async def test_the_earlier_time_wins_under_one_key(self, database: Database) -> None:
        await enqueue_note(database, "later", key="k", run_at=clock.now() + HOUR)
        assert await runner(database).run_pending() == 0
        await enqueue_note(database, "now", key="k")
        assert await runner(database).run_pending() == 1

    async def test_run_at_is_waited_for(self, database: Database, move_clock: Callable[[timedelta], None]) -> None:
        await enqueue_note(database, "later", run_at=clock.now() + HOUR)
        assert await runner(database).run_pending() == 0
        move_clock(HOUR + timedelta(seconds=1))
        assert await runner(database).run_pending() == 1

    async def test_a_job_called_directly_is_its_function(self, database: Database) -> None:
        async with database.writing(system("test")) as unit:
            await write_note(unit.session, text="here and now")
        assert await notes(database) == ["here and now"]

    async def test_the_payload_of_a_done_job_is_gone(self, database: Database) -> None:
        await enqueue_note(database, "personal")
        await runner(database).run_pending()
        async with database.reading(system("test")) as session:
            assert (await session.execute(select(JOBS.c.payload))).scalar_one() == {}

    async def test_a_job_of_a_name_unknown_here_waits(self, database: Database) -> None:
        await enqueue_note(database, "x")
        assert await Jobs(database, jobs=[fail]).run_pending() == 0
        assert await states(database) == ["ready"]


class TestPrincipal:
    USER = Principal(id=new_id(), roles=frozenset({"tenant"}), scopes=frozenset({"read", "write"}))

    async def _run_as(self, database: Database, enqueuer: Principal, now: Principal | None) -> list[str]:
        async def principals(identity: UUID) -> Principal | None:
            assert identity == enqueuer.id
            return now

        async with database.writing(enqueuer) as unit:
            await who.enqueue(unit.session)
        await runner(database, principals=principals).run_pending()
        return await notes(database)

    async def test_J02_roles_are_those_of_now_and_scopes_never_more_than_before(self, database: Database) -> None:
        now = replace(self.USER, roles=frozenset({"landlord"}), scopes=None)
        assert await self._run_as(database, self.USER, now) == [f"{self.USER.id} ['landlord'] ['read', 'write'] None"]

    async def test_scopes_withdrawn_since_are_gone(self, database: Database) -> None:
        now = replace(self.USER, scopes=frozenset({"read", "admin"}))
        assert await self._run_as(database, self.USER, now) == [f"{self.USER.id} ['tenant'] ['read'] None"]

    async def test_a_principal_that_is_gone_runs_nothing(self, database: Database) -> None:
        assert await self._run_as(database, self.USER, None) == []
        async with database.reading(system("test")) as session:
            assert [letter.error for letter in await dead_letters(session)] == ["principal gone"]

    async def test_the_system_and_nobody_need_no_resolver(self, database: Database) -> None:
        for principal in (system("import"), ANONYMOUS):
            async with database.writing(principal) as unit:
                await who.enqueue(unit.session)
        await runner(database).run_pending()
        assert await notes(database) == ["None [] [] import", "None [] [] None"]

    async def test_a_job_declared_as_system_acts_as_the_system(self, database: Database) -> None:
        @job("test.sweep", system="sweeps")
        async def sweep(db: Session) -> None:
            await note(db, str(db.principal.reason))

        async with database.writing(self.USER) as unit:
            await sweep.enqueue(unit.session)
        await Jobs(database, jobs=[sweep]).run_pending()
        assert await notes(database) == ["sweeps"]


class TestFailure:
    async def test_J03_a_job_that_always_fails_dies_after_its_tries_and_holds_up_no_other(
        self, database: Database
    ) -> None:
        async with database.writing(system("test")) as unit:
            await fail.enqueue(unit.session, text="rolled back")
        await enqueue_note(database, "other")
        assert await runner(database, concurrency=1).run_pending() == 4
        assert await notes(database) == ["other"]
        assert await states(database) == ["dead", "done"]
        async with database.reading(system("test")) as session:
            (letter,) = await dead_letters(session)
        assert (letter.name, letter.error, letter.attempts) == ("test.fail", "RuntimeError: as every time", 3)

    async def test_a_failed_job_waits_for_its_backoff(
        self, database: Database, move_clock: Callable[[timedelta], None]
    ) -> None:
        tries = 0

        @job("test.second_time", backoff=Backoff(first=timedelta(minutes=10)))
        async def second_time(db: Session) -> None:
            nonlocal tries
            tries += 1
            if tries == 1:
                raise RuntimeError
            await note(db, "at last")

        async with database.writing(system("test")) as unit:
            await second_time.enqueue(unit.session)
        jobs = Jobs(database, jobs=[second_time])
        assert await jobs.run_pending() == 1
        assert await jobs.run_pending() == 0
        move_clock(timedelta(minutes=13))
        assert await jobs.run_pending() == 1
        assert await notes(database) == ["at last"]

    async def test_a_try_over_its_time_is_rolled_back(self, database: Database) -> None:
        @job("test.slow", retries=0, timeout=timedelta(milliseconds=50))
        async def slow(db: Session) -> None:
            await note(db, "half")
            await asyncio.sleep(10)

        async with database.writing(system("test")) as unit:
            await slow.enqueue(unit.session)
        await Jobs(database, jobs=[slow]).run_pending()
        assert await notes(database) == []
        assert await states(database) == ["dead"]

    async def test_a_job_that_raises_a_cancellation_itself_has_failed(self, database: Database) -> None:
        @job("test.cancels", retries=1, backoff=AT_ONCE)
        async def cancels(db: Session) -> None:
            raise asyncio.CancelledError

        async with database.writing(system("test")) as unit:
            await cancels.enqueue(unit.session)
        assert await Jobs(database, jobs=[cancels]).run_pending() == 2
        assert await states(database) == ["dead"]

    async def test_a_payload_that_the_function_no_longer_takes_is_dead_at_once(self, database: Database) -> None:
        await enqueue_note(database, "x")

        @job("test.note")
        async def changed(db: Session, *, number: int) -> None:
            raise AssertionError("not reached")

        assert await Jobs(database, jobs=[changed]).run_pending() == 1
        assert await states(database) == ["dead"]

    async def test_a_failing_job_gives_up_its_key_to_a_newer_one(self, database: Database) -> None:
        async with database.writing(system("test")) as unit:
            await fail.enqueue(unit.session, text="old", key="k")
        (claim,) = await Taker(database, {"test.fail": fail}).take([], limit=1)
        async with database.writing(system("test")) as unit:
            await fail.enqueue(unit.session, text="new", key="k")
        async with database.writing(system("test")) as unit:
            assert await leases.fail(unit.session, claim, error="x", pause=timedelta(0))
        assert await states(database) == ["ready", "ready"]

    async def test_dead_letters_are_retried_and_discarded(self, database: Database) -> None:
        for text in ("one", "two"):
            async with database.writing(system("test")) as unit:
                await fail.enqueue(unit.session, text=text)
        await runner(database).run_pending()
        async with database.writing(system("test")) as unit:
            one, two = await dead_letters(unit.session)
            assert [letter.id for letter in await dead_letters(unit.session, after=one.id)] == [two.id]
            assert await discard_dead(unit.session, one.id)
            assert not await discard_dead(unit.session, one.id)
            assert await retry_dead(unit.session, two.id)
            assert not await retry_dead(unit.session, two.id)
        assert await runner(database).run_pending() == 3  # all its tries anew

    async def test_E02_a_database_error_is_recorded_without_its_values(self, database: Database) -> None:
        @job("test.clash", retries=0)
        async def clash(db: Session) -> None:
            await db.execute(update(JOBS).values(name=None, error="a secret"))

        async with database.writing(system("test")) as unit:
            await clash.enqueue(unit.session)
        await Jobs(database, jobs=[clash]).run_pending()
        async with database.reading(system("test")) as session:
            (letter,) = await dead_letters(session)
        assert letter.error.startswith("IntegrityError")
        assert "secret" not in letter.error


class TestLease:
    async def _claim(self, database: Database) -> leases.Claim:
        (claim,) = await Taker(database, {"test.note": write_note}).take([], limit=1)
        return claim

    async def test_J02_a_killed_worker_is_noticed_within_60_seconds(
        self, database: Database, move_clock: Callable[[timedelta], None]
    ) -> None:
        await enqueue_note(database, "once")
        await self._claim(database)  # and its worker dies
        assert await runner(database).run_pending() == 0
        move_clock(timedelta(seconds=61))
        assert await runner(database).run_pending() == 1
        assert await notes(database) == ["once"]

    async def test_J02_a_worker_that_lost_its_lease_rolls_back(
        self, database: Database, move_clock: Callable[[timedelta], None]
    ) -> None:
        await enqueue_note(database, "once")
        slow_claim = await self._claim(database)
        move_clock(timedelta(seconds=61))
        jobs = runner(database)
        assert await jobs.run_pending() == 1
        slow = Execution(database, {"test.note": write_note}, jobs.principals)
        assert await asyncio.create_task(slow.run(slow_claim)) == "lost"
        assert await notes(database) == ["once"]
        assert await states(database) == ["done"]

    async def test_J03_a_job_whose_worker_dies_of_it_alone_three_times_is_parked(
        self, database: Database, move_clock: Callable[[timedelta], None]
    ) -> None:
        await enqueue_note(database, "never")
        for alone in (False, False, True, True, True):
            assert await states(database) == ["ready"], "what was killed by chance is tried again"
            assert (await self._claim(database)).is_suspect is alone
            move_clock(timedelta(seconds=61))
            async with database.writing(system("test")) as unit:
                await leases.recover(unit.session, [])
        assert await states(database) == ["dead"]
        assert await runner(database).run_pending() == 0
        assert await notes(database) == []

    async def test_J03_what_died_twice_with_its_worker_runs_alone(
        self, database: Database, move_clock: Callable[[timedelta], None]
    ) -> None:
        await enqueue_note(database, "suspect")
        for _ in range(2):
            suspect = await self._claim(database)
            move_clock(timedelta(seconds=61))
            async with database.writing(system("test")) as unit:
                await leases.recover(unit.session, [])
        await enqueue_note(database, "beside")
        busy, empty = (Taker(database, {"test.note": write_note}) for _ in range(2))
        other = replace(suspect, id=new_id(), attempts=1)
        assert await busy.take([other], limit=3) == [], "it waits until nothing else runs there"
        (alone,) = await empty.take([], limit=4)
        assert (alone.id, alone.is_suspect) == (suspect.id, True)
        assert await empty.take([alone], limit=3) == [], "and nothing runs beside it"
        assert [claim.is_suspect for claim in await busy.take([other], limit=3)] == [False]

    async def test_J03_a_process_that_cannot_be_emptied_goes_on(
        self, database: Database, move_clock: Callable[[timedelta], None], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await enqueue_note(database, "suspect")
        for _ in range(2):
            suspect = await self._claim(database)
            move_clock(timedelta(seconds=61))
            async with database.writing(system("test")) as unit:
                await leases.recover(unit.session, [])
        await enqueue_note(database, "beside")
        monkeypatch.setattr(isolation, "_EMPTYING_SECONDS", 0.0)
        busy, other = Taker(database, {"test.note": write_note}), replace(suspect, id=new_id(), attempts=1)
        assert await busy.take([other], limit=3) == []
        (taken,) = await busy.take([other], limit=3)
        assert taken.id != suspect.id

    async def test_F06_a_clock_that_was_put_back_leaves_no_endless_lease(
        self, database: Database, move_clock: Callable[[timedelta], None]
    ) -> None:
        await enqueue_note(database, "x")
        move_clock(HOUR)
        await self._claim(database)
        move_clock(-HOUR)
        assert await runner(database).run_pending() == 1

    @pytest.mark.parametrize("module_database", ["postgresql"], indirect=True)  # SQLite is one machine with one clock
    async def test_F06_a_node_with_a_wrong_clock_takes_over_no_living_lease(self, database: Database) -> None:
        await enqueue_note(database, "x")
        await self._claim(database)
        await enqueue_note(database, "later", run_at=clock.now() + HOUR / 2)
        with time_machine.travel(clock.now() + HOUR):
            assert await runner(database).run_pending() == 0

    async def test_a_returned_job_has_lost_no_try(self, database: Database) -> None:
        await enqueue_note(database, "x")
        claim = await self._claim(database)
        async with database.writing(system("test")) as unit:
            assert await leases.give_back(unit.session, claim)
            assert not await leases.give_back(unit.session, claim)
        assert (await self._claim(database)).attempts == 1

    async def test_leases_are_extended_only_while_held(
        self, database: Database, move_clock: Callable[[timedelta], None]
    ) -> None:
        await enqueue_note(database, "x")
        claim = await self._claim(database)
        lengths = {"test.note": timedelta(seconds=60)}
        move_clock(timedelta(seconds=50))
        async with database.writing(system("test")) as unit:
            assert await leases.extend(unit.session, [claim], lengths) == {claim.id}
        move_clock(timedelta(seconds=50))
        assert await runner(database).run_pending() == 0
        move_clock(timedelta(seconds=11))
        assert await runner(database).run_pending() == 1
        async with database.writing(system("test")) as unit:
            assert await leases.extend(unit.session, [claim], lengths) == set()


class TestOutside:
    async def test_J02_an_outside_effect_has_the_same_key_at_every_try_and_no_transaction(
        self, database: Database
    ) -> None:
        keys: list[tuple[UUID, int, bool]] = []

        @job("test.call", outside=True, backoff=AT_ONCE)
        async def call(db: Session) -> None:
            context = current_job()
            assert context is not None
            keys.append((context.id, context.attempt, db.unit is None))
            if len(keys) == 1:
                raise ConnectionError

        async with database.writing(system("test")) as unit:
            identity = await call.enqueue(unit.session)
        await Jobs(database, jobs=[call]).run_pending()
        assert keys == [(identity, 1, True), (identity, 2, True)]
        assert await states(database) == ["done"]
        assert current_job() is None


class TestHousekeeping:
    async def test_J05_done_jobs_are_cleared_after_a_time(
        self, database: Database, move_clock: Callable[[timedelta], None]
    ) -> None:
        await enqueue_note(database, "x")
        await runner(database).run_pending()
        await enqueue_note(database, "waits")
        for moved, cleared in ((timedelta(hours=23), 0), (timedelta(hours=2), 1)):
            move_clock(moved)
            async with database.writing(system("test")) as unit:
                assert await queue.clear_done(unit.session, older_than=timedelta(hours=24)) == cleared
        assert await states(database) == ["ready"]

    async def test_J05_the_age_of_the_oldest_waiting_job_is_known(
        self, database: Database, move_clock: Callable[[timedelta], None]
    ) -> None:
        jobs = runner(database)
        assert await jobs.oldest_waiting_age() == timedelta(0)
        await enqueue_note(database, "x")
        await enqueue_note(database, "not due", run_at=clock.now() + 2 * HOUR)
        move_clock(HOUR)
        assert timedelta(0) <= await jobs.oldest_waiting_age() - HOUR < timedelta(seconds=5)

    async def test_F06_a_clock_that_a_test_has_stopped_shows_one_instant_to_every_statement(
        self, database: Database
    ) -> None:
        """Else a job would be due only once a look for it takes longer than its enqueueing did."""
        with Clock() as stopped:
            async with database.reading(system("test")) as session:
                asked = [select(instant(database.dialect_name, HOUR)) for _ in range(3)]
                for statement in asked:
                    await asyncio.sleep(0.005)
                    assert (await session.execute(statement)).scalar_one() == stopped.now() + HOUR
