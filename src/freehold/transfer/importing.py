"""The import of one file: read, judged and written chunk by chunk, each in one commit with the place in the file.

A chunk is written in one go; where a row of it is refused, row by row, each in a savepoint of its own. Memory holds one
chunk. Reading and judging happen in a thread, so that a server goes on answering meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from typing import Final
from uuid import UUID

from sqlalchemy.exc import DBAPIError

from freehold.errors import FieldError, Invalid, Problem
from freehold.resource.principal import Principal
from freehold.resource.record import Record
from freehold.store.database import Database
from freehold.store.faults import is_retryable
from freehold.store.session import Session
from freehold.transfer import csv_records, journal, json_records
from freehold.transfer.journal import Counts, Entry
from freehold.transfer.mapping import Mapper, Ready, refuse
from freehold.transfer.options import Options
from freehold.transfer.source import Source, lines
from freehold.transfer.target import Target

CHUNK: Final = 200
"""Records of one commit: on SQLite nobody else writes meanwhile."""
REFUSED: Final = "refused"
Work = Callable[[Session], Awaitable[Entry]]
Step = Callable[[int, int, Work], Awaitable[Entry]]
"""Runs `work` in a unit of its own and commits it. The numbers: records done by then, records in all."""
Progress = Callable[[int, int | None], None]


class Stopped(Exception):
    """A row was refused, and the import was to stop there: nothing of its chunk was written."""

    def __init__(self, records: Sequence[Record]) -> None:
        super().__init__("a row was refused")
        self.records = records


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a file. was_done: it was imported whole before, and nothing was done now."""

    import_id: UUID
    resource: str
    records: int
    is_dry: bool
    was_done: bool
    created: int
    updated: int
    unchanged: int
    refused: int
    passed_over: int
    noted: int


def records_of(target: Target, source: Source) -> Iterator[Record]:
    """Every record of the file. Raises Unreadable for a file that is none of its format."""
    source.check()
    with source.text() as text:
        found = lines(text)
        if source.format == "csv":
            yield from csv_records.records(found, delimiter=source.delimiter)
        else:
            yield from json_records.records(found, parse=target.parse)


