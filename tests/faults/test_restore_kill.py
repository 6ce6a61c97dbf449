"""F13: a restore is killed at any moment; the same command, begun again, puts back everything."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import func, select
from tests.backup.test_backup import WHO, elsewhere, running, silent, write
from tests.faults.served import ROOT
from tests.media.gallery_app import ADA, GalleryAlbum, GalleryUser, build

from freehold.backup import Archive, back_up, restore

__all__ = ["elsewhere"]
pytestmark = [pytest.mark.anyio, pytest.mark.faults, pytest.mark.timeout(300)]
ALBUMS, KILLS = 36, 6
RUN = """
import asyncio, sys
from pathlib import Path
from freehold.backup import Archive, restore
from tests.media.gallery_app import build
archive, url, folder = sys.argv[1:]
app = build(url, Path(folder))
print("begins", flush=True)
asyncio.run(restore(Archive(Path(archive)), url=url, files=app.library.files, folder=Path(folder), replace=True,
                    told=lambda *_: None))
"""


def begin(archive: Path, url: str, folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", RUN, str(archive), url, str(folder)],
        cwd=ROOT,
        env={"PYTHONPATH": f"{ROOT}:{ROOT / 'scripts'}", "PATH": os.environ["PATH"]},
        stdout=subprocess.PIPE,
        text=True,
    )


async def put_back(archive: Path, url: str, folder: Path, *, killed_after: float | None) -> bool:
    """Whether it came to its end."""
    process = begin(archive, url, folder)
    assert process.stdout is not None
    assert await asyncio.to_thread(process.stdout.readline) == "begins\n"
    try:
        await asyncio.to_thread(process.communicate, timeout=killed_after)
    except subprocess.TimeoutExpired:
        process.kill()
        await asyncio.to_thread(process.communicate)
        return False
    assert process.returncode == 0
    return True


async def test_F13_a_restore_that_is_killed_is_begun_again_and_puts_back_everything(
    database_url: str, elsewhere: str, tmp_path: Path, figures: Callable[..., None]
) -> None:
    async with running(database_url, tmp_path / "var") as app:
        async with app.database.writing(WHO) as unit:
            ada = GalleryUser(id=ADA, full_name="Ada")
            ada.set_email("ada@example.com")
            unit.session.add(ada)
        for number in range(ALBUMS):
            await write(app, number)
        archive = tmp_path / "gallery.tar"
        await back_up(
            archive, service="Gallery", url=database_url, files=app.library.files, library=app.library, told=silent
        )
    folder, chance = tmp_path / "elsewhere", random.Random(5)
    cut = 0
    for _ in range(KILLS):
        cut += not await put_back(archive, elsewhere, folder, killed_after=chance.uniform(0.02, 0.6))
    assert await put_back(archive, elsewhere, folder, killed_after=None)
    figures(cut=cut, of=KILLS)
    assert cut > 0
    async with running(elsewhere, folder) as again:
        async with again.database.reading(WHO) as session:
            assert await session.scalar(select(func.count()).select_from(GalleryAlbum)) == ALBUMS
        stored = [each.key async for each in again.library.files.list("")]
        assert len(stored) == len(set(stored)) >= ALBUMS
    fresh = build(elsewhere, folder)
    known = {"url": elsewhere, "files": fresh.library.files, "folder": tmp_path, "told": silent}
    assert (await restore(Archive(archive), **known, replace=True)).faults == []
