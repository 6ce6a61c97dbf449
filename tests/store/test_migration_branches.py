"""Two branches of the code each made a migration after the same one: it is told, with the way out, and joined."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table, text
from sqlalchemy.ext.asyncio import create_async_engine

from freehold.errors import ConfigurationError
from freehold.resource.base import NAMING
from freehold.store import migrate
from freehold.store.migrate import Migrations

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

Histories = Callable[..., Migrations]


@pytest.fixture
def history(tmp_path: Path, database_url: str) -> Histories:
    """The history of a service with some columns, on a database of the test's or on another."""

    def of(*columns: str, url: str = database_url) -> Migrations:
        metadata = MetaData(naming_convention=NAMING)
        Table("houses", metadata, Column("id", Integer, primary_key=True), *(Column(name, String) for name in columns))
        return Migrations(tmp_path / "migrations", url, [metadata])

    return of


def silent(_: str) -> None: ...


async def made(migrations: Migrations, message: str) -> Path:
    path = await migrate.make(migrations, message, say=silent)
    assert path is not None
    return path


@pytest.fixture
async def branches(history: Histories, tmp_path: Path) -> tuple[Path, Path]:
    """The files of two migrations that were made side by side and then brought into one folder."""
    scratch = f"sqlite+aiosqlite:///{tmp_path}/scratch.db"
    await made(history(url=scratch), "first")
    city = await made(history("city", url=scratch), "city")
    kept = city.read_text()
    city.unlink()
    floor = await made(history("floor", url=scratch), "floor")
    city.write_text(kept)
    return city, floor


def revision(path: Path) -> str:
    return path.stem.rpartition("_")[2]


async def columns(migrations: Migrations) -> set[str]:
    engine = create_async_engine(migrations.url)
    async with engine.connect() as connection:
        found = await connection.execute(text("SELECT * FROM houses"))
    await engine.dispose()
    return set(found.keys())


@pytest.mark.long
async def test_F09_two_ends_are_told_with_their_files_and_the_way_out(
    history: Histories, branches: tuple[Path, Path]
) -> None:
    both = history("city", "floor")
    [said] = await migrate.check(both)
    assert all(path.name in said for path in branches)
    assert "freehold migrate merge" in said
    for refused in (migrate.up(both, say=silent), migrate.make(both, "more", say=silent)):
        with pytest.raises(ConfigurationError, match="freehold migrate merge"):
            await refused


@pytest.mark.parametrize(
    "had", [None, pytest.param(0, marks=pytest.mark.long), pytest.param(1, marks=pytest.mark.long)]
)
async def test_F09_merged_they_come_to_every_database_whichever_it_had(
    history: Histories, branches: tuple[Path, Path], had: int | None
) -> None:
    both = history("city", "floor")
    if had is not None:
        await migrate.up(both, revision(branches[had]), say=silent)
        assert len(await columns(both)) == 2
    assert migrate.merge(both, "city and floor", say=silent) is not None
    await migrate.up(both, say=silent)
    assert await columns(both) == {"id", "city", "floor"}
    assert await migrate.check(both) == []
    assert migrate.merge(both, "again", say=silent) is None
    await migrate.down(both, "base", say=silent)
    await migrate.up(both, say=silent)
    assert await migrate.check(both) == []


async def test_F09_the_other_way_out_is_to_let_one_follow_the_other(
    history: Histories, branches: tuple[Path, Path]
) -> None:
    both = history("city", "floor")
    [said] = await migrate.check(both)
    first, last = sorted(branches, key=revision)
    assert "`down_revision`" in said
    assert revision(first) in said.split("`down_revision`")[1]
    line = f'down_revision = "{revision(first)}"'
    lines = last.read_text().splitlines()
    last.write_text("\n".join(line if each.startswith("down_revision") else each for each in lines) + "\n")
    shutil.rmtree(last.parent / "__pycache__")  # Python keeps what it compiled of a file of this size and second
    await migrate.up(both, say=silent)
    assert await migrate.check(both) == []


@pytest.mark.long
async def test_a_database_of_another_branch_is_told(history: Histories, branches: tuple[Path, Path]) -> None:
    city, floor = branches
    await migrate.up(history("city"), revision(city), say=silent)
    city.unlink()
    [said] = await migrate.check(history("floor"))
    assert revision(city) in said
    assert "this history does not have" in said
    assert floor.exists()
