"""The job behind an import over HTTP: it carries a stored file into a resource, as the one who sent it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, cast
from uuid import UUID

from freehold.errors import Invalid, Problem
from freehold.jobs import Job, job, schedule
from freehold.jobs.context import GiveUp, running
from freehold.media.files import Files
from freehold.resource import clock
from freehold.store.database import Database
from freehold.store.session import Session
from freehold.transfer import Stopped, journal
from freehold.transfer.files import target_named
from freehold.transfer.importing import Importer, Work
from freehold.transfer.journal import Entry
from freehold.transfer.options import Options
from freehold.transfer.source import Format, Source
from freehold.web.import_remarks import remarks_address

_KEPT: Final = timedelta(days=2)
_TOLD: Final = 50


class ImportRefused(GiveUp, Invalid):
    """The file as a whole cannot be imported; another try would not mend it."""

    code, title = "import.refused", "The file cannot be imported"


@dataclass(frozen=True, slots=True)
class ImportDesk:
    """What imports over HTTP stand on; a part of the database of an application. folder: for what is being received."""

    files: Files
    folder: Path
    job: Job[Any]
    sweep: Job[Any]


def open_desk(database: Database, files: Files, folder: Path, *, prefix: str) -> ImportDesk:
    """The desk of an application: its job carries files into the resources. prefix: where remarks are read."""

    @job("freehold.import", tracked=True, outside=True, retries=3, timeout=timedelta(hours=2), at_once=1)
    async def bring_in(
        db: Session, *, resource: str, stored: str, kind: str, encoding: str | None, switches: dict[str, bool]
    ) -> Any:
        try:
            async with files.local(stored) as path:
                source = Source(path, cast("Format", kind), encoding)
                told = await _bring_in(database, db, resource, source, switches)
        except FileNotFoundError:
            raise ImportRefused("The file is not there any more: send it again.") from None
        except Problem as problem:
            if problem.status >= 500:
                raise
            await files.delete(stored)
            raise ImportRefused(problem.detail or problem.title) from problem
        await files.delete(stored)
        return told | {"remarks": remarks_address(prefix, UUID(told["import_id"]))}

    @schedule("freehold.imports.files", every=timedelta(hours=1), missed="skip")
    @job("freehold.imports.files", outside=True, system="clear away files that no import took")
    async def sweep(db: Session) -> None:
        async for each in files.list("imports/"):
            if each.modified_at < clock.now() - _KEPT:
                await files.delete(each.key)

    return ImportDesk(files, folder, bring_in, sweep)


async def _bring_in(
    database: Database, db: Session, resource: str, source: Source, switches: Mapping[str, bool]
) -> dict[str, Any]:
    target = target_named(database, resource)
    options = Options.of(
        target.declared, is_dry=switches["dry_run"], stops=switches["stop"], again=switches["again"] or None
    )

    async def step(done: int, total: int, work: Work) -> Entry:
        async with running().writing(done=done, total=total) as session:
            return await work(session)

    try:
        report = await Importer(database, target, source, db.principal, options).run(step=step)
    except Stopped as stopped:
        record = stopped.records[0]
        reasons = "; ".join(f"{each.column}: {each.message}" for each in record.remarks if each.is_refusal)
        raise ImportRefused(f"Stopped at line {record.line}: {reasons}"[:500]) from None
    told = [asdict(each) for each in await journal.reasons(db, report.import_id, limit=_TOLD)]
    refused: list[dict[str, Any]] = []
    async for line, reasons in journal.refused_lines(db, report.import_id):
        if len(refused) == _TOLD:
            break
        refused.append({"line": line, "reasons": reasons[:500]})
    return {**asdict(report), "import_id": str(report.import_id), "reasons": told, "refused_rows": refused}
