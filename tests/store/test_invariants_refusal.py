"""What a refused caller is told of the row in the way: as much as the caller may read, and what the rule reveals."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import MetaData
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from freehold.resource.access import Access, owner, signed_in
from freehold.resource.base import NAMING, UTCDateTime, new_id
from freehold.resource.invariants import no_overlap, unique_while
from freehold.resource.principal import Principal, system
from freehold.store.database import Database
from freehold.store.invariant_breach import breach, refusal
from freehold.store.invariant_flush import tried_in
from freehold.store.invariants import Registry, register
from freehold.store.protection import Registry as Protections

pytestmark = pytest.mark.anyio

MINE, THEIRS = Principal(id=UUID(int=1)), Principal(id=UUID(int=2))
HOUSE = UUID(int=9)


def model(*, reveals=()):
    class Local(DeclarativeBase):
        metadata = MetaData(naming_convention=NAMING)

    class Booking(Local):
        __tablename__ = "bookings"
        id: Mapped[UUID] = mapped_column(primary_key=True)
        house_id: Mapped[UUID]
        tenant_id: Mapped[UUID]
        check_in: Mapped[date]
        check_out: Mapped[date]
        code: Mapped[str]

    during = ("check_in", "check_out")
    rule = no_overlap("house_id", during=during, code="imba.dates_taken", reveals=reveals, name="dates")
    register(Booking.__table__, [rule, unique_while("code", code="imba.code_taken", name="code")])
    return Booking


@pytest.fixture
async def open_database(database_url):
    opened = []

    async def open_(booking):
        protections = Protections()
        protections.protect(booking, Access(read=owner("tenant_id"), write=signed_in))
        database = Database.open(database_url, registry=protections)
        async with database.engine.begin() as connection:
            await connection.run_sync(booking.metadata.create_all)
        await database.start()
        opened.append(database)
        return database

    yield open_
    for database in opened:
        await database.close()


async def refused(database, booking, principal, first, last, code="x", update=None):  # noqa: PLR0917 - read as a sentence
    """The problem that a write of this principal ends in."""
    tried, caught = [], None
    try:
        async with database.writing(principal) as unit:
            try:
                if update is None:
                    row = booking(
                        id=new_id(),
                        house_id=HOUSE,
                        tenant_id=principal.id,
                        check_in=date(2027, 1, first),
                        check_out=date(2027, 1, last),
                        code=code,
                    )
                    unit.session.add(row)
                else:
                    row = await unit.session.get(booking, update)
                    row.check_in, row.check_out = date(2027, 1, first), date(2027, 1, last)
                await unit.session.flush()
                return row.id
            except IntegrityError:
                tried = tried_in(unit.session.sync_session)
                raise
    except IntegrityError as error:
        caught = error
    found = breach(caught, Registry(booking.metadata))
    return await refusal(found, tried, database=database, principal=principal)


async def test_a_row_that_the_caller_may_read_is_named(open_database):
    booking = model()
    database = await open_database(booking)
    there = await refused(database, booking, MINE, 10, 12, "a")
    problem = await refused(database, booking, MINE, 11, 13, "b")
    assert problem.problem_code == "imba.dates_taken"
    conflict = {"id": str(there), "check_in": "2027-01-10", "check_out": "2027-01-12"}
    assert problem.extra == {"rule": "fh_dates", "conflicts": [conflict]}


async def test_of_an_invisible_row_nothing_is_told(open_database):
    booking = model()
    database = await open_database(booking)
    await refused(database, booking, THEIRS, 10, 12, "a")
    problem = await refused(database, booking, MINE, 11, 13, "b")
    assert problem.extra == {"rule": "fh_dates"}


async def test_of_an_invisible_row_only_what_the_rule_reveals_is_told(open_database):
    booking = model(reveals=("check_in", "check_out"))
    database = await open_database(booking)
    await refused(database, booking, THEIRS, 10, 12, "a")
    mine = await refused(database, booking, MINE, 12, 14, "b")
    problem = await refused(database, booking, MINE, 11, 13, "c")
    hidden = {"check_in": "2027-01-10", "check_out": "2027-01-12"}
    visible = {"id": str(mine), "check_in": "2027-01-12", "check_out": "2027-01-14"}
    assert problem.extra["conflicts"] == [hidden, visible]


async def test_a_moved_row_is_not_in_its_own_way(open_database):
    booking = model()
    database = await open_database(booking)
    mine = await refused(database, booking, MINE, 10, 12, "a")
    other = await refused(database, booking, MINE, 20, 22, "b")
    problem = await refused(database, booking, MINE, 11, 21, update=mine)
    assert [conflict["id"] for conflict in problem.extra["conflicts"]] == [str(other)]


async def test_a_rule_of_another_kind_names_itself_and_no_row(open_database):
    booking = model()
    database = await open_database(booking)
    await refused(database, booking, THEIRS, 10, 12, "a")
    problem = await refused(database, booking, MINE, 20, 22, "a")
    assert (problem.problem_code, problem.extra) == ("imba.code_taken", {"rule": "fh_code"})


async def test_sql_written_inside_a_unit_meets_the_rule_too(open_database):
    booking = model()
    database = await open_database(booking)
    await refused(database, booking, MINE, 10, 12, "a")
    other = await refused(database, booking, MINE, 20, 22, "b")
    statement = (
        booking.__table__.update()
        .where(booking.__table__.c.id == other)
        .values(check_in=date(2027, 1, 11), check_out=date(2027, 1, 13))
    )
    with pytest.raises(IntegrityError) as raised:
        async with database.writing(system("test")) as unit:
            await unit.session.execute(statement)
    assert breach(raised.value, Registry(booking.metadata)).bound.name == "fh_dates"


async def test_an_open_end_and_instants_are_told_as_json_holds_them(database_url):
    class Local(DeclarativeBase):
        metadata = MetaData(naming_convention=NAMING)

    class Loan(Local):
        __tablename__ = "loans"
        id: Mapped[int] = mapped_column(primary_key=True)
        copy_id: Mapped[int]
        lent_at: Mapped[datetime] = mapped_column(UTCDateTime)
        back_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    during = ("lent_at", "back_at")
    rule = no_overlap("copy_id", during=during, when=Loan.id > 0, reveals=during, name="lent")
    register(Loan.__table__, [rule])
    protections = Protections()
    protections.protect(Loan, Access(read=signed_in, write=signed_in))
    database = Database.open(database_url, registry=protections)
    async with database.engine.begin() as connection:
        await connection.run_sync(Local.metadata.create_all)
    await database.start()
    at = datetime(2027, 1, 1, tzinfo=UTC)
    async with database.writing(MINE) as unit:
        unit.session.add(Loan(id=1, copy_id=1, lent_at=at, back_at=None))
    tried = []
    with pytest.raises(IntegrityError) as raised:
        async with database.writing(MINE) as unit:
            unit.session.add(Loan(id=2, copy_id=1, lent_at=at + timedelta(days=9), back_at=None))
            try:
                await unit.session.flush()
            finally:
                tried = tried_in(unit.session.sync_session)
    found = breach(raised.value, Registry(Local.metadata))
    problem = await refusal(found, tried, database=database, principal=MINE, hidden={"back_at"})
    assert problem.extra["conflicts"] == [{"id": 1, "lent_at": "2027-01-01T00:00:00Z"}]
    problem = await refusal(found, tried, database=database, principal=Principal())
    assert problem.extra["conflicts"] == [{"lent_at": "2027-01-01T00:00:00Z", "back_at": None}]
    await database.close()
