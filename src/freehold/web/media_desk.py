"""What the operations on files share: the draft beside a file, and the commit that keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from fastapi import Depends, Request
from pydantic import ValidationError
from starlette.responses import Response

from freehold.errors import FieldError, Invalid, OutcomeUnknown, Problem
from freehold.jobs import Principals
from freehold.media.declaration import Media, Purpose
from freehold.media.files import delete_below
from freehold.media.intake import Intake, Judged, store
from freehold.media.library import Library
from freehold.media.registration import register
from freehold.media.schemas import MediaForm
from freehold.media.variants import folder
from freehold.resource.access import Rule
from freehold.resource.base import new_id
from freehold.resource.principal import Principal
from freehold.store.protection import Grant
from freehold.store.unit import Unit
from freehold.web.bound import Bound
from freehold.web.execution import Writing, execute
from freehold.web.faults import faults
from freehold.web.reads import Reads
from freehold.web.rows import check_links, still_allowed
from freehold.web.trail import leave_trail
from freehold.web.unit import Allow

# For the document alone: the operations read it from the request themselves, so that a malformed one is 404 and not 422.
ID_IN_PATH: dict[str, Any] = {
    "name": "id",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "format": "uuid"},
}


@dataclass(frozen=True, slots=True)
class Desk:
    """What the operations of one library share."""

    library: Library
    bound: Bound
    reads: Reads
    path: str
    principals: Principals | None = None

    @property
    def grant(self) -> Grant:
        """The rule under which rows are made: no JSON operation does."""
        return Grant(self.bound.table.name, "create", "upload", self.library.media.access.rule("create"))


def allow_any(rule: Rule) -> Any:
    """`allow` for a rule that may speak of rows: the operation judges those itself."""
    return Depends(Allow(rule))


@dataclass(frozen=True, slots=True)
class Arrival:
    """A judged file that waits to be kept. upload_id: the upload that brought it, if one did."""

    intake: Intake
    judged: Judged
    draft: MediaForm
    purpose: Purpose
    filename: str | None
    upload_id: UUID | None = None


async def keep(desk: Desk, request: Request, principal: Principal, arrival: Arrival, canonical: bytes) -> Response:
    """Put a file into the store, then commit its row; where that fails, take it out of the store again.

    canonical: what makes two requests the same.
    """
    library, medium_id = desk.library, new_id()
    owner_id = sender(principal)
    kept: list[UUID] = []
    await store(library, arrival.intake, medium_id, content_type=arrival.judged.format.content_type)

    async def work(unit: Unit) -> Response:
        if arrival.upload_id is not None:
            await library.uploads.done(unit.session, arrival.upload_id, medium_id)
        await check_links(unit.session, desk.bound, arrival.draft)
        if library.media.attach is not None:
            await library.media.attach(unit.session, principal, arrival.draft)
        row = await register(
            unit.session, library, medium_id=medium_id, owner_id=owner_id, form=arrival.draft, purpose=arrival.purpose,
            intake=arrival.intake, judged=arrival.judged, filename=arrival.filename, upload_id=arrival.upload_id,
        )  # fmt: skip
        await leave_trail(unit.session, desk.bound, "created", row)
        kept[:] = [medium_id]
        shown = await desk.reads.show(unit.session, medium_id)
        headers = {"Location": f"{desk.path}/{medium_id}"}
        if shown is None:
            return Response(orjson.dumps({"id": str(medium_id)}), 201, headers=headers, media_type="application/json")
        return Response(shown.body, 201, headers={**headers, "ETag": shown.tag}, media_type="application/json")

    async def rejudge(unit: Unit, key: Any) -> None:
        kept.clear()
        await still_allowed(unit, desk.bound, key)

    writing = Writing(work, grant=desk.grant, rejudge=rejudge, subject=lambda: medium_id)
    try:
        response = await execute(request, principal, canonical, writing)
    except Problem as problem:
        if not isinstance(problem, OutcomeUnknown):
            await delete_below(library.files, folder(medium_id))
        raise
    if not kept:  # the answer of an earlier request with this key
        await delete_below(library.files, folder(medium_id))
    return response


def sender(principal: Principal) -> UUID:
    """Whose a file is that this caller sends in."""
    assert principal.id is not None, "files belong to somebody: Media's access.create must not let nobody in"
    return principal.id


def draft_of(media: Media, fields: Mapping[str, str]) -> tuple[MediaForm, Purpose]:
    """The fields beside the file, checked. Raises Invalid."""
    given = {name: value for name, value in fields.items() if value or name in ("purpose", "alt_text")}
    try:
        draft = media.form.model_validate_strings(given)
    except ValidationError as error:
        raise Invalid(errors=faults(error, given)) from None
    purpose = media.purpose(draft.purpose)
    if purpose is None:
        names = ", ".join(each.name for each in media.purposes)
        raise Invalid(errors=[FieldError("unknown_purpose", f"Input should be one of {names}", pointer="/purpose")])
    return draft, purpose
