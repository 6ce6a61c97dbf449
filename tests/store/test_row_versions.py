"""The version of a row counts every change: also one by a statement for many rows, that no object is flushed for."""

from __future__ import annotations

import pytest
from sqlalchemy import MetaData, inspect, literal, select, update
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from freehold import Access, Base, anyone, system
from freehold.store.database import Database
from freehold.store.row_versions import counted

pytestmark = pytest.mark.anyio


class Local(Base):
    __abstract__ = True
    metadata = MetaData()


class Leaflet(Local):
    __tablename__ = "versioned_leaflets"
    text: Mapped[str]
    number: Mapped[int]


@pytest.fixture
async def database(database_url: str):
    opened = Database.open(database_url)
    await opened.start()
    opened.registry.protect(Leaflet, Access(read=anyone, write=anyone))
    async with opened.writing(system("a test")) as unit:
        await (await unit.session.connection()).run_sync(Local.metadata.create_all)
        unit.session.add_all([Leaflet(text="a", number=1), Leaflet(text="b", number=2)])
    yield opened
    await opened.close()


async def versions(database: Database) -> list[int]:
    async with database.reading(system("a test")) as session:
        return list(await session.scalars(select(Leaflet.row_version).order_by(Leaflet.number)))


SETS = {
    "values": (update(Leaflet).where(Leaflet.number == 1).values(text="c"), None),
    "params": (update(Leaflet).where(Leaflet.number == 1), {"text": "c"}),
    "table": (update(Leaflet.__table__).where(Leaflet.number == 1).values(text="c"), None),
    "own word": (
        update(Leaflet).where(Leaflet.number == 1).values(text="c", row_version=Leaflet.row_version + 1),
        None,
    ),
    "ordered": (update(Leaflet).where(Leaflet.number == 1).ordered_values((Leaflet.text, "c"), ("number", 1)), None),
    "ordered, table": (
        update(Leaflet.__table__).where(Leaflet.number == 1).ordered_values((Leaflet.__table__.c.text, "c")),
        None,
    ),
    "ordered, own word": (
        update(Leaflet)
        .where(Leaflet.number == 1)
        .ordered_values((Leaflet.text, "c"), (Leaflet.row_version, Leaflet.row_version + 1)),
        None,
    ),
    "fetched": (update(Leaflet).where(Leaflet.number == 1).values(text="c").returning(Leaflet.id), None),
}


@pytest.mark.parametrize("name", SETS)
async def test_X03_an_update_of_many_rows_counts_the_version_of_each(database: Database, name: str) -> None:
    statement, params = SETS[name]
    async with database.writing(system("a test")) as unit:
        await unit.session.execute(statement, params)
    assert await versions(database) == [2, 1]


async def test_an_object_that_was_loaded_before_may_be_changed_after_it(database: Database) -> None:
    async with database.writing(system("a test")) as unit:
        leaflet = (await unit.session.scalars(select(Leaflet).where(Leaflet.number == 1))).one()
        await unit.session.execute(update(Leaflet).values(text=literal("of all")))
        assert (leaflet.text, leaflet.row_version) == ("of all", 2)
        leaflet.number = 0
    assert await versions(database) == [3, 2]


async def test_rows_by_their_keys_and_versions_are_sqlalchemys_to_count(database: Database) -> None:
    async with database.reading(system("a test")) as session:
        keys = list(await session.scalars(select(Leaflet.id).order_by(Leaflet.number)))
    async with database.writing(system("a test")) as unit:
        found = [{"id": each, "text": "d", "row_version": 1} for each in keys]
        await unit.session.execute(update(Leaflet), found, execution_options={"synchronize_session": None})
    assert await versions(database) == [2, 2]


def test_whoever_says_it_by_an_attribute_of_another_name_is_left_alone() -> None:
    class Plain(DeclarativeBase): ...

    class Edition(Plain):
        __tablename__ = "versioned_editions"
        id: Mapped[int] = mapped_column(primary_key=True)
        number: Mapped[int] = mapped_column("row_version")
        __mapper_args__ = {"version_id_col": number}  # noqa: RUF012 (as SQLAlchemy has it)

    said = update(Edition).values(number=7)
    assert counted(said, inspect(Edition)) is said
    assert "row_version + " in str(counted(update(Edition), inspect(Edition)))
