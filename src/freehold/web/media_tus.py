"""Uploads that go on where they broke off: tus 1.0 (creation, creation-with-upload, termination, expiration, checksum).

What arrived is durable piece by piece, so that a killed process or a broken line costs the last few megabytes at most.
With the last byte the file is judged and kept exactly as one that came in a form.
"""

from __future__ import annotations

import hashlib
from typing import Any

import orjson
from fastapi import APIRouter, Request
from sqlalchemy import Row
from starlette.responses import Response

from freehold.errors import BadRequest, Problem, UnsupportedMediaType
from freehold.media.intake import Intake, judge, too_large
from freehold.media.schemas import MediaForm
from freehold.media.uploads import OffsetConflict, TooManyPieces
from freehold.resource.access import anyone
from freehold.resource.principal import Principal, system
from freehold.store.unit import Unit
from freehold.web.admission import enter
from freehold.web.media_desk import ID_IN_PATH, Arrival, Desk, allow_any, draft_of, keep, sender
from freehold.web.media_tus_wire import (
    CHECKSUMS,
    CHUNK_TYPE,
    TUS,
    VERSION,
    compare,
    metadata_in,
    number_in,
    pieces_of,
    require_version,
    shown_in,
    state_headers,
)
from freehold.web.rows import check_links
from freehold.web.runtime import runtime
from freehold.web.unit import allow


def tus_router(operations: Tus, *, prefix: str) -> APIRouter:
    """The operations at `/uploads`."""
    desk = operations.desk
    router = APIRouter(prefix=f"{prefix}/uploads", tags=["media", "uploads"], redirect_slashes=False)
    create = allow_any(desk.library.media.access.rule("create"))
    common: dict[str, Any] = {"response_class": Response, "dependencies": [create]}
    router.add_api_route(
        "", operations.describe, methods=["OPTIONS"], operation_id="describe_uploads", status_code=204,
        summary="What this server knows of tus", response_class=Response, dependencies=[allow(anyone)],
    )  # fmt: skip
    router.add_api_route(
        "", operations.create, methods=["POST"], operation_id="create_upload", status_code=201,
        summary="Begin an upload (tus)", **common,
    )  # fmt: skip
    for method, endpoint, name, summary, status in (
        ("HEAD", operations.head, "head_upload", "Where an upload stands (tus)", None),
        ("GET", operations.show, "get_upload", "An upload, and the file it became", None),
        ("PATCH", operations.append, "append_upload", "Go on with an upload (tus)", 204),
        ("DELETE", operations.terminate, "delete_upload", "Give an upload up (tus)", 204),
    ):
        router.add_api_route(
            "/{id}", endpoint, methods=[method], operation_id=name, status_code=status, summary=summary,
            openapi_extra={"parameters": [{**ID_IN_PATH, "description": "of an upload"}]}, **common,
        )  # fmt: skip
    return router


