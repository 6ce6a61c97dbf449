"""The hourly sweep: objects without a row, rows without an object, uploads that were given up. Never a live one.

A file's object is there before its row is committed, seconds later at most. So what has stood alone for an hour
belongs to a process that died in between.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from freehold.jobs import Job, job, schedule
from freehold.media import addresses
from freehold.media.files import delete_below
from freehold.media.library import Library
from freehold.media.local_files import LocalFiles
from freehold.media.variants import folder, original_key
from freehold.observe.logs import get_logger
from freehold.resource import clock
from freehold.resource.principal import system
from freehold.store.session import Session

_log = get_logger("freehold.media")

AGE = timedelta(hours=1)
_BATCH = 500
_REASON = "the sweep of files"
# More rows than this without their object were not left by a crash: the store is the wrong one, or not there.
_SUSPICIOUS = 20


def sweep_job(of: Callable[[], Library]) -> Job[Any]:
    """Clear away what crashes have left."""

    @schedule("freehold.media.sweep", every=timedelta(hours=1), missed="skip")
    @job("freehold.media.sweep", outside=True, timeout=timedelta(minutes=30), at_once=1, system=_REASON)
    async def sweep(db: Session) -> None:
        await run(of())

    return sweep


async def run(library: Library) -> None:
    """One sweep."""
    before = clock.now() - AGE
    kept = await _objects(library, before)
    await _rows(library, kept, before)
    async with library.database.writing(system(_REASON)) as unit:
        await addresses.forget_ended(unit.session)
        ended = await library.uploads.end_expired(unit.session)
    await library.uploads.clear(ended)
    await _pieces(library, before)
    await asyncio.to_thread(_received, library, before)
    if isinstance(library.files, LocalFiles):
        await library.files.sweep_drafts(before=before)


async def _objects(library: Library, before: datetime) -> set[UUID]:
    """Remove the folders of files that have no row. The ids of those whose original is there."""
    originals: set[UUID] = set()
    newest: dict[UUID, datetime] = {}
    async for each in library.files.list("media/"):
        medium_id = _named(each.key)
        if medium_id is None:
            continue
        newest[medium_id] = max(newest.get(medium_id, each.modified_at), each.modified_at)
        if each.key == original_key(medium_id):
            originals.add(medium_id)
    old = [medium_id for medium_id, modified in newest.items() if modified < before]
    for batch in _batches(old):
        for orphan in set(batch) - await _known(library, batch):
            await delete_below(library.files, folder(orphan))
    return originals


async def _known(library: Library, ids: list[UUID]) -> set[UUID]:
    model = library.media.model
    async with library.database.reading(system(_REASON)) as session:
        return set(await session.scalars(select(model.id).where(model.id.in_(ids))))


async def _rows(library: Library, kept: set[UUID], before: datetime) -> None:
    model = library.media.model
    asked = select(model.id, model.status, model.deleted_at, model.is_held).where(model.created_at < before)
    async with library.database.reading(system(_REASON)) as session:
        rows = (await session.execute(asked)).all()
    lost = [
        row.id
        for row in rows
        if row.deleted_at is None
        and row.id not in kept
        and row.status != "failed"
        and await library.files.stat(original_key(row.id)) is None
    ]
    if len(lost) > max(_SUSPICIOUS, len(rows) // 10):
        _log.error("media_files_missing", count=len(lost), remedy="is FREEHOLD_FILES_URL the store of this database?")
        lost = []
    async with library.database.writing(system(_REASON)) as unit:
        for medium_id in lost:
            row = await unit.session.get(model, medium_id)
            if row is not None and row.deleted_at is None:
                row.deleted_at = clock.now()
                await library.erase.enqueue(unit.session, medium_id=medium_id, key=str(medium_id))
        for row in rows:
            if row.deleted_at is not None and row.deleted_at < before and not row.is_held:
                await library.erase.enqueue(unit.session, medium_id=row.id, key=str(row.id))
            elif row.status == "processing" and row.id in kept:
                await library.render.enqueue(unit.session, medium_id=row.id, key=str(row.id))


async def _pieces(library: Library, before: datetime) -> None:
    """Remove pieces of uploads that no row names: a process died between writing and noting them."""
    async for each in library.files.list("uploads/"):
        upload_id = _named(each.key)
        if upload_id is not None and each.modified_at < before:
            async with library.database.reading(system(_REASON)) as session:
                is_needed = await library.uploads.names(session, upload_id, each.key)
            if not is_needed:
                await library.files.delete(each.key)


def _received(library: Library, before: datetime) -> None:
    for path in library.folder.glob("*") if library.folder.is_dir() else ():
        with suppress(FileNotFoundError):
            if path.stat().st_mtime >= before.timestamp():
                continue
            if path.is_dir():  # in which a worker that was killed made variants
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink()


def _named(key: str) -> UUID | None:
    """The file or upload that an object belongs to; None for one that somebody else has put there."""
    try:
        return UUID(key.split("/")[1])
    except ValueError:
        return None


def _batches(ids: list[UUID]) -> Iterable[list[UUID]]:
    return (ids[at : at + _BATCH] for at in range(0, len(ids), _BATCH))
