"""A file of rows over HTTP: `POST /v1/books/import`, received aside, kept, and imported by a job that its sender follows.

The file is the body (`text/csv` or `application/jsonl`); it is never whole in memory. Progress, cancellation and, at the end,
what became of the rows are the job's: 202 with its address.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final
from uuid import uuid4

import orjson
from starlette.requests import Request
from starlette.responses import Response

from freehold.errors import FieldError, Invalid, Unauthenticated, UnsupportedMediaType
from freehold.media.files import Files
from freehold.media.intake import Intake
from freehold.query.cursor import Cursors
from freehold.settings import Settings
from freehold.store.database import Database
from freehold.store.unit import Unit
from freehold.transfer.source import Format
from freehold.web.admission import Endpoint, enter
from freehold.web.bound import Bound
from freehold.web.edge_options import Roomy
from freehold.web.execution import Writing, execute, request_key
from freehold.web.guard import require
from freehold.web.import_job import ImportDesk, open_desk
from freehold.web.import_remarks import remarks_router
from freehold.web.jobs import accepted
from freehold.web.runtime import runtime
from freehold.web.unit import Router

if TYPE_CHECKING:
    from freehold.web.mounting import Mounted

MEDIA_TYPES: Final[Mapping[str, Format]] = {
    "text/csv": "csv", "application/jsonl": "jsonl", "application/x-ndjson": "jsonl",
}  # fmt: skip
SWITCHES: Final = {
    "dry_run": "Say what would become of each row, and write none.",
    "stop": "End at the first row that is refused.",
    "again": "Import a file without a key once more.",
}
SLOW_SECONDS: Final = 900.0
_GZIP: Final = b"\x1f\x8b"


def importing_endpoint(bound: Bound, *, prefix: str) -> Endpoint:
    """POST of a file: 202, and the job. prefix: where jobs are followed."""
    declared = bound.resource.imported_by

    async def endpoint(request: Request) -> Response:
        request_key(request.scope)
        kind, encoding = _kind(request)
        principal = await enter(request, declared.access)
        require(bound.rule("create"), principal)
        if principal.id is None:
            raise Unauthenticated("An import belongs to somebody, who follows it.")
        switches = _switches(request)
        desk: ImportDesk = runtime(request).database.parts[ImportDesk]
        async with Intake(desk.folder, limit_bytes=declared.max_bytes) as intake:
            async for piece in request.stream():
                await intake.write(piece)
            await intake.close()
            if intake.head.startswith(_GZIP):
                raise UnsupportedMediaType("Send the file unpacked.", headers={"Accept": ", ".join(MEDIA_TYPES)})
            stored = f"imports/{uuid4().hex}"
            await desk.files.adopt(stored, intake.path)
        is_taken = False

        async def work(unit: Unit) -> Response:
            nonlocal is_taken
            job_id = await desk.job.enqueue(
                unit.session,
                resource=bound.resource.name,
                stored=stored,
                kind=kind,
                encoding=encoding,
                switches=switches,
            )
            is_taken = True
            return await accepted(unit.session, job_id, path=f"{prefix}/jobs")

        try:
            return await execute(request, principal, orjson.dumps([intake.digest, kind, encoding]), Writing(work))
        finally:
            if not is_taken:  # a retry that was answered from the record; the sweep takes what a crash leaves
                await desk.files.delete(stored)

    return endpoint


def has_imports(mounted: Mounted) -> bool:
    """Whether any resource takes files."""
    return any(each.kind == "import" for each in mounted.operations)


def open_imports(database: Database, files: Files, settings: Settings, *, prefix: str) -> Router:
    """Put up the desk that takes files; the path operations that tell what became of them. prefix: above these."""
    folder = settings.var_dir / "files" / "incoming"
    database.parts[ImportDesk] = open_desk(database, files, folder, prefix=prefix)
    return remarks_router(Cursors(settings.secret_value.encode()), prefix=prefix)


def room_for_imports(mounted: Mounted) -> tuple[Roomy, ...]:
    """What the edge has to know of bodies that are files."""
    return tuple(
        Roomy("POST", each.path, each.bound.resource.imported_by.max_bytes, SLOW_SECONDS)
        for each in mounted.operations
        if each.kind == "import"
    )


def _kind(request: Request) -> tuple[Format, str | None]:
    """The format and the encoding that Content-Type tells. Raises UnsupportedMediaType."""
    media, *parameters = request.headers.get("content-type", "").lower().split(";")
    if media.strip() not in MEDIA_TYPES:
        said = " or ".join(MEDIA_TYPES)
        raise UnsupportedMediaType(f"Send the file as {said}.", headers={"Accept": ", ".join(MEDIA_TYPES)})
    charsets = [each.strip().removeprefix("charset=").strip('"') for each in parameters if "charset=" in each]
    try:
        "x".encode(charsets[0] if charsets else "utf-8")
    except (LookupError, ValueError):
        raise UnsupportedMediaType("There is no such charset: utf-8, iso-8859-1, windows-1252 are some.") from None
    return MEDIA_TYPES[media.strip()], charsets[0] if charsets and charsets[0] not in ("utf-8", "utf8") else None


def _switches(request: Request) -> dict[str, bool]:
    faults = [
        FieldError("query.unknown_parameter", "There is no such parameter.", parameter=name[:100])
        if name not in SWITCHES
        else FieldError("query.invalid_value", "true or false, once.", parameter=name)
        for name, value in request.query_params.multi_items()
        if name not in SWITCHES or value not in ("true", "false") or len(request.query_params.getlist(name)) > 1
    ]
    if faults:
        raise Invalid(errors=faults)
    return {name: request.query_params.get(name) == "true" for name in SWITCHES}