class Tus:
    """Uploads as tus 1.0 has them. path: of the collection."""

    def __init__(self, desk: Desk, path: str) -> None:
        self.desk = desk
        self._library = desk.library
        self._uploads = desk.library.uploads
        self._path = path

    async def describe(self, request: Request) -> Response:
        headers = {
            **TUS,
            "Allow": "OPTIONS, POST",
            "Tus-Version": VERSION,
            "Tus-Extension": "creation,creation-with-upload,termination,expiration,checksum",
            "Tus-Max-Size": str(self._library.media.largest_bytes),
            "Tus-Checksum-Algorithm": ",".join(CHECKSUMS),
        }
        return Response(status_code=204, headers=headers)

    async def create(self, request: Request) -> Response:
        require_version(request)
        size = number_in(request, "upload-length")
        metadata = metadata_in(request.headers.get("upload-metadata", ""))
        has_body = request.headers.get("content-type", "") == CHUNK_TYPE
        principal = await self.caller(request)
        form = {name: value for name, value in metadata.items() if name not in ("filename", "filetype", "name", "type")}
        draft, purpose = draft_of(self._library.media, form)
        if size > purpose.max_bytes:
            raise too_large(purpose.max_bytes)
        await self._refuse_early(request, principal, draft)
        owner_id = sender(principal)

        async def work(unit: Unit) -> Row[Any]:
            return await self._uploads.begin(
                unit.session, owner_id, size_bytes=size, form=form,
                filename=shown_in(metadata, "filename", "name"), declared=shown_in(metadata, "filetype", "type"),
            )  # fmt: skip

        upload = await runtime(request).database.run(system("begin an upload"), work)
        headers = {"Location": f"{self._path}/{upload.id}"}
        if has_body or not size:
            upload, more = await self._receive(request, principal, upload)
            headers |= more
        return Response(status_code=201, headers={**headers, **state_headers(upload)})

    async def head(self, request: Request) -> Response:
        require_version(request)
        principal = await self.caller(request)
        upload = await self.find(request, principal)
        headers = {**state_headers(upload), "Upload-Length": str(upload.size_bytes), "Cache-Control": "no-store"}
        if upload.state == "open" and upload.offset_bytes == upload.size_bytes:
            # All of it had come when a process died: a client sends nothing more, so that here it becomes a file.
            headers |= await self.finish(request, principal, upload)
        return Response(status_code=200, headers=headers)

    async def show(self, request: Request) -> Response:
        upload = await self.find(request, await self.caller(request))
        found = {
            "id": str(upload.id), "offset": upload.offset_bytes, "size_bytes": upload.size_bytes, "status": upload.state,
            "medium_id": str(upload.medium_id) if upload.state == "done" else None, "failure": upload.failure,
            "expires_at": upload.expires_at,
        }  # fmt: skip
        body = orjson.dumps(found, option=orjson.OPT_UTC_Z)
        return Response(body, headers={"Cache-Control": "no-store"}, media_type="application/json")

    async def append(self, request: Request) -> Response:
        require_version(request)
        if request.headers.get("content-type", "") != CHUNK_TYPE:
            raise UnsupportedMediaType(f"Send {CHUNK_TYPE}.", headers={"Accept": CHUNK_TYPE})
        offset = number_in(request, "upload-offset")
        principal = await self.caller(request)
        upload = await self.find(request, principal)
        if upload.state != "open" or offset != upload.offset_bytes:
            raise OffsetConflict(
                f"The upload stands at {upload.offset_bytes}.", headers={"Upload-Offset": str(upload.offset_bytes)}
            )
        upload, headers = await self._receive(request, principal, upload)
        return Response(status_code=204, headers={**headers, **state_headers(upload)})

    async def terminate(self, request: Request) -> Response:
        require_version(request)
        upload = await self.find(request, await self.caller(request))

        async def work(unit: Unit) -> None:
            await self._uploads.drop(unit.session, upload.id)

        await runtime(request).database.run(system("give an upload up"), work)
        await self._uploads.clear(upload.pieces)
        return Response(status_code=204, headers=TUS)

    async def caller(self, request: Request) -> Principal:
        """Who asks, where they may send files in."""
        return await enter(request, self._library.media.access.rule("create"))

    async def find(self, request: Request, principal: Principal) -> Row[Any]:
        """The caller's upload. Raises NotFound."""
        upload_id = self.desk.bound.parse_key(request.path_params["id"])
        async with runtime(request).database.reading(system("an owner's upload")) as session:
            return await self._uploads.find(session, upload_id, principal.id)

    async def _refuse_early(self, request: Request, principal: Principal, draft: MediaForm) -> None:
        """What would be refused once all of it had been sent. It is judged again then."""
        async with runtime(request).database.reading(principal, grant=self.desk.grant) as session:
            await check_links(session, self.desk.bound, draft)
            if self._library.media.attach is not None:
                await self._library.media.attach(session, principal, draft)

    async def _receive(
        self, request: Request, principal: Principal, upload: Row[Any]
    ) -> tuple[Row[Any], dict[str, str]]:
        """Take the body of a request, and the file itself once it is whole."""
        async with self._library.at_once.one(sender(principal)):
            checksum = request.headers.get("upload-checksum")
            if checksum is None:
                upload = await self._take(request, upload)
            else:
                upload = await self._take_checked(request, upload, checksum)
            if upload.offset_bytes < upload.size_bytes:
                return upload, {}
            return upload, await self.finish(request, principal, upload)

    async def _take(self, request: Request, upload: Row[Any]) -> Row[Any]:
        """Piece by piece, each noted as soon as it is durable; of a broken line, what came of the last one too."""
        async for piece in pieces_of(request, upload.size_bytes - upload.offset_bytes):
            upload = await self._note(request, upload, [await self._uploads.put_piece(upload, piece)], len(piece))
        return upload

    async def _take_checked(self, request: Request, upload: Row[Any], checksum: str) -> Row[Any]:
        """All of the chunk or nothing: none of it counts before its checksum holds."""
        name, _, wanted = checksum.partition(" ")
        if name not in CHECKSUMS:
            raise BadRequest(f"Upload-Checksum takes {' and '.join(CHECKSUMS)}.")
        digest, keys, size = hashlib.new(name, usedforsecurity=False), [], 0
        try:
            async for piece in pieces_of(request, upload.size_bytes - upload.offset_bytes):
                digest.update(piece)
                size += len(piece)
                keys.append(await self._uploads.put_piece(upload, piece))
            compare(digest.digest(), wanted)
        except BaseException:
            await self._uploads.clear(keys)
            raise
        return await self._note(request, upload, keys, size) if keys else upload

    async def _note(self, request: Request, upload: Row[Any], keys: list[str], size: int) -> Row[Any]:
        async def work(unit: Unit) -> Row[Any]:
            return await self._uploads.note(unit.session, upload, keys, size)

        try:
            return await runtime(request).database.run(system("note a piece of an upload"), work)
        except OffsetConflict:
            await self._uploads.clear(keys)
            raise
        except TooManyPieces as refused:
            await self._uploads.clear(keys)
            await self._refuse(request, upload, refused)
            raise

    async def finish(self, request: Request, principal: Principal, upload: Row[Any]) -> dict[str, str]:
        """Make what has come a file, judged as any other; where it is. Raises OffsetConflict where not all of it is there."""
        library = self._library
        try:
            async with Intake(library.folder, limit_bytes=library.media.largest_bytes) as intake:
                async for chunk in self._uploads.content(upload):
                    await intake.write(chunk)
                await intake.close()
                _require_whole(intake, upload)
                draft, purpose = draft_of(library.media, upload.form)
                judged = await judge(library, intake, purpose, filename=upload.filename, declared=upload.declared_type)
                arrival = Arrival(intake, judged, draft, purpose, upload.filename, upload.id)
                made = await keep(self.desk, request, principal, arrival, intake.digest.encode())
        except FileNotFoundError:
            raise OffsetConflict(
                "Parts of this upload are not there, or another request has ended it: look at it."
            ) from None
        except OffsetConflict:
            raise
        except Problem as refused:
            if refused.status < 500 and not refused.problem_code.startswith("idempotency."):
                await self._refuse(request, upload, refused)
            raise
        await self._uploads.clear(upload.pieces)
        return {"Content-Location": made.headers["location"]}

    async def _refuse(self, request: Request, upload: Row[Any], refused: Problem) -> None:
        failure = {"status": refused.status, "code": refused.problem_code, "detail": refused.detail}

        async def work(unit: Unit) -> None:
            await self._uploads.refuse(unit.session, upload.id, failure)

        await runtime(request).database.run(system("an upload is refused"), work)
        await self._uploads.clear(upload.pieces)


def _require_whole(intake: Intake, upload: Row[Any]) -> None:
    if intake.size_bytes != upload.size_bytes:
        raise OffsetConflict("Not all of this upload is there.")
