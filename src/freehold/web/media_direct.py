"""Files that go from the client to the object store without passing through the service: their parts, and their completion."""

from __future__ import annotations

from typing import Any

import orjson
from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from freehold.media import direct
from freehold.media.uploads import OffsetConflict
from freehold.resource.principal import system
from freehold.store.unit import Unit
from freehold.web.media_desk import ID_IN_PATH, allow_any
from freehold.web.media_tus import Tus
from freehold.web.runtime import runtime


class UploadPart(BaseModel):
    """A part of the file."""

    start: int = Field(description="where it begins in the file, in bytes")
    length: int = Field(description="how many bytes belong to it")
    url: str = Field(description="where to send them, by PUT, without further headers")


class UploadParts(BaseModel):
    """Where the parts of a file go."""

    parts: list[UploadPart]
    expires_at: str


def direct_router(tus: Tus, *, prefix: str) -> APIRouter:
    """The operations below `/uploads/{id}` that send a file to the store itself."""
    router = APIRouter(prefix=f"{prefix}/uploads/{{id}}", tags=["media", "uploads"], redirect_slashes=False)
    common: dict[str, Any] = {
        "methods": ["POST"],
        "dependencies": [allow_any(tus.desk.library.media.access.rule("create"))],
        "openapi_extra": {"parameters": [{**ID_IN_PATH, "description": "of an upload"}]},
    }
    operations = _Direct(tus)
    router.add_api_route(
        "/parts", operations.parts, operation_id="create_upload_parts", status_code=201, response_model=UploadParts,
        summary="Addresses in the object store for the parts of an upload", **common,
    )  # fmt: skip
    router.add_api_route(
        "/completion", operations.complete, operation_id="complete_upload", response_class=Response,
        summary="All parts are in the object store: make them a file", **common,
    )  # fmt: skip
    return router


class _Direct:
    def __init__(self, tus: Tus) -> None:
        self._tus = tus
        self._files = tus.desk.library.files

    async def parts(self, request: Request) -> Response:
        upload = await self._tus.find(request, await self._tus.caller(request))
        if upload.state != "open":
            raise OffsetConflict("This upload has ended: look at it.")
        found, ends_at = await direct.parts(self._files, upload)

        async def work(unit: Unit) -> None:
            await direct.claim(unit.session, upload)

        await runtime(request).database.run(system("an upload goes to the store"), work)
        body = {"parts": found, "expires_at": ends_at.replace(microsecond=0)}
        content = orjson.dumps(body, option=orjson.OPT_UTC_Z)
        return Response(content, 201, headers={"Cache-Control": "no-store"}, media_type="application/json")

    async def complete(self, request: Request) -> Response:
        principal = await self._tus.caller(request)
        upload = await self._tus.find(request, principal)
        headers = {}
        if upload.state == "open":
            if not direct.is_direct(upload):
                raise OffsetConflict("Its parts were not asked for: go on with PATCH.")
            await direct.require_complete(self._files, upload)
            headers = await self._tus.finish(request, principal, upload)
        answer = await self._tus.show(request)
        answer.headers.update(headers)
        return answer
