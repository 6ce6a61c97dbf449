"""Which media should have a file, for a comparison with the files that are there."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select

from freehold.media import Library
from freehold.resource.principal import system


async def alive(library: Library) -> set[UUID]:
    """The media that are not deleted. The database must be open."""
    model: Any = library.media.model
    asked = select(model.id).where(model.deleted_at.is_(None), model.status != "failed")
    async with library.database.snapshot(system("compare files with their rows")) as session:
        return set(await session.scalars(asked))
