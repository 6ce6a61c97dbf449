"""The jobs of one file: making its variants, and taking it out of the store."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError

from freehold.jobs import Job, job
from freehold.media.files import delete_below
from freehold.media.gallery import gallery_of, take_turn, tell_cover
from freehold.media.library import Library
from freehold.media.variants import OUTPUTS, SIZES, folder, original_key, variant_key
from freehold.media.workshop import PictureRefused
from freehold.resource.principal import system
from freehold.store.session import Session

_LOST = "The file was lost: send it again."


def render_job(of: Callable[[], Library]) -> Job[Any]:
    """Make the variants of a picture. One at a time in a process, so that requests keep their share of it."""

    @job(
        "freehold.media.render",
        outside=True,
        timeout=timedelta(minutes=3),
        at_once=1,
        system="make the variants of a picture",
    )
    async def render(db: Session, *, medium_id: UUID) -> None:
        library = of()
        row = await db.get(library.media.model, medium_id)
        if row is None or row.deleted_at is not None or row.status != "processing":
            return
        made, failure = await _rendered(library, row)
        await _conclude(library, medium_id, made, failure)

    return render


async def _rendered(library: Library, row: Any) -> tuple[Mapping[str, list[int]] | None, str | None]:
    library.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        async with library.files.local(original_key(row.id)) as path:
            with tempfile.TemporaryDirectory(dir=library.folder) as out:
                made = await library.workshop.render(
                    path, Path(out), content_type=row.content_type, max_pixels=library.media.max_pixels
                )
                for size in SIZES:  # and not what the worker says: it has read a stranger's file
                    for output in OUTPUTS:
                        await library.files.adopt(variant_key(row.id, size, output), Path(out) / f"{size}.{output}")
    except PictureRefused as refused:
        return None, str(refused)
    except FileNotFoundError:
        return None, _LOST
    return made, None


async def _conclude(
    library: Library, medium_id: UUID, made: Mapping[str, list[int]] | None, failure: str | None
) -> None:
    media = library.media
    async with library.database.writing(system("conclude the variants of a picture")) as unit:
        await take_turn(unit.session, medium_id)
        row = await unit.session.get(media.model, medium_id, with_for_update=True)
        if row is not None and row.deleted_at is None:
            row.status, row.failure = ("ready", None) if failure is None else ("failed", failure)
            row.renditions = dict(made) if made is not None else None
            await unit.session.flush()
            await tell_cover(unit.session, media, gallery_of(media, row))
            return
    if row is None:  # erased meanwhile: what was made just now belongs to nobody
        await delete_below(library.files, folder(medium_id))


def erase_job(of: Callable[[], Library]) -> Job[Any]:
    """Take a deleted file out of the store, then its row away. Run again after a crash, it finds less to do."""

    @job("freehold.media.erase", outside=True, retries=20, system="erase what was deleted")
    async def erase(db: Session, *, medium_id: UUID) -> None:
        library = of()
        model = library.media.model
        row = await db.get(model, medium_id)
        if row is not None and (row.deleted_at is None or row.is_held):
            return
        await delete_below(library.files, folder(medium_id))
        try:
            async with library.database.writing(system("erase what was deleted")) as unit:
                gone = delete(model).where(
                    model.id == medium_id, model.deleted_at.is_not(None), model.is_held.is_(False)
                )
                await unit.session.execute(gone)
        except IntegrityError:
            return  # another row points to it: it stays, hidden, without its file

    return erase
