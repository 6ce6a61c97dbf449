"""Rules over columns of every kind: enums, times, numbers, reserved words, keys of several columns."""

from __future__ import annotations

import enum
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from sqlalchemy import MetaData, Numeric, or_
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from freehold.errors import ConfigurationError
from freehold.resource.base import NAMING, UTCDateTime
from freehold.resource.invariants import at_most, no_overlap, unique_while
from freehold.store.invariant_breach import breach
from freehold.store.invariant_schema import missing
from freehold.store.invariants import Registry, register

pytestmark = pytest.mark.anyio


class Kind(enum.StrEnum):
    HELD = "held"
    GONE = "gone"


class Model(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING)


class Order(Model):
    __tablename__ = "order"  # a reserved word, as are some of its columns
    group: Mapped[str] = mapped_column(primary_key=True)
    user: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[Kind]
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    note: Mapped[str]
    from_: Mapped[int] = mapped_column("from")
    to: Mapped[int]
    low: Mapped[Decimal] = mapped_column(Numeric(8, 2))
    high: Mapped[Decimal] = mapped_column(Numeric(8, 2))


RULES = {
    "numbers": no_overlap("group", "kind", during=("from", "to"), when=Order.kind == Kind.HELD, name="numbers"),
    "decimals": no_overlap(during=("low", "high"), when=Order.note.like("100% 'sure':yes%"), name="decimals"),
    "since": unique_while("from", when=Order.at >= datetime(2027, 6, 1, tzinfo=UTC), name="since"),
    "either": unique_while("to", when=or_(Order.user == UUID(int=5), Order.note.in_(["a", "b"])), name="either"),
    "many": at_most(2, per="group", when=Order.kind != Kind.GONE, name="many"),
}
register(Order.__table__, RULES.values())

ROW = {
    "group": "g",
    "user": UUID(int=1),
    "kind": Kind.GONE,
    "at": datetime(2027, 1, 1, tzinfo=UTC),
    "note": "n",
    "from": 1,
    "to": 2,
    "low": Decimal(1),
    "high": Decimal(2),
}


@pytest.fixture
async def engine(database_url):
    engine = create_async_engine(database_url)
    async with engine.begin() as connection:
        await connection.run_sync(Model.metadata.create_all)
    yield engine
    await engine.dispose()


async def put(engine, number, **values):
    """The rule that a row breaks, or None."""
    try:
        async with engine.begin() as connection:
            await connection.execute(Order.__table__.insert(), {**ROW, "user": UUID(int=100 + number), **values})
    except IntegrityError as error:
        return breach(error, Registry(Model.metadata)).bound.name
    return None


async def test_ranges_of_numbers_under_a_key_of_several_columns(engine):
    held = {"kind": Kind.HELD}
    assert await put(engine, 1, **held, **{"from": 1, "to": 5}) is None
    assert await put(engine, 2, **held, **{"from": 4, "to": 6}) == "fh_numbers"
    assert await put(engine, 2, **held, group="h", **{"from": 4, "to": 6}) is None
    assert await put(engine, 3, **{"from": 4, "to": 6}) is None
    assert await put(engine, 4, **held, **{"from": 5, "to": 6}) is None


async def test_ranges_of_decimals_without_a_key_and_a_condition_with_quotes_and_percent_signs(engine):
    sure = {"note": "100% 'sure':yes indeed"}
    assert await put(engine, 1, **sure, low=Decimal("1.50"), high=Decimal("2.50")) is None
    assert await put(engine, 2, **sure, low=Decimal("2.49"), high=Decimal(3)) == "fh_decimals"
    assert await put(engine, 2, **sure, low=Decimal("2.50"), high=Decimal(3)) is None
    assert await put(engine, 3, note="100 sure", low=Decimal("1.50"), high=Decimal(3)) is None


async def test_conditions_over_instants_uuids_lists_and_alternatives(engine):
    late = {"at": datetime(2027, 6, 1, tzinfo=UTC)}
    assert [await put(engine, number, **late) for number in (1, 2)] == [None, "fh_since"]
    assert await put(engine, 3) is None
    assert await put(engine, 4, note="a", to=9) is None
    assert await put(engine, 5, note="b", to=9) == "fh_either"
    assert await put(engine, 5, user=UUID(int=5), to=9) == "fh_either"


async def test_a_limit_over_a_plain_column_and_a_condition_over_an_enum(engine):
    told = [await put(engine, number, kind=Kind.HELD, **{"from": number, "to": number + 1}) for number in (1, 2, 3)]
    assert told == [None, None, "fh_many"]
    assert await put(engine, 3) is None


async def test_all_of_them_are_kept(engine):
    async with engine.connect() as connection:
        assert await connection.run_sync(missing, Registry(Model.metadata)) == []


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (no_overlap("group", during=("note", "note"), name="words"), "a range needs dates, instants or numbers"),
        (at_most("rooms", per="group"), "must be a foreign key"),
        (at_most(0, per="group", name="none"), "allows nothing"),
    ],
)
def test_a_rule_that_no_database_can_keep_stops_the_start(rule, message):
    with pytest.raises(ConfigurationError, match=message):
        register(Order.__table__, [rule])
