"""Histories on both databases from one script: made, applied, taken back, checked; rules come along."""

from __future__ import annotations

import asyncio
from datetime import date, datetime
from uuid import UUID

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import CheckConstraint, Column, ForeignKey, Integer, MetaData, String, Table, TypeDecorator, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from freehold.errors import ConfigurationError
from freehold.resource.base import NAMING, UTCDateTime
from freehold.resource.columns import folded, search_document
from freehold.resource.invariants import at_most, never_below, no_overlap, unique_while
from freehold.store import migrate
from freehold.store.invariant_schema import missing
from freehold.store.invariants import Registry, register
from freehold.store.migrate import Migrations

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


def models(*, version=1):
    """The models of a service as they stand in three versions of it."""

    class Model(DeclarativeBase):
        metadata = MetaData(naming_convention=NAMING)
        type_annotation_map = {datetime: UTCDateTime()}  # noqa: RUF012

    class House(Model):
        __tablename__ = "houses"
        id: Mapped[UUID] = mapped_column(primary_key=True)
        title: Mapped[str] = mapped_column(String(120), index=True)
        rooms: Mapped[int | None]
        listed_at: Mapped[datetime]
        if version > 1:
            city: Mapped[str] = mapped_column(String(80), server_default="")
            __table_args__ = (CheckConstraint("rooms < 100", name="few_rooms"),)

    class Stay(Model):
        __tablename__ = "stays"
        id: Mapped[int] = mapped_column(primary_key=True)
        house_id: Mapped[UUID] = mapped_column(ForeignKey("houses.id", ondelete="CASCADE"))
        status: Mapped[str]
        check_in: Mapped[date]
        check_out: Mapped[date]
        price: Mapped[int]
        if version > 1:
            guests: Mapped[int | None]

    holding = ("pending", "confirmed") if version == 1 else ("pending", "confirmed", "held")
    during = ("check_in", "check_out")
    register(Stay.__table__, [no_overlap("house_id", during=during, when=Stay.status.in_(holding), name="dates")])
    register(Stay.__table__, [never_below("price")])
    if version < 3:
        register(
            Stay.__table__, [unique_while("house_id", "status", when=Stay.price > 5, nulls_equal=True, name="one")]
        )
    if version > 1:
        register(Stay.__table__, [at_most("rooms", per="house_id", name="full")])
    return Model.metadata


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "migrations"


def history(folder, url, *, version=1):
    return Migrations(folder, url, [models(version=version)])


async def sql(url, *statements):
    engine = create_async_engine(url)
    rows = []
    try:
        async with engine.begin() as connection:
            if url.startswith("sqlite"):
                await connection.exec_driver_sql("PRAGMA foreign_keys=ON")
            for statement in statements:
                result = await connection.execute(text(statement))
                rows = result.all() if result.returns_rows else []
    finally:
        await engine.dispose()
    return rows


HOUSE = (
    "INSERT INTO houses (id, title, rooms, listed_at) VALUES ('0190000000007000800000000000000a', 'A', 5, '2027-01-01')"
)
STAY = (
    "INSERT INTO stays (id, house_id, status, check_in, check_out, price) VALUES "
    "({}, '0190000000007000800000000000000a', 'pending', '2027-01-0{}', '2027-01-0{}', 1)"
)


async def kept(url, migrations):
    """The rules that the database does not keep, whatever its history says."""
    engine = create_async_engine(url)
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(missing, Registry(*migrations.metadata))
    finally:
        await engine.dispose()


async def broken_rule(url, statement):
    try:
        await sql(url, statement)
    except DBAPIError as error:
        cause = getattr(error.orig, "__cause__", None)
        return getattr(cause, "constraint_name", None) or str(error.orig).removeprefix("fh:")
    return None