class Importer:
    """Imports one file as one caller. step: commits a chunk; without one, a unit of the database each."""

    def __init__(
        self, database: Database, target: Target, source: Source, principal: Principal, options: Options
    ) -> None:
        self._database = database
        self._target = target
        self._source = source
        self._principal = principal
        self._options = options
        self._mapper = Mapper(target, options, from_text=source.format == "csv")

    async def run(self, *, step: Step | None = None, progress: Progress | None = None) -> Report:
        """Import what is left of the file. Raises Stopped, Unreadable, and what the resource refuses a caller with."""
        self._target.check(self._principal, self._options.key)
        total, fingerprint = await asyncio.to_thread(self._look)
        entry = await self._entry(fingerprint)
        if entry.is_done:
            return _report(entry, was_done=True)
        records = records_of(self._target, self._source)
        await asyncio.to_thread(lambda: list(islice(records, entry.records)))
        while not entry.is_done:
            chunk, read = await asyncio.to_thread(self._read, records)
            ready = [each for each in read if await self._is_fit(each)]
            entry = await self._take(entry, chunk, ready, step or self._commit, total)
            if progress is not None:
                progress(entry.records, total)
        return _report(entry, was_done=False)

    def _look(self) -> tuple[int, str]:
        """How many records there are, and what tells this import from every other; a file that is none is refused."""
        total = 0
        for record in records_of(self._target, self._source):
            if total == 0:
                self._mapper.check(record)
            total += 1
        caller = str(self._principal.id)
        said = (self._source.digest(), self._source.format, self._source.encoding, self._source.delimiter, caller)
        digest = sha256(self._options.signature() + repr((*said, self._target.name)).encode())
        return total, digest.hexdigest()

    async def _entry(self, fingerprint: str) -> Entry:
        """Where an import of this file stands. One that is done is begun anew, unless that would double its rows."""
        async with self._database.writing(self._principal) as unit:
            found = await journal.newest(unit.session, fingerprint)
            is_spent = found is not None and found.is_done
            if found is None or (is_spent and (self._options.key or self._options.again or self._options.is_dry)):
                return await journal.begin(unit.session, self._target.name, fingerprint, is_dry=self._options.is_dry)
            return found

    async def _is_fit(self, ready: Ready) -> bool:
        try:
            await self._target.look(self._principal, ready.draft)
        except Problem as problem:
            if problem.status >= 500:
                raise
            refuse(ready.record, problem, self._options.columns)
        return not ready.record.is_refused

    def _read(self, records: Iterator[Record]) -> tuple[list[Record], list[Ready]]:
        chunk = list(islice(records, CHUNK))
        return chunk, [ready for record in chunk if (ready := self._mapper.read(record)) is not None]

    async def _take(self, entry: Entry, chunk: list[Record], ready: list[Ready], step: Step, total: int) -> Entry:
        """Write a chunk and the place in the file, in one commit; of a dry run, the place alone."""
        told = [(record, len(record.remarks)) for record in chunk]
        done = entry.records + len(chunk)

        def outcomes(written: list[str]) -> Counts:
            refused = sum(record.is_refused for record in chunk) - written.count(REFUSED)
            passed_over = len(chunk) - len(ready) - refused
            found = [*written, *[REFUSED] * refused, *["passed_over"] * passed_over]
            return entry.counts.plus(found, chunk)

        async def work(db: Session) -> Entry:
            for record, number in told:  # a unit that met a deadlock runs again
                del record.remarks[number:]
            written = await self._tried(db, ready) if self._options.is_dry else await self._write(db, ready)
            if self._options.stops and any(record.is_refused for record in chunk):
                raise Stopped([record for record in chunk if record.is_refused])
            return await journal.advance(db, entry, chunk, outcomes(written), is_done=done >= total)

        return await step(done, total, work)

    async def _commit(self, done: int, total: int, work: Work) -> Entry:
        return await self._database.run(self._principal, lambda unit: work(unit.session))

    async def _tried(self, db: Session, ready: Sequence[Ready]) -> list[str]:
        """What would become of the rows: they are written, and taken back."""
        part = await db.begin_nested()
        try:
            return await self._write(db, ready)
        finally:
            await part.rollback()

    async def _write(self, db: Session, ready: Sequence[Ready]) -> list[str]:
        try:
            async with db.begin_nested():
                return await self._apply(db, ready)
        except (Problem, DBAPIError) as error:
            await self._reason(error)
        written: list[str] = []
        for each in ready:
            try:
                async with db.begin_nested():
                    written += await self._apply(db, [each])
            except (Problem, DBAPIError) as error:
                refuse(each.record, await self._reason(error), self._options.columns)
                written.append(REFUSED)
        return written

    async def _reason(self, error: Exception) -> Problem:
        """What a row is refused with. Raises what is no fault of the row: a lost connection, a deadlock."""
        if isinstance(error, DBAPIError) and is_retryable(error):
            raise error
        problem = await self._target.explain(error, self._principal)
        if problem.status >= 500:
            raise error
        return problem

    async def _apply(self, db: Session, ready: Sequence[Ready]) -> list[str]:
        """Create, update or leave each row. All or nothing: raises at the first that is refused."""
        target, key = self._target, self._options.key
        wanted = [each.key for each in ready if each.key is not None]
        standing = await target.standing(db, key, wanted) if wanted else {}
        written: list[str] = []
        created, updated = [], []
        for each in ready:
            row = standing.get(each.key) if each.key is not None else None
            if row is not None:
                changed = await target.update(db, row, each.draft, each.values)
                updated += [row] if changed else []
                written.append("updated" if changed else "unchanged")
                continue
            if self._mapper.by_primary_key:
                raise Invalid(errors=[FieldError("unknown_reference", "There is no such row", pointer=f"/{key[0]}")])
            row = await target.create(db, each.draft)
            created.append(row)
            written.append("created")
            if each.key is not None:
                standing[each.key] = row
        await db.flush()
        await target.tell(db, "created", created)
        await target.tell(db, "updated", updated)
        return written


def _report(entry: Entry, *, was_done: bool) -> Report:
    counts = entry.counts
    return Report(
        entry.id, entry.resource, entry.records, entry.is_dry, was_done, counts.created, counts.updated,
        counts.unchanged, counts.refused, counts.passed_over, counts.noted,
    )  # fmt: skip
