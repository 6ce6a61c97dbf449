"""F09: a migration of full tables is killed half way and run again, taken back, and begun by two at once."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from tests.faults.served import ROOT
from tests.store.test_migrate import HOUSE, STAY, history, kept, sql

from freehold.store import migrate

pytestmark = [pytest.mark.anyio, pytest.mark.faults, pytest.mark.timeout(180)]
ROWS = 2_000
RUN = """
import asyncio, sys
from pathlib import Path
from freehold.store import migrate
from tests.store.test_migrate import history
asyncio.run(migrate.up(history(Path(sys.argv[1]), sys.argv[2], version=2)))
"""
# At the end of an upgrade: everything is done and nothing committed.
HOLD = """
    import os, pathlib, time
    if "HELD" in os.environ:
        pathlib.Path(os.environ["HELD"]).touch()
        time.sleep(600)

"""


def begin(folder: Path, url: str, **more: str) -> subprocess.Popen[str]:
    environment = {"PYTHONPATH": f"{ROOT}:{ROOT / 'scripts'}", "PATH": "/usr/bin:/bin", **more}
    return subprocess.Popen(
        [sys.executable, "-c", RUN, str(folder), url],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


async def ended(process: subprocess.Popen[str]) -> str:
    output, _ = await asyncio.to_thread(process.communicate, timeout=60)
    assert process.returncode == 0, output
    return output


async def full(url: str, folder: Path) -> None:
    """The first version, with rows in it, and the migration to the second one, which can be held at its end."""
    await migrate.make(history(folder, url), "first", say=list)
    await migrate.up(history(folder, url), say=list)
    there = "0190000000007000800000000000000a"
    rows = []
    for number in range(ROWS):
        house = f"{number:032x}"
        rows += [HOUSE.replace(there, house), STAY.format(number, 1, 2).replace(there, house)]
    await sql(url, *rows)
    path = await migrate.make(history(folder, url, version=2), "second", say=list)
    assert path is not None
    source = path.read_text()
    head, down, tail = source.partition("\n\ndef downgrade")
    path.write_text(head.rstrip() + "\n" + HOLD + down + tail)


async def count(url: str) -> int:
    return int((await sql(url, "SELECT count(*) FROM stays"))[0][0])


async def columns(url: str) -> set[str]:
    return set((await sql(url, "SELECT * FROM stays LIMIT 1"))[0]._mapping)


async def test_F09_killed_half_way_it_leaves_what_was_and_runs_again(database_url: str, tmp_path: Path) -> None:
    folder = tmp_path / "migrations"
    await full(database_url, folder)
    before = await migrate.current(history(folder, database_url))
    for _ in range(3):
        held = tmp_path / "held"
        process = begin(folder, database_url, HELD=str(held))
        async with asyncio.timeout(60):
            while not await asyncio.to_thread(held.exists):
                assert process.poll() is None, process.communicate()[0]
                await asyncio.sleep(0.02)
        process.kill()
        await asyncio.to_thread(process.communicate)
        await asyncio.to_thread(held.unlink)
        assert await migrate.current(history(folder, database_url)) == before
        assert (await count(database_url), "guests" in await columns(database_url)) == (ROWS, False)
    await ended(begin(folder, database_url))
    assert (await count(database_url), "guests" in await columns(database_url)) == (ROWS, True)
    assert await migrate.check(history(folder, database_url, version=2)) == []


async def test_F09_the_last_migration_is_taken_back_from_full_tables_and_applied_again(
    database_url: str, tmp_path: Path
) -> None:
    folder = tmp_path / "migrations"
    await full(database_url, folder)
    second = history(folder, database_url, version=2)
    for _ in range(2):
        await migrate.up(second, say=list)
        assert (await count(database_url), "guests" in await columns(database_url)) == (ROWS, True)
        await migrate.down(second, say=list)
        assert (await count(database_url), "guests" in await columns(database_url)) == (ROWS, False)
    assert await kept(database_url, history(folder, database_url)) == []


async def test_F09_of_two_processes_at_once_one_migrates(database_url: str, tmp_path: Path) -> None:
    folder = tmp_path / "migrations"
    await full(database_url, folder)
    outputs = await asyncio.gather(*(ended(begin(folder, database_url)) for _ in range(2)))
    assert sum("second" in output for output in outputs) == 1, outputs
    assert (await count(database_url), "guests" in await columns(database_url)) == (ROWS, True)
