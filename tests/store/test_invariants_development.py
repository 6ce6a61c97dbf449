"""A service without migrations: what is missing is made at the start, and a rule declared later is put up then."""

from __future__ import annotations

import pytest
from sqlalchemy import MetaData
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

import freehold.store.audit
import freehold.store.idempotency
import freehold.store.outbox  # noqa: F401 - their tables are made too
from freehold.errors import ConfigurationError
from freehold.resource.access import Access, signed_in
from freehold.resource.base import NAMING
from freehold.resource.invariants import never_below
from freehold.resource.principal import system
from freehold.store.database import Database
from freehold.store.invariants import register
from freehold.store.protection import Registry
from freehold.store.schema import create_missing

pytestmark = pytest.mark.anyio


def model():
    class Local(DeclarativeBase):
        metadata = MetaData(naming_convention=NAMING)

    class Stock(Local):
        __tablename__ = "stock"
        id: Mapped[int] = mapped_column(primary_key=True)
        units: Mapped[int]

    return Stock


@pytest.fixture
async def database(database_url):
    protections = Registry()
    protections.protect(model(), Access(read=signed_in))
    database = Database.open(database_url, registry=protections)
    await database.start()
    yield database
    await database.close()


async def put(database, stock, units):
    async with database.writing(system("test")) as unit:
        await unit.session.execute(stock.__table__.insert(), {"units": units})


async def test_a_rule_declared_later_is_put_up_once(database):
    before, after = model(), model()
    assert "stock" in await create_missing(database, [before.metadata])
    await put(database, before, 1)
    register(after.__table__, [never_below("units")])
    assert await create_missing(database, [after.metadata]) == ["fh_stock_never_below_units"]
    assert await create_missing(database, [after.metadata]) == []
    with pytest.raises(IntegrityError):
        await put(database, after, -1)


async def test_a_rule_that_the_rows_break_stops_the_start(database):
    before, after = model(), model()
    await create_missing(database, [before.metadata])
    await put(database, before, -1)
    register(after.__table__, [never_below("units")])
    with pytest.raises(ConfigurationError, match="rows of stock break it"):
        await create_missing(database, [after.metadata])
