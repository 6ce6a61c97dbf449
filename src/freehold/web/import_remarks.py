"""All that was said of the rows of an import: `GET /v1/imports/{id}/remarks`, in the order of the file."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import Request
from pydantic import BaseModel
from pydantic_core import to_json
from starlette.responses import Response

from freehold.errors import NotFound
from freehold.query.cursor import START, Cursors, Position
from freehold.query.fields import Kind
from freehold.query.links import page_links
from freehold.resource.access import signed_in
from freehold.transfer import journal
from freehold.web.addresses import address_asked
from freehold.web.openapi_parameters import page_parameters
from freehold.web.paging import MAX_PAGE_SIZE, PAGE_SIZE, page_question
from freehold.web.path_keys import key_in_path
from freehold.web.unit import Caller, Db, Router, allow


class Remark(BaseModel):
    """One remark on one row. line: where the row begins, from 1. column: empty for the whole row."""

    line: int
    column: str
    message: str
    is_refusal: bool


class Remarks(BaseModel):
    """A page of them."""

    items: list[Remark]
    next_cursor: str | None


def remarks_address(prefix: str, import_id: UUID) -> str:
    """Where the remarks of an import are read."""
    return f"{prefix}/imports/{import_id}/remarks"


def remarks_router(cursors: Cursors, *, prefix: str) -> Router:
    """For whoever sent the file; for all others there is no such import."""
    router = Router(prefix=f"{prefix}/imports", tags=["imports"])

    @router.get(
        "/{import_id}/remarks", response_model=Remarks, operation_id="list_import_remarks",
        summary="What was said of the rows of an import", dependencies=[allow(signed_in)],
        openapi_extra={"parameters": [*page_parameters(PAGE_SIZE, MAX_PAGE_SIZE)]},
    )  # fmt: skip
    async def remarks(request: Request, import_id: str, db: Db, caller: Caller) -> Response:
        key = key_in_path(import_id)
        limit, cursor = page_question(request)
        if caller.id is None or await journal.sender_of(db, key) != caller.id:
            raise NotFound
        bound: dict[str, Any] = {"resource": f"imports/{key}/remarks", "principal": caller, "digest": ""}
        place = START if cursor is None else cursors.open(cursor, kinds=[Kind.INTEGER, Kind.INTEGER], **bound)
        line, number = place.values or (0, -1)
        found = await journal.remarks(db, key, after=(line, number), limit=limit + 1)
        shown, more = found[:limit], len(found) > limit
        following = cursors.seal(Position("after", (shown[-1].line, shown[-1].number)), **bound) if more else None
        items = [Remark.model_validate(each, from_attributes=True) for each in shown]
        links = page_links(
            address_asked(request.scope),
            request.query_params.multi_items(),
            next_cursor=following,
        )
        body = to_json(Remarks(items=items, next_cursor=following))
        return Response(body, headers={"Link": links}, media_type="application/json")

    return router
