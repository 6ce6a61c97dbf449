"""How far an import has come: written in the commit of the rows, so that it goes on where it was killed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, func, insert, select, update

from freehold.errors import Conflict
from freehold.resource import clock
from freehold.resource.base import new_id
from freehold.resource.record import Record
from freehold.store.session import Session
from freehold.transfer.tables import IMPORT_REMARKS, IMPORTS

_PAGE = 1_000


class ImportInProgress(Conflict):
    """The same import is carried out by another process right now."""

    code, title = "import.in_progress", "This import is in progress already"


@dataclass(frozen=True, slots=True)
class Counts:
    """Records by what became of them. passed_over: the cleaning function gave nothing. noted: those with a remark."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: int = 0
    passed_over: int = 0
    noted: int = 0

    def plus(self, outcomes: Iterable[str], records: Iterable[Record]) -> Counts:
        """With the records of one chunk."""
        found = asdict(self)
        for outcome in outcomes:
            found[outcome] += 1
        found["noted"] += sum(any(not each.is_refusal for each in record.remarks) for record in records)
        return Counts(**found)


@dataclass(frozen=True, slots=True)
class Entry:
    """One import. records: of the file, that have been dealt with."""

    id: UUID
    resource: str
    is_dry: bool
    is_done: bool
    records: int
    counts: Counts


@dataclass(frozen=True, slots=True)
class Said:
    """One remark on one record. number: among those of the record. column: empty for the whole record."""

    line: int
    number: int
    column: str
    message: str
    is_refusal: bool


@dataclass(frozen=True, slots=True)
class Reason:
    """A remark and how many records it is made of. first_line: one of them."""

    column: str
    message: str
    is_refusal: bool
    count: int
    first_line: int


async def newest(db: Session, fingerprint: str) -> Entry | None:
    """The last import of the same file in the same way. Nobody else begins one until this unit ends."""
    if db.get_bind().dialect.name == "postgresql":  # on SQLite this unit is the only one that writes
        await db.execute(
            select(func.pg_advisory_xact_lock(int.from_bytes(bytes.fromhex(fingerprint)[:8], signed=True)))
        )
    statement = select(IMPORTS).where(IMPORTS.c.fingerprint == fingerprint).order_by(IMPORTS.c.id.desc()).limit(1)
    row = (await db.execute(statement)).one_or_none()
    return None if row is None else _entry(row)


async def find(db: Session, import_id: UUID) -> Entry:
    """One import. Raises NoResultFound."""
    return _entry((await db.execute(select(IMPORTS).where(IMPORTS.c.id == import_id))).one())


async def sender_of(db: Session, import_id: UUID) -> UUID | None:
    """Who began an import; None for the system, and where there is none."""
    found: UUID | None = await db.scalar(select(IMPORTS.c.principal_id).where(IMPORTS.c.id == import_id))
    return found


async def begin(db: Session, resource: str, fingerprint: str, *, is_dry: bool) -> Entry:
    """Write down that an import begins."""
    entry = Entry(new_id(), resource, is_dry, is_done=False, records=0, counts=Counts())
    values = {"id": entry.id, "resource": resource, "is_dry": is_dry, "counts": asdict(entry.counts)}
    await db.execute(insert(IMPORTS).values(fingerprint=fingerprint, principal_id=db.principal.id, **values))
    return entry


async def advance(
    db: Session, entry: Entry, records: Sequence[Record], counts: Counts, *, is_done: bool = False
) -> Entry:
    """Write down that `records` have been dealt with. Raises ImportInProgress where somebody else has done that."""
    after = replace(entry, records=entry.records + len(records), counts=counts, is_done=is_done)
    moved = (
        update(IMPORTS)
        .where(IMPORTS.c.id == entry.id, IMPORTS.c.records == entry.records, IMPORTS.c.is_done.is_(False))
        .values(records=after.records, counts=asdict(counts), is_done=is_done, updated_at=clock.now())
    )
    if (await db.execute(moved.returning(IMPORTS.c.id))).first() is None:
        raise ImportInProgress
    said = [
        {"import_id": entry.id, "line": record.line, "number": number}
        | {"column": each.column, "message": each.message, "is_refusal": each.is_refusal}
        for record in records
        for number, each in enumerate(record.remarks)
    ]
    if said:
        await db.execute(insert(IMPORT_REMARKS), said)
    return after


async def reasons(db: Session, import_id: UUID, *, limit: int = 100) -> list[Reason]:
    """The remarks by what they say: refusals first, then the most frequent."""
    told = (IMPORT_REMARKS.c.column, IMPORT_REMARKS.c.message, IMPORT_REMARKS.c.is_refusal)
    count, first = func.count(), func.min(IMPORT_REMARKS.c.line)
    statement = (
        select(*told, count, first)
        .where(IMPORT_REMARKS.c.import_id == import_id)
        .group_by(*told)
        .order_by(IMPORT_REMARKS.c.is_refusal.desc(), count.desc(), first)
        .limit(limit)
    )
    return [Reason(*row) for row in (await db.execute(statement)).all()]


async def remarks(db: Session, import_id: UUID, *, after: tuple[int, int] = (0, -1), limit: int = _PAGE) -> list[Said]:
    """Remarks in the order of the file, those past a line and number."""
    table, (line, number) = IMPORT_REMARKS.c, after
    past = (table.line > line) | ((table.line == line) & (table.number > number))
    told = select(table.line, table.number, table.column, table.message, table.is_refusal)
    statement = told.where(table.import_id == import_id, past)
    rows = (await db.execute(statement.order_by(table.line, table.number).limit(limit))).all()
    return [Said(*row) for row in rows]


async def refused_lines(db: Session, import_id: UUID) -> AsyncIterator[tuple[int, str]]:
    """The line of every refused record with all its reasons, in the order of the file."""
    table, line = IMPORT_REMARKS.c, 0
    while True:
        lines = select(table.line).where(table.import_id == import_id, table.is_refusal, table.line > line).distinct()
        page = (await db.scalars(lines.order_by(table.line).limit(_PAGE))).all()
        if not page:
            return
        found = select(table.line, table.column, table.message).where(
            table.import_id == import_id, table.is_refusal, table.line.in_(page)
        )
        said: dict[int, list[str]] = {}
        for row in (await db.execute(found.order_by(table.line, table.number))).all():
            said.setdefault(row.line, []).append(f"{row.column}: {row.message}" if row.column else row.message)
        for line in page:
            yield line, "; ".join(said[line])


async def sweep(db: Session, *, older_than: timedelta) -> None:
    """Delete the imports that nothing has been added to for so long, with what was said of their rows."""
    old = select(IMPORTS.c.id).where(IMPORTS.c.updated_at < clock.now() - older_than)
    await db.execute(delete(IMPORT_REMARKS).where(IMPORT_REMARKS.c.import_id.in_(old)))
    await db.execute(delete(IMPORTS).where(IMPORTS.c.updated_at < clock.now() - older_than))


def _entry(row: Row[Any]) -> Entry:
    known = {each.name for each in fields(Counts)}
    counts = Counts(**{name: value for name, value in row.counts.items() if name in known})
    return Entry(row.id, row.resource, row.is_dry, row.is_done, row.records, counts)
