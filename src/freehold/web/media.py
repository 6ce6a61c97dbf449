"""The operations on files that a declaration of `Media` gives: sending them in, and looking at them.

List, single reads, changes and deletion are those of a resource. Here is what is no JSON: the form that brings a file,
its content, and signed addresses for who cannot send a header.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import RedirectResponse, Response

from freehold.errors import FieldError, Invalid, Problem
from freehold.jobs import Principals
from freehold.media.addresses import AddressRefused, Signed, use
from freehold.media.declaration import Media
from freehold.media.intake import Intake, judge
from freehold.media.library import Library
from freehold.resource import clock
from freehold.resource.access import anyone
from freehold.resource.principal import Principal, system
from freehold.web import body as bodies
from freehold.web.admission import enter
from freehold.web.edge_options import Roomy
from freehold.web.execution import request_key
from freehold.web.media_content import choose, send
from freehold.web.media_desk import ID_IN_PATH, Arrival, Desk, allow_any, draft_of, keep, sender
from freehold.web.media_direct import direct_router
from freehold.web.media_forms import boundary_of, read_form
from freehold.web.media_tus import Tus, tus_router
from freehold.web.mounting import Mounted
from freehold.web.rows import load
from freehold.web.runtime import runtime
from freehold.web.unit import allow, gathered

FORM_BYTES = 256 * 1024  # what a form may take beside its file
_SLOW = 900.0  # seconds that an upload may take: a large file over a thin line


class AddressWanted(BaseModel):
    """Which representation the address is for."""

    model_config = ConfigDict(extra="forbid")

    variant: str | None = Field(default=None, description="Of a picture: thumb, card or full")


class SignedAddress(BaseModel):
    """An address that needs no header, and works once; for ranges, as long as its first user goes on."""

    url: str
    expires_at: str


def room_for(media: Media, *, prefix: str = "/v1") -> tuple[Roomy, ...]:
    """What the edge has to know of bodies that are files."""
    most = media.largest_bytes + FORM_BYTES
    return (
        Roomy("POST", f"{prefix}/media", most, _SLOW),
        Roomy("POST", f"{prefix}/uploads", most, _SLOW),
        Roomy("POST", f"{prefix}/uploads", FORM_BYTES, _SLOW, below=True),  # which puts the parts together
        Roomy("PATCH", f"{prefix}/uploads", most, _SLOW, below=True),
        Roomy("HEAD", f"{prefix}/uploads", FORM_BYTES, _SLOW, below=True),  # which may put a whole file together
    )


def media_router(
    library: Library, mounted: Mounted, *, prefix: str = "/v1", principals: Principals | None = None
) -> APIRouter:
    """The operations of a library whose resource is mounted. principals: judges the holder of an address anew."""
    model = library.media.model
    bound = next(each for each in mounted.bounds if each.model is model)
    desk = Desk(library, bound, mounted.reads[model], f"{prefix}/media", principals)
    library.database.registry.grant(desk.grant)
    media = library.media
    router = APIRouter(tags=["media"], redirect_slashes=False)
    form = media.form.model_json_schema(ref_template="#/components/schemas/{model}")
    form["properties"]["file"] = {"type": "string", "contentMediaType": "application/octet-stream"}
    form["required"] = sorted({*form.get("required", ()), "file"})
    content = {"content": {"multipart/form-data": {"schema": form}}, "required": True}
    create, read = media.access.rule("create"), bound.rule("read")
    shown: Any = media.read

    @router.post(
        desk.path, status_code=201, response_model=shown, operation_id="create_medium", summary="Send a file in",
        dependencies=[allow_any(create)], openapi_extra={"requestBody": content},
    )  # fmt: skip
    async def upload(request: Request) -> Response:
        return await _upload(desk, request)

    @router.get(
        f"{desk.path}/{{id}}/content", operation_id="get_medium_content", summary="The file, or a variant of a picture",
        dependencies=[allow_any(read)], response_class=Response,
        openapi_extra={"parameters": [ID_IN_PATH, {"name": "variant", "in": "query", "schema": {"type": "string"}}]},
    )  # fmt: skip
    async def content_of(request: Request) -> Response:
        return await _content(desk, request)

    @router.post(
        f"{desk.path}/{{id}}/address", status_code=201, response_model=SignedAddress,
        operation_id="create_medium_address", summary="An address for this file that works once, without a header",
        dependencies=[allow_any(read)], openapi_extra={"parameters": [ID_IN_PATH]},
    )  # fmt: skip
    async def address(request: Request) -> Response:
        return await _address(desk, request)

    @router.get(
        f"{desk.path}/{{id}}/signed", operation_id="get_medium_signed", summary="The file by a signed address, in one piece or in ranges",
        dependencies=[allow(anyone)], response_class=Response,
        openapi_extra={"parameters": [ID_IN_PATH, {"name": "token", "in": "query", "schema": {"type": "string"}}]},
    )  # fmt: skip
    async def signed(request: Request) -> Response:
        return await _signed(desk, request)

    tus = Tus(desk, f"{prefix}/uploads")
    return gathered([router, tus_router(tus, prefix=prefix), direct_router(tus, prefix=prefix)])


async def _upload(desk: Desk, request: Request) -> Response:
    library, media = desk.library, desk.library.media
    request_key(request.scope)
    boundary = boundary_of(request)
    principal = await enter(request, media.access.rule("create"))
    desk.reads.refuse_parameters(request)

    def limit_of(fields: Mapping[str, str]) -> int:
        purpose = media.purpose(fields.get("purpose", ""))
        return purpose.max_bytes if purpose is not None else media.largest_bytes

    async with (
        library.at_once.one(sender(principal)),
        Intake(library.folder, limit_bytes=media.largest_bytes) as intake,
    ):
        form = await read_form(request, boundary, intake, limit_of=limit_of)
        draft, purpose = draft_of(media, form.fields)
        if not form.has_file:
            raise Invalid(errors=[FieldError("missing", "Field required", pointer="/file")])
        judged = await judge(library, intake, purpose, filename=form.filename, declared=form.declared)
        canonical = orjson.dumps([form.fields, form.filename, intake.digest], option=orjson.OPT_SORT_KEYS)
        arrival = Arrival(intake, judged, draft, purpose, form.filename)
        return await keep(desk, request, principal, arrival, canonical)


async def _content(desk: Desk, request: Request) -> Response:
    principal = await enter(request, desk.bound.rule("read"))
    key = desk.bound.parse_key(request.path_params["id"])
    variant = _only(request, "variant")
    async with runtime(request).database.reading(principal, planned=True) as session:
        row = await load(session, desk.bound, key)
    accept = request.headers.get("accept", "")
    content = await choose(desk.library, row, variant=variant, accept=accept, is_public=principal.is_anonymous)
    return send(desk.library, request, content)


async def _address(desk: Desk, request: Request) -> Response:
    principal = await enter(request, desk.bound.rule("read"))
    raw = await request.body()
    wanted = AddressWanted()
    if raw:
        bodies.read_json(raw, request.headers.get("content-type"))
        wanted = bodies.validate(AddressWanted, raw)
    key = desk.bound.parse_key(request.path_params["id"])
    async with runtime(request).database.reading(principal, planned=True) as session:
        row = await load(session, desk.bound, key)
    content = await choose(desk.library, row, variant=wanted.variant, accept="", is_public=False)
    ends_at = clock.now() + desk.library.media.link_lifetime
    token = desk.library.signer.sign(
        "GET", content.key, content_type=content.content_type, length=content.size_bytes, caller=principal.id, ends_at=ends_at
    )  # fmt: skip
    variant = f"variant={wanted.variant}&" if wanted.variant else ""
    url = f"{desk.path}/{key}/signed?{variant}token={token}"
    found = SignedAddress(
        url=url, expires_at=(ends_at - timedelta(microseconds=ends_at.microsecond)).isoformat().replace("+00:00", "Z")
    )
    return Response(found.model_dump_json(), 201, headers={"Cache-Control": "no-store"}, media_type="application/json")


async def _signed(desk: Desk, request: Request) -> Response:
    """Judged anew as the one for whom the address was made; used up before the first byte, but for ranges with its pass."""
    database = runtime(request).database
    wanted, token = request.query_params.get("variant"), request.query_params.get("token", "")
    async with database.reading(system("a signed address names a file")) as session:
        row = await session.get(desk.library.media.model, desk.bound.parse_key(request.path_params["id"]))
    if row is None:
        raise AddressRefused
    try:
        content = await choose(desk.library, row, variant=wanted, accept="", is_public=False)
    except Problem:
        raise AddressRefused from None
    signed = desk.library.signer.read(token, method=request.method, key=content.key)
    if (signed.content_type, signed.length) != (content.content_type, content.size_bytes):
        raise AddressRefused
    holder = await _holder(desk, signed.caller)
    async with database.reading(holder, planned=True) as session:
        try:
            await load(session, desk.bound, row.id)
        except Problem:
            raise AddressRefused from None

    goes_on = "range" in request.headers and desk.library.signer.may_go_on(
        signed, request.cookies.get(signed.cookie, "")
    )
    if not goes_on:
        await database.run(system("a signed address is used"), lambda unit: use(unit.session, signed))
    elsewhere = await desk.library.address_of(content.key)
    response = send(desk.library, request, content) if elsewhere is None else RedirectResponse(elsewhere, 307)
    response.headers["Cache-Control"] = "no-store, private"
    if not goes_on:
        _give_pass(desk, request, response, signed)
    return response


def _give_pass(desk: Desk, request: Request, response: Response, signed: Signed) -> None:
    lifetime = desk.library.media.reading_lifetime
    response.set_cookie(
        signed.cookie,
        desk.library.signer.give_pass(signed, ends_at=clock.now() + lifetime),
        max_age=int(lifetime.total_seconds()),
        path=request.url.path,
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )


async def _holder(desk: Desk, caller: UUID | None) -> Principal:
    if caller is None:
        return Principal()
    if desk.principals is None:
        return Principal(id=caller)
    found = await desk.principals(caller)
    if found is None:
        raise AddressRefused
    return found


def _only(request: Request, name: str) -> str | None:
    values = request.query_params.multi_items()
    unknown = [
        FieldError("query.unknown_parameter", "There is no such parameter.", parameter=each[:100])
        for each, _ in values
        if each != name
    ]
    if unknown or len(values) > 1:
        raise Invalid(errors=unknown or [FieldError("query.repeated_parameter", "Give it once.", parameter=name)])
    return values[0][1] if values else None
