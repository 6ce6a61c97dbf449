"""What domain functions ask their session for: the application's parts, in reads and in writes, in every scope."""

from __future__ import annotations

from pathlib import Path

import pytest

from freehold.resource.principal import ANONYMOUS, system
from freehold.store import Database

pytestmark = pytest.mark.anyio


class Shelf:
    """A part."""


async def test_are_there_in_reads_and_in_writes(tmp_path: Path) -> None:
    database = Database.open(f"sqlite+aiosqlite:///{tmp_path}/parts.db")
    database.parts[Shelf] = shelf = Shelf()
    await database.start()
    try:
        async with database.writing(system("look")) as unit, unit.session.unscoped("look on") as other:
            assert unit.session.part(Shelf) is other.part(Shelf) is shelf
        async with database.reading(ANONYMOUS) as session, session.unscoped("look on") as other:
            assert session.part(Shelf) is other.part(Shelf) is shelf
            with pytest.raises(LookupError, match="no Path here"):
                session.part(Path)
    finally:
        await database.close()