async def test_a_history_is_made_applied_checked_and_taken_back(database_url, folder):
    first = history(folder, database_url)
    said = []
    path = await migrate.make(first, "first", say=said.append)
    assert said == [f"written {path}"]
    assert "UTCDateTime()" in path.read_text()
    assert await migrate.check(first) != []
    await migrate.up(first, say=said.append)
    assert "first" in said[-1]
    assert await migrate.check(first) == []
    assert await migrate.make(first, "nothing", say=said.append) is None

    await sql(database_url, HOUSE, STAY.format(1, 1, 3))
    assert await broken_rule(database_url, STAY.format(2, 2, 4)) == "fh_dates"

    await migrate.down(first, "base", say=said.append)
    assert await migrate.current(first) is None
    left = (
        "SELECT name FROM sqlite_master WHERE name IN ('houses', 'stays') OR name LIKE 'fh%'"
        if database_url.startswith("sqlite")
        else "SELECT proname FROM pg_proc WHERE proname LIKE 'fh%'"
    )
    assert await sql(database_url, left) == []


async def test_changed_tables_and_rules_get_a_migration_that_keeps_rows_and_other_rules(database_url, folder):
    first, second = history(folder, database_url), history(folder, database_url, version=2)
    await migrate.make(first, "first", say=list)
    await migrate.up(first, say=list)
    await sql(database_url, HOUSE, STAY.format(1, 1, 3))
    pending = await migrate.check(second)
    for part in ("houses.city", "stays.guests", "few_rooms", "fh_full", "fh_dates"):
        assert any(part in fault for fault in pending), (part, pending)
    assert not any("fh_one" in fault or "never_below" in fault for fault in pending)

    path = await migrate.make(second, "second", say=list)
    assert (
        path.read_text().count("op.attach(") == 3
    )  # the two that are new or changed, and the old one for the way back
    await migrate.up(second, say=list)
    assert await migrate.check(second) == []
    assert await sql(database_url, "SELECT count(*) FROM stays") == [(1,)]
    assert await broken_rule(database_url, STAY.format(2, 2, 4)) == "fh_dates"
    assert await broken_rule(database_url, "UPDATE stays SET price = -1") == "fh_stays_never_below_price"
    assert await broken_rule(database_url, "UPDATE houses SET rooms = 0") == "fh_full"

    await migrate.down(second, say=list)
    assert await kept(database_url, first) == []
    assert await sql(database_url, "SELECT count(*) FROM stays") == [(1,)]
    await migrate.up(second, say=list)
    assert await migrate.check(second) == []


async def test_a_rule_that_is_no_longer_declared_is_taken_down(database_url, folder):
    second, third = history(folder, database_url, version=2), history(folder, database_url, version=3)
    await migrate.make(second, "second", say=list)
    await migrate.up(second, say=list)
    path = await migrate.make(third, "third", say=list)
    assert path.read_text().count('"fh_one"') == 2
    await migrate.up(third, say=list)
    assert await migrate.check(third) == []
    await migrate.down(third, say=list)
    assert await kept(database_url, second) == []


async def test_a_wall_torn_down_by_hand_is_named(database_url, folder):
    first = history(folder, database_url)
    await migrate.make(first, "first", say=list)
    await migrate.up(first, say=list)
    on = "" if database_url.startswith("sqlite") else " ON stays"
    name = "fh_dates_insert" if database_url.startswith("sqlite") else "fh_dates_guard"
    await sql(database_url, f"DROP TRIGGER {name}{on}")
    faults = await migrate.check(first)
    assert len(faults) == 1
    assert f"trigger {name} is missing" in faults[0]


async def test_a_migration_that_fails_changes_nothing(database_url, folder):
    first = history(folder, database_url)
    path = await migrate.make(first, "first", say=list)
    text_ = path.read_text()
    path.write_text(text_.replace("def downgrade", "    raise RuntimeError('no')\n\n\ndef downgrade", 1))
    with pytest.raises(RuntimeError):
        await migrate.up(first, say=list)
    assert await migrate.current(first) is None
    path.write_text(text_)
    await migrate.up(first, say=list)
    assert await migrate.check(first) == []


async def test_of_many_starters_one_migrates(database_url, folder):
    first = history(folder, database_url)
    await migrate.make(first, "first", say=list)
    said = []
    await asyncio.gather(*(migrate.up(first, say=said.append) for _ in range(4)))
    assert sum("first" in line for line in said) == 1
    assert await migrate.check(first) == []


