"""A list as a file: `GET /v1/books/export?format=csv|jsonl`, streamed page by page out of one moment of the database.

What a page would show is what the file holds, and nothing else: the same plan, rule and rules of fields. Memory holds one
page. A client that goes away, or reads nothing for as long as an open transaction may stand idle, loses the rest.
"""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any, Final

import orjson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from freehold.errors import FieldError, Invalid, Unavailable
from freehold.query.parse import parse
from freehold.query.request import ListQuery
from freehold.query.spec import ListSpec
from freehold.resource.access import Rule
from freehold.resource.principal import Principal
from freehold.store.database import Database
from freehold.transfer.cells import cell
from freehold.web.admission import Endpoint, enter
from freehold.web.guard import require
from freehold.web.openapi_parameters import list_parameters
from freehold.web.reads import Reads
from freehold.web.runtime import runtime

MEDIA_TYPES: Final = {"csv": "text/csv; charset=utf-8", "jsonl": "application/jsonl"}
EXPORTED: Final[Mapping[str, Any]] = {
    "text/csv": {"schema": {"type": "string"}},
    "application/jsonl": {"schema": {"type": "string", "description": "One resource a line"}},
}
AT_ONCE: Final = 3
"""Exports that one process makes at a time: each holds a connection to the database."""
_PAGE: Final = 500
_PAGED: Final = frozenset({"limit", "cursor", "count", "facets", "expand", "near", "within_km"})


def export_parameters(spec: ListSpec) -> list[dict[str, Any]]:
    """Those of the list that choose rows and their order, and the format."""
    schema = {"type": "string", "enum": list(MEDIA_TYPES), "default": "csv"}
    wanted = {"name": "format", "in": "query", "required": False, "schema": schema}
    return [wanted, *(each for each in list_parameters(spec) if each["name"] not in _PAGED)]


class Exports:
    """The exports of one resource. access: who may have them, beside the read rule."""

    def __init__(self, reads: Reads, access: Rule) -> None:
        self._reads = reads
        self._access = access
        self._running = 0

    def endpoint(self) -> Endpoint:
        """GET: the file, as an attachment."""

        async def endpoint(request: Request) -> Response:
            principal = await enter(request, self._access)
            require(self._reads.bound.rule("read"), principal)
            wanted, query = asked(self._reads, request.query_params.multi_items(), principal)
            if self._running >= AT_ONCE:
                raise Unavailable("Other exports of this list are being made.", retry_after=10)
            pieces = self._counted(export(self._reads, runtime(request).database, principal, query, wanted))
            first = await anext(pieces)  # what is wrong comes to light before the status is sent
            name = f"{self._reads.bound.resource.name}.{wanted}"
            headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-store"}
            return _File(first, pieces, media_type=MEDIA_TYPES[wanted], headers=headers)

        return endpoint

    async def _counted(self, pieces: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
        self._running += 1
        try:
            async with aclosing(pieces):
                async for piece in pieces:
                    yield piece
        finally:
            self._running -= 1


def asked(reads: Reads, params: Sequence[tuple[str, str]], principal: Principal) -> tuple[str, ListQuery]:
    """The format and the rows that are asked for. Raises Invalid."""
    formats = [value for name, value in params if name == "format"] or ["csv"]
    if len(formats) > 1 or formats[0] not in MEDIA_TYPES:
        raise Invalid(errors=[FieldError("query.invalid_value", "csv or jsonl, once.", parameter="format")])
    strange = [name for name, _ in params if name in _PAGED]
    if strange:
        said = "An export is whole: it has no such parameter."
        raise Invalid(errors=[FieldError("query.unknown_parameter", said, parameter=name) for name in strange])
    rest = [(name, value) for name, value in params if name != "format"]
    query = parse(reads.spec, rest, hidden=reads.unaskable(principal))
    if query.deleted:
        raise Invalid(errors=[FieldError("query.unknown_parameter", "Deleted rows stay here.", parameter="deleted")])
    return formats[0], replace(query, limit=_PAGE)


async def export(
    reads: Reads, database: Database, principal: Principal, query: ListQuery, wanted: str
) -> AsyncGenerator[bytes]:
    """The file, piece by piece; the first one, which may be empty, once there is a connection and a first page."""
    write = _csv(_columns(reads, principal)) if wanted == "csv" else _json_lines
    async with database.snapshot(principal) as session:
        is_first = True
        while True:
            items, cursor = await reads.items(session, query)
            yield write(items, is_first=is_first)
            if cursor is None:
                return
            is_first, query = False, replace(query, cursor=cursor)


def _columns(reads: Reads, principal: Principal) -> list[str]:
    """What an item may hold for this caller, as the read schema writes it."""
    read, hidden = reads.bound.read_schema, reads.bound.hidden(principal)
    plain = {name: each.serialization_alias or each.alias or name for name, each in read.model_fields.items()}
    computed = {name: each.alias or name for name, each in read.model_computed_fields.items()}
    return [shown for name, shown in (plain | computed).items() if name not in hidden]


def _json_lines(items: Sequence[bytes], *, is_first: bool) -> bytes:
    return b"".join(item + b"\n" for item in items)


def _csv(columns: Sequence[str]) -> Callable[..., bytes]:
    def write(items: Sequence[bytes], *, is_first: bool) -> bytes:
        text = io.StringIO()
        writer = csv.writer(text)
        if is_first:
            writer.writerow(columns)
        for item in items:
            values = orjson.loads(item)
            writer.writerow([cell(values.get(name)) for name in columns])
        return text.getvalue().encode()

    return write


class _File(StreamingResponse):
    """Pieces that are given back with their connection however the answer ends."""

    def __init__(self, first: bytes, rest: AsyncGenerator[bytes], **known: Any) -> None:
        async def pieces() -> AsyncIterator[bytes]:
            yield first
            async for piece in rest:
                yield piece

        super().__init__(pieces(), **known)
        self._rest = rest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            await asyncio.shield(self._rest.aclose())
