"""Schedules: each tick once, whoever looks, whatever the clocks do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update
from tests.jobs.effects import note, notes, states

from freehold.errors import ConfigurationError
from freehold.jobs import Jobs, Schedule, job, schedule, ticking
from freehold.jobs.tables import SCHEDULES
from freehold.resource import clock
from freehold.resource.principal import system
from freehold.store.database import Database
from freehold.store.session import Session

pytestmark = pytest.mark.anyio

MINUTE = timedelta(minutes=1)
Move = Callable[[timedelta], None]


@schedule("test.each_minute", every=MINUTE)
async def each_minute(db: Session) -> None:
    await note(db, f"{db.principal.reason}")


@schedule("test.skips", every=MINUTE, missed="skip")
async def skips(db: Session) -> None:
    await note(db, "skips")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


class TestTicks:
    def test_a_period_counts_from_the_epoch(self) -> None:
        hourly = Schedule("h", every=timedelta(hours=1))
        assert hourly.after(utc("2026-03-01T10:00:00")) == utc("2026-03-01T11:00:00")
        assert hourly.after(utc("2026-03-01T10:59:59.999999")) == utc("2026-03-01T11:00:00")

    def test_J04_a_local_time_that_is_skipped_ticks_right_after_the_gap(self) -> None:
        daily = Schedule("d", at=time(2, 30), zone="Europe/Berlin")
        ticks = [daily.after(utc("2026-03-28T00:00:00"))]
        for _ in range(2):
            ticks.append(daily.after(ticks[-1]))
        assert ticks == [utc("2026-03-28T01:30:00"), utc("2026-03-29T01:30:00"), utc("2026-03-30T00:30:00")]

    def test_J04_a_local_time_that_comes_twice_ticks_the_first_time_only(self) -> None:
        daily = Schedule("d", at=time(2, 30), zone="Europe/Berlin")
        first = daily.after(utc("2026-10-24T12:00:00"))
        assert first == utc("2026-10-25T00:30:00")
        assert daily.after(first) == utc("2026-10-26T01:30:00")

    def test_J04_a_day_that_a_zone_never_had_is_not_run_twice(self) -> None:
        daily = Schedule("d", at=time(3), zone="Pacific/Apia")  # there was no 30 December 2011
        ticks = [daily.after(utc("2011-12-28T00:00:00"))]
        for _ in range(4):
            ticks.append(daily.after(ticks[-1]))
        assert [tick.astimezone(ZoneInfo("Pacific/Apia")).day for tick in ticks] == [28, 29, 31, 1, 2]

    @given(
        st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2037, 1, 1)),  # noqa: DTZ001  # made aware below
        st.times(timezones=st.none()),
        st.sampled_from(
            ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Shanghai", "Africa/Cairo"]
        ),
    )
    def test_J04_each_local_day_has_one_tick(self, start: datetime, at: time, zone: str) -> None:
        daily = Schedule("d", at=at, zone=zone)
        ticks = [daily.after(start.replace(tzinfo=UTC))]
        for _ in range(8):
            ticks.append(daily.after(ticks[-1]))
        assert ticks[0] > start.replace(tzinfo=UTC)
        for earlier, later in pairwise(ticks):
            assert timedelta(hours=22) < later - earlier < timedelta(hours=26)

    @pytest.mark.parametrize(
        ("options", "fault"),
        [
            ({}, "either every= or at="),
            ({"every": MINUTE, "at": time(1)}, "either every= or at="),
            ({"every": timedelta(milliseconds=10)}, "at least a second"),
            ({"at": time(1), "zone": "Mars/Base"}, "unknown zone"),
        ],
    )
    def test_a_schedule_without_sense_is_refused(self, options: dict[str, object], fault: str) -> None:
        with pytest.raises(ConfigurationError, match=fault):
            Schedule("s", **options)  # type: ignore[arg-type]

    def test_a_payload_that_the_job_would_refuse_stops_the_start(self) -> None:
        @job("test.needs")
        async def needs(db: Session, *, number: int) -> None: ...

        with pytest.raises(ConfigurationError, match="would refuse its payload"):
            schedule("s", every=MINUTE, payload={"number": "many"})(needs)


async def plan(database: Database) -> Jobs:
    """A runner that has seen its schedules: the first look only plans."""
    jobs = Jobs(database, jobs=[each_minute])
    assert await jobs.run_pending() == 0
    return jobs


async def test_J04_a_tick_fires_once_and_as_the_system(database: Database, move_clock: Move) -> None:
    jobs = await plan(database)
    move_clock(MINUTE)
    assert await jobs.run_pending() == 1
    assert await jobs.run_pending() == 0
    assert await notes(database) == ["schedule test.each_minute"]


async def test_J04_two_schedulers_at_one_moment_fire_each_tick_once(
    module_database: str, database: Database, move_clock: Move
) -> None:
    jobs = await plan(database)
    other = Database.open(module_database)
    await other.start()
    for _ in range(5):
        move_clock(MINUTE)
        fired = await asyncio.gather(*(ticking.fire_due(one, jobs._planned) for one in (database, other) * 3))
        assert sum(fired) == 1
    await other.close()
    assert await states(database) == ["ready"] * 5


async def test_J04_schedulers_that_start_together_plan_once(database: Database) -> None:
    planned = Jobs(database, jobs=[each_minute])._planned
    await asyncio.gather(*(ticking.fire_due(database, planned) for _ in range(5)))
    async with database.reading(system("test")) as session:
        assert len((await session.execute(select(SCHEDULES))).all()) == 1


async def test_J04_ticks_missed_while_down_run_once(database: Database, move_clock: Move) -> None:
    jobs = await plan(database)
    move_clock(timedelta(hours=3))
    assert await jobs.run_pending() == 1
    move_clock(MINUTE)
    assert await jobs.run_pending() == 1


async def test_J04_ticks_missed_while_down_are_skipped_as_declared(database: Database, move_clock: Move) -> None:
    jobs = Jobs(database, jobs=[skips])
    await jobs.run_pending()
    _to_second(45, move_clock)
    move_clock(timedelta(hours=3))  # the last tick is 45 seconds past, more than half a period
    assert await jobs.run_pending() == 0
    move_clock(timedelta(seconds=20))
    assert await jobs.run_pending() == 1


def _to_second(second: int, move_clock: Move) -> None:
    move_clock(timedelta(seconds=(second - clock.now().second) % 60))


async def test_F06_a_period_goes_on_after_the_clock_was_put_back(database: Database, move_clock: Move) -> None:
    move_clock(timedelta(hours=1))
    jobs = await plan(database)
    move_clock(timedelta(hours=-1))
    await jobs.run_pending()  # plans anew
    move_clock(MINUTE)
    assert await jobs.run_pending() == 1


async def test_F06_a_daily_job_is_not_doubled_by_a_clock_that_is_put_back(database: Database, move_clock: Move) -> None:
    soon = (clock.now() + timedelta(minutes=10)).time().replace(tzinfo=None)

    @schedule("test.daily", at=soon)
    async def daily(db: Session) -> None: ...

    jobs = Jobs(database, jobs=[daily])
    await jobs.run_pending()
    fired = 0
    for moved in (timedelta(minutes=11), timedelta(minutes=-5), timedelta(minutes=5), timedelta(hours=24)):
        move_clock(moved)
        fired += await jobs.run_pending()
    assert fired == 2


async def test_a_changed_schedule_is_planned_anew(database: Database, move_clock: Move) -> None:
    await plan(database)
    async with database.writing(system("test")) as unit:
        far = clock.now() + timedelta(days=300)
        await unit.session.execute(update(SCHEDULES).values(spec="every 1 year", next_at=far))
    jobs = await plan(database)
    move_clock(MINUTE)
    assert await jobs.run_pending() == 1