async def test_rows_without_their_parent_stop_a_migration(tmp_path, folder):
    url = f"sqlite+aiosqlite:///{tmp_path}/test.db"
    first = history(folder, url)
    await migrate.make(first, "first", say=list)
    await migrate.up(first, say=list)
    await sql(url, HOUSE, STAY.format(1, 1, 3))
    second = history(folder, url, version=2)
    path = await migrate.make(second, "second", say=list)
    path.write_text(
        path.read_text().replace(
            "def upgrade() -> None:", "def upgrade() -> None:\n    op.execute('DELETE FROM houses')"
        )
    )
    with pytest.raises(ConfigurationError, match="without their parent in: stays"):
        await migrate.up(second, say=list)
    assert await sql(url, "SELECT count(*) FROM houses") == [(1,)]


async def test_a_folder_without_migrations_says_how_to_begin(tmp_path, folder):
    with pytest.raises(ConfigurationError, match="freehold migrate make"):
        await migrate.up(history(folder, f"sqlite+aiosqlite:///{tmp_path}/test.db"), say=list)


def searched(*, version):
    class Model(DeclarativeBase):
        metadata = MetaData(naming_convention=NAMING)

    class House(Model):
        __tablename__ = "houses"
        id: Mapped[UUID] = mapped_column(primary_key=True)
        title: Mapped[str] = mapped_column(String(120 if version < 3 else 200))
        title_key: Mapped[str] = folded("title", index=True)
        if version > 1:
            search: Mapped[str] = search_document("title")

    return Model.metadata


async def test_a_full_text_index_comes_with_the_history_and_survives_a_copied_table(database_url, folder):
    for version in (1, 2, 3):
        history_ = Migrations(folder, database_url, [searched(version=version)])
        path = await migrate.make(history_, f"version {version}", say=list)
        if version == 2:  # rows that are there need a value for the new column
            path.write_text(path.read_text().replace("nullable=False", "nullable=False, server_default=''"))
            assert "ix_houses_search_terms" in path.read_text()
        await migrate.up(history_, say=list)
    if database_url.startswith("sqlite"):
        triggers = await sql(
            database_url, "SELECT name FROM sqlite_master WHERE tbl_name = 'houses' AND type = 'trigger' ORDER BY name"
        )
        assert triggers == [("houses_fts_delete",), ("houses_fts_insert",), ("houses_fts_update",)]
    await migrate.down(history_, "base", say=list)


@pytest.mark.long
async def test_the_same_script_runs_on_both_databases(tmp_path, folder, postgres_url):
    lite = f"sqlite+aiosqlite:///{tmp_path}/test.db"
    for version in (1, 2, 3):
        await migrate.make(history(folder, lite, version=version), f"version {version}", say=list)
    for url in (lite, postgres_url):
        third = history(folder, url, version=3)
        await migrate.up(third, say=list)
        assert await migrate.check(third) == []
        await migrate.down(third, "base", say=list)


async def test_alembic_alone_says_who_runs_it(tmp_path, folder):
    url = f"sqlite+aiosqlite:///{tmp_path}/test.db"
    await migrate.make(history(folder, url), "first", say=list)
    config = Config()
    config.set_main_option("script_location", str(folder))
    config.set_main_option("path_separator", "os")
    with pytest.raises(ConfigurationError, match="freehold migrate"):
        command.upgrade(config, "head")


class Folded(TypeDecorator):
    """A type of a service."""

    impl = String
    cache_ok = True


async def test_a_type_of_the_service_is_imported_by_its_migration(tmp_path, folder):
    metadata = MetaData(naming_convention=NAMING)
    Table("words", metadata, Column("id", Integer, primary_key=True), Column("word", Folded(20)))
    migrations = Migrations(folder, f"sqlite+aiosqlite:///{tmp_path}/test.db", [metadata])
    path = await migrate.make(migrations, "first", say=list)
    assert f"import {Folded.__module__}" in path.read_text()
    assert f"{Folded.__module__}.Folded(length=20)" in path.read_text()
