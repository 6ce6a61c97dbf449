"""Each invariant on both databases: in the schema, under SQL written by hand, and as what a driver's error means."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import ClassVar
from uuid import UUID

import pytest
from sqlalchemy import ForeignKey, MetaData, Table, event, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from freehold.errors import ConfigurationError, Conflict, Invalid
from freehold.resource.base import NAMING, UTCDateTime
from freehold.resource.invariants import at_most, never_below, no_overlap, unique_while
from freehold.store.invariant_breach import breach
from freehold.store.invariant_flush import before_flush
from freehold.store.invariant_schema import missing, repair, undeclared
from freehold.store.invariants import Registry, register, walls

pytestmark = pytest.mark.anyio

HOLDING = ("pending", "confirmed")


def night(number: int) -> date:
    return date(2027, 1, 1) + timedelta(days=number)


class Model(DeclarativeBase):
    type_annotation_map: ClassVar[dict] = {datetime: UTCDateTime()}


Model.metadata.naming_convention = NAMING


class House(Model):
    __tablename__ = "houses"
    id: Mapped[int] = mapped_column(primary_key=True)
    rooms: Mapped[int | None]


class Stay(Model):
    __tablename__ = "stays"
    id: Mapped[int] = mapped_column(primary_key=True)
    house_id: Mapped[int | None] = mapped_column(ForeignKey("houses.id"))
    status: Mapped[str] = mapped_column(default="pending")
    check_in: Mapped[date]
    check_out: Mapped[date]


class Visit(Model):
    __tablename__ = "visits"
    id: Mapped[int] = mapped_column(primary_key=True)
    house_id: Mapped[UUID]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime | None]


class Claim(Model):
    __tablename__ = "claims"
    id: Mapped[int] = mapped_column(primary_key=True)
    subject: Mapped[str]
    house_id: Mapped[int | None]
    is_open: Mapped[bool] = mapped_column(default=True)


class Guest(Model):
    __tablename__ = "guests"
    id: Mapped[int] = mapped_column(primary_key=True)
    house_id: Mapped[int | None] = mapped_column(ForeignKey("houses.id"))
    left: Mapped[bool] = mapped_column(default=False)
    team: Mapped[int] = mapped_column(default=0)


class Loan(Model):
    __tablename__ = "loans"
    id: Mapped[int] = mapped_column(primary_key=True)
    patron: Mapped[int]
    kind: Mapped[str]
    most: Mapped[int | None]
    is_open: Mapped[bool] = mapped_column(default=True)


class Stock(Model):
    __tablename__ = "stocks"
    id: Mapped[int] = mapped_column(primary_key=True)
    units: Mapped[int | None]


STAYS = no_overlap("house_id", during=("check_in", "check_out"), when=Stay.status.in_(HOLDING), code="imba.dates_taken")
register(Stay.__table__, [STAYS])
register(Visit.__table__, [no_overlap("house_id", during=("starts_at", "ends_at"))])
register(Claim.__table__, [unique_while("subject", "house_id", when=Claim.is_open, nulls_equal=True)])
register(
    Guest.__table__, [at_most("rooms", per="house_id", when=~Guest.left), at_most(2, per="team", name="team_of_two")]
)
register(Loan.__table__, [at_most("most", per=("patron", "kind"), limit_in="row", when=Loan.is_open)])
register(Stock.__table__, [never_below("units")])
REGISTRY = Registry(Model.metadata)


@pytest.fixture
async def engine(database_url):
    engine = create_async_engine(database_url)
    if engine.dialect.name == "sqlite":

        @event.listens_for(engine.sync_engine, "connect")
        def _plain(connection, _):
            connection.isolation_level = None
            connection.execute("PRAGMA foreign_keys=ON")

        event.listen(engine.sync_engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    async with engine.begin() as connection:
        await connection.run_sync(Model.metadata.create_all)
        await connection.execute(House.__table__.insert(), [{"id": 1, "rooms": 2}, {"id": 2, "rooms": None}])
    yield engine
    await engine.dispose()


async def run(engine, statement, **params):
    """One statement in a transaction of its own; the name of the broken rule, or None."""
    try:
        async with engine.begin() as connection:
            await connection.execute(text(statement) if isinstance(statement, str) else statement, params)
    except DBAPIError as error:
        found = breach(error, REGISTRY)
        if found is None:
            raise
        return found.bound.name + ("_order" if found.order else "")
    return None


async def stay(engine, number, house, first, last, status="pending"):  # noqa: PLR0917 - read as a sentence
    return await run(
        engine,
        Stay.__table__.insert(),
        id=number,
        house_id=house,
        check_in=night(first),
        check_out=night(last),
        status=status,
    )


TAKEN = "fh_stays_no_overlap_house_id_check_in_check_out"


async def test_overlapping_nights_are_refused_and_touching_ones_are_not(engine):
    assert await stay(engine, 1, 1, 10, 12) is None
    for first, last in ((9, 11), (10, 12), (11, 13), (9, 13), (10, 11), (11, 12)):
        assert await stay(engine, 2, 1, first, last) == TAKEN
    assert await stay(engine, 2, 1, 12, 14) is None
    assert await stay(engine, 3, 1, 8, 10) is None
    assert await stay(engine, 4, 1, 0, 1) is None
    assert await stay(engine, 5, 2, 10, 12) is None
    assert await stay(engine, 6, None, 10, 12) is None
    assert await stay(engine, 7, None, 10, 12) is None


async def test_a_long_stay_before_many_short_ones_is_found(engine):
    assert await stay(engine, 1, 1, 0, 100) is None
    assert await stay(engine, 2, 1, 50, 51) == TAKEN
    assert await stay(engine, 3, 1, 100, 101) is None
    assert await stay(engine, 4, 1, 99, 102) == TAKEN


async def test_moving_a_row_by_update_meets_the_rule(engine):
    for number, house, first in ((1, 1, 10), (2, 1, 20), (3, 2, 10)):
        assert await stay(engine, number, house, first, first + 2) is None
    assert await run(engine, "UPDATE stays SET house_id = 1 WHERE id = 3") == TAKEN
    assert await run(engine, "UPDATE stays SET check_in = :d WHERE id = 2", d=str_or_date(engine, 11)) == TAKEN
    assert await run(engine, "UPDATE stays SET check_out = :d WHERE id = 1", d=str_or_date(engine, 20)) is None
    assert await run(engine, "UPDATE stays SET check_out = :d WHERE id = 1", d=str_or_date(engine, 21)) == TAKEN
    assert (
        await run(engine, "UPDATE stays SET house_id = 2, check_in = :d WHERE id = 2", d=str_or_date(engine, 19))
        is None
    )


def str_or_date(engine, number):
    return str(night(number)) if engine.dialect.name == "sqlite" else night(number)


async def test_the_when_clause_decides_which_rows_count(engine):
    assert await stay(engine, 1, 1, 10, 12) is None
    assert await stay(engine, 2, 1, 10, 12, "cancelled") is None
    assert await run(engine, "UPDATE stays SET status = 'confirmed' WHERE id = 2") == TAKEN
    assert await run(engine, "UPDATE stays SET status = 'cancelled' WHERE id = 1") is None
    assert await run(engine, "UPDATE stays SET status = 'confirmed' WHERE id = 2") is None
    assert await run(engine, "UPDATE stays SET status = 'pending' WHERE id = 1") == TAKEN


async def test_a_range_that_ends_before_it_starts_is_invalid_input(engine):
    assert await stay(engine, 1, 1, 12, 10) == TAKEN + "_order"
    assert await stay(engine, 1, 1, 12, 12) == TAKEN + "_order"
    assert await stay(engine, 1, 1, 12, 10, "cancelled") is None
    with pytest.raises(IntegrityError) as raised:
        async with engine.begin() as connection:
            await connection.execute(text("UPDATE stays SET status = 'pending'"))
    problem = breach(raised.value, REGISTRY).problem()
    assert isinstance(problem, Invalid)
    assert problem.errors[0].pointer == "/check_out"


async def test_the_row_in_the_way_is_never_the_row_itself(engine):
    assert await stay(engine, 1, 1, 10, 12) is None
    assert await run(engine, "UPDATE stays SET check_in = check_in, house_id = house_id") is None
    assert await run(engine, "UPDATE stays SET id = 9, status = 'confirmed'") is None
    upsert = (
        f"INSERT INTO stays (id, house_id, status, check_in, check_out) VALUES (9, 1, 'pending', '{night(11)}', "
        f"'{night(13)}') ON CONFLICT (id) DO UPDATE SET check_out = excluded.check_out"
    )
    assert await run(engine, upsert) is None
    assert await stay(engine, 2, 1, 12, 13) == TAKEN


async def test_an_open_end_holds_everything_after_it(engine):
    house = UUID(int=7)

    async def visit(number, start, end):
        at = datetime(2027, 1, 1, tzinfo=UTC)
        values = {
            "id": number,
            "house_id": house,
            "starts_at": at + timedelta(minutes=start),
            "ends_at": None if end is None else at + timedelta(minutes=end),
        }
        return await run(engine, Visit.__table__.insert(), **values)

    rule = "fh_visits_no_overlap_house_id_starts_at_ends_at"
    assert await visit(1, 60, None) is None
    assert await visit(2, 600, 601) == rule
    assert await visit(2, 0, None) == rule
    assert await visit(2, 30, 61) == rule
    assert await visit(2, 30, 60) is None
    assert await visit(3, 0, 30) is None


async def test_unique_while_counts_null_as_equal_and_only_while(engine):
    async def claim(number, subject, house):
        return await run(engine, Claim.__table__.insert(), id=number, subject=subject, house_id=house, is_open=True)

    rule = "fh_claims_unique_while_subject_house_id"
    assert await claim(1, "identity", None) is None
    assert await claim(2, "identity", None) == rule
    assert await claim(2, "property", None) is None
    assert await claim(3, "property", 1) is None
    assert await claim(4, "property", 1) == rule
    assert await claim(4, "property", 2) is None
    assert await run(engine, "UPDATE claims SET is_open = false WHERE id = 1") is None
    assert await claim(5, "identity", None) is None
    assert await run(engine, "UPDATE claims SET is_open = true WHERE id = 1") == rule
    assert await run(engine, "UPDATE claims SET house_id = 1 WHERE id = 4") == rule


async def test_at_most_counts_per_parent_by_its_column_or_by_a_number(engine):
    async def guest(number, house, team):
        return await run(engine, Guest.__table__.insert(), id=number, house_id=house, team=team, left=False)

    by_house, by_team = "fh_guests_at_most_house_id", "fh_team_of_two"
    assert [await guest(number, 1, number) for number in (1, 2, 3)] == [None, None, by_house]
    assert [await guest(number, 2, 50) for number in (4, 5, 6)] == [None, None, by_team]
    assert await guest(7, 2, 7) is None
    assert await run(engine, "UPDATE guests SET house_id = 1 WHERE id = 7") == by_house
    assert await run(engine, "UPDATE guests SET team = 50 WHERE id = 7") == by_team
    assert await run(engine, 'UPDATE guests SET "left" = true WHERE id = 1') is None
    assert await run(engine, "UPDATE guests SET house_id = 1 WHERE id = 7") is None
    assert await run(engine, 'UPDATE guests SET "left" = false WHERE id = 1') == by_house
    assert await run(engine, "UPDATE houses SET rooms = 1 WHERE id = 1") == by_house
    assert await run(engine, "UPDATE houses SET rooms = 3 WHERE id = 1") is None
    assert await run(engine, 'UPDATE guests SET "left" = false WHERE id = 1') is None


async def test_at_most_takes_the_limit_that_each_row_brings(engine):
    async def loan(number, patron, kind, most):
        values = {"id": number, "patron": patron, "kind": kind, "most": most, "is_open": True}
        return await run(engine, Loan.__table__.insert(), **values)

    rule = "fh_loans_at_most_patron_kind_most"
    assert [await loan(number, 1, "book", 2) for number in (1, 2, 3)] == [None, None, rule]
    assert await loan(3, 1, "disc", 1) is None, "another kind is counted by itself"
    assert await loan(4, 1, "book", 3) is None, "a wider limit lets one more in, and the others stay"
    assert await loan(5, 1, "book", None) is None, "without a limit there is none"
    assert await loan(6, 2, "book", 0) == rule
    assert await run(engine, "UPDATE loans SET is_open = false WHERE id IN (2, 4, 5)") is None
    assert await loan(7, 1, "book", 2) is None
    assert await run(engine, "UPDATE loans SET is_open = true WHERE id = 2") == rule


async def test_never_below(engine):
    assert await run(engine, Stock.__table__.insert(), id=1, units=1) is None
    assert await run(engine, Stock.__table__.insert(), id=2, units=None) is None
    assert await run(engine, Stock.__table__.insert(), id=3, units=-1) == "fh_stocks_never_below_units"
    assert await run(engine, "UPDATE stocks SET units = units - 1") is None
    assert await run(engine, "UPDATE stocks SET units = units - 1") == "fh_stocks_never_below_units"


async def test_a_breach_is_a_conflict_with_the_declared_code_and_the_rule(engine):
    await stay(engine, 1, 1, 10, 12)
    with pytest.raises(IntegrityError) as raised:
        async with engine.begin() as connection:
            await connection.execute(text(f"INSERT INTO stays VALUES (2, 1, 'pending', '{night(10)}', '{night(11)}')"))
    problem = breach(raised.value, REGISTRY).problem()
    assert isinstance(problem, Conflict)
    assert problem.problem_code == "imba.dates_taken"
    assert problem.extra == {"rule": TAKEN}


async def test_another_fault_is_no_breach(engine):
    with pytest.raises(IntegrityError) as raised:
        async with engine.begin() as connection:
            await connection.execute(House.__table__.insert(), {"id": 1})
    assert breach(raised.value, REGISTRY) is None


async def _missing(engine):
    async with engine.connect() as connection:
        return await connection.run_sync(missing, REGISTRY)


async def test_a_fresh_schema_keeps_every_rule(engine):
    assert await _missing(engine) == []


async def test_every_wall_that_is_gone_is_named(engine):
    for bound in REGISTRY.bounds():
        for wall in walls(bound, engine.dialect.name):
            if wall.kind == "touch":
                continue
            async with engine.begin() as connection:
                for statement in wall.drop:
                    await connection.execute(text(statement + (" CASCADE" if wall.kind == "function" else "")))
            faults = await _missing(engine)
            assert len(faults) == 1, wall
            assert f"{wall.kind} {wall.name} is missing" in faults[0]
            async with engine.begin() as connection:
                assert await connection.run_sync(repair, REGISTRY) == [bound.name]
            assert await _missing(engine) == []


async def test_an_altered_wall_is_named(engine):
    rule = next(bound for bound in REGISTRY.bounds() if bound.name == TAKEN)
    guard = next(wall for wall in walls(rule, engine.dialect.name) if wall.kind in {"trigger", "function"})
    weaker = guard.create[0].replace("EXISTS (", "NOT EXISTS (")
    async with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            await connection.exec_driver_sql(guard.drop[0])
        await connection.exec_driver_sql(weaker)
    assert [f"{guard.kind} {guard.name} was altered or switched off" in fault for fault in await _missing(engine)] == [
        True
    ]


async def test_a_trigger_that_is_switched_off_is_named(engine):
    if engine.dialect.name == "sqlite":
        return  # it has no such switch
    async with engine.begin() as connection:
        await connection.exec_driver_sql(f"ALTER TABLE stays DISABLE TRIGGER {TAKEN}_guard")
    assert len(await _missing(engine)) == 1


async def test_a_rule_is_not_built_over_rows_that_break_it(engine):
    rule = next(bound for bound in REGISTRY.bounds() if bound.name == TAKEN)
    async with engine.begin() as connection:
        for wall in reversed(walls(rule, engine.dialect.name)):
            for statement in wall.drop:
                await connection.exec_driver_sql(statement)
    assert await stay(engine, 1, 1, 10, 12) is None
    assert await stay(engine, 2, 1, 11, 13) is None
    with pytest.raises(ConfigurationError, match="rows of stays break it"):
        async with engine.begin() as connection:
            await connection.run_sync(repair, REGISTRY)


async def test_a_limit_is_not_put_up_over_too_many_rows(engine):
    rule = next(bound for bound in REGISTRY.bounds() if bound.name == "fh_team_of_two")
    async with engine.begin() as connection:
        for wall in reversed(walls(rule, engine.dialect.name)):
            for statement in wall.drop:
                await connection.exec_driver_sql(statement)
        rows = [{"id": number, "team": 1, "left": False} for number in (1, 2, 3)]
        await connection.execute(Guest.__table__.insert(), rows)
    with pytest.raises(ConfigurationError, match="rows of guests break it"):
        async with engine.begin() as connection:
            await connection.run_sync(repair, REGISTRY)


async def test_a_rule_that_nothing_declares_any_more_is_found(engine):
    fewer = MetaData()
    Table("stays", fewer)
    async with engine.connect() as connection:
        left = await connection.run_sync(undeclared, Registry(fewer))
    assert {wall.seal.rule for wall in left} == {TAKEN}


async def test_an_old_snapshot_writes_nothing_under_a_rule_that_only_a_trigger_keeps(engine):
    if engine.dialect.name == "sqlite":
        return  # a writer there has the newest snapshot or none
    async with engine.connect() as connection:
        await connection.execution_options(isolation_level="REPEATABLE READ")
        with pytest.raises(DBAPIError, match="needs READ COMMITTED or SERIALIZABLE"):
            await connection.execute(Guest.__table__.insert(), {"id": 1, "house_id": 1, "team": 9, "left": False})


async def test_dropping_the_tables_leaves_nothing(engine):
    async with engine.begin() as connection:
        await connection.run_sync(Model.metadata.drop_all)
        if engine.dialect.name == "sqlite":
            left = "SELECT count(*) FROM sqlite_master WHERE name LIKE 'fh%'"
        else:
            left = "SELECT count(*) FROM pg_proc WHERE proname LIKE 'fh%'"
        assert await connection.scalar(text(left)) == 0


async def test_the_look_goes_down_an_index(engine):
    if engine.dialect.name != "sqlite":
        return  # PostgreSQL's planner goes by statistics; the hammer measures it
    rule = next(bound for bound in REGISTRY.bounds() if bound.name == TAKEN)
    trigger = next(wall for wall in walls(rule, "sqlite") if wall.name.endswith("_insert")).create[0]
    look = trigger.split("EXISTS (", 1)[1].rsplit(");", 1)[0]
    for column, value in (
        ("house_id", "1"),
        ("check_in", f"'{night(1)}'"),
        ("check_out", f"'{night(2)}'"),
        ("id", "0"),
    ):
        look = look.replace(f"NEW.{column}", value)
    async with engine.connect() as connection:
        plan = str((await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {look}")).all())
    assert f"INDEX {TAKEN}_look (house_id=? AND check_in<?)" in plan
    assert "TEMP B-TREE" not in plan


async def test_several_keys_in_one_flush_take_their_locks_in_order_and_one_takes_none(engine):
    statements = []
    event.listen(engine.sync_engine, "before_cursor_execute", lambda *arguments: statements.append(arguments[2]))

    def flush(connection, *houses):
        with Session(connection, join_transaction_mode="create_savepoint") as session:
            event.listen(session, "before_flush", lambda session, *_: before_flush(session))
            session.add_all(
                Stay(id=100 + house, house_id=house, check_in=night(1), check_out=night(2)) for house in houses
            )
            session.flush()

    async with engine.connect() as connection:
        await connection.run_sync(flush, 1)
        assert not any("unnest" in statement for statement in statements)
        await connection.run_sync(flush, 2, 1)
        assert sum("unnest" in statement for statement in statements) == (engine.dialect.name == "postgresql")


def test_a_rule_over_a_column_that_is_not_there_stops_the_start():
    with pytest.raises(ConfigurationError, match="no column 'nights'"):
        register(Stay.__table__, [no_overlap("house_id", during=("check_in", "nights"))])


def test_two_rules_of_one_name_stop_the_start_and_one_rule_twice_does_not():
    register(Stay.__table__, [STAYS])
    with pytest.raises(ConfigurationError, match="two rules named"):
        register(Stay.__table__, [no_overlap("house_id", during=("check_in", "check_out"))])


def test_a_when_over_another_table_stops_the_start():
    with pytest.raises(ConfigurationError, match="columns of 'stays' only"):
        register(Stay.__table__, [unique_while("house_id", when=House.rooms > 1)])


def test_a_long_name_is_cut_and_stays_its_own():
    names = {unique_while("a" * 60 + end).name_for("t") for end in "xy"}
    assert len(names) == 2
    assert all(len(name) <= 50 for name in names)
