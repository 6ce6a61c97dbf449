"""`receive`: a path operation that takes webhooks of others, once each."""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request
from starlette.responses import Response

from freehold.errors import TooLarge
from freehold.resource.access import anyone
from freehold.resource.principal import system
from freehold.store.unit import Unit
from freehold.web.execution import Writing, execute
from freehold.web.unit import Router, UnitRouteMixin, allow
from freehold.webhooks.receiving import Handle, Received, take
from freehold.webhooks.senders import Sender

_BODY = {"requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}}


class _ReceivingRoute(UnitRouteMixin):
    """Opens its unit itself, for what has turned out to be genuine."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler: Callable[[Request], Coroutine[Any, Any, Response]] = self.endpoint
        return handler


def receive(path: str, *, sender: Sender, handle: Handle, max_bytes: int = 256 * 1024) -> Router:
    """Take what a sender posts to `path`; give the router as `Freehold(..., routers=[…])`, or include it.

    sender: checks the raw bytes before anything is opened: 400 for what it refuses. handle: `(db, message)`, in one
    transaction, as the system, with the note that the message was taken: the same id again is answered 204 and does
    nothing. What it raises is answered as of any operation, and the sender will try again. max_bytes: past it 413, at
    most the body limit of the edge. No quota is counted: a sender that is refused would come back with more.
    """
    router = Router(tags=["webhooks"], route_class=_ReceivingRoute)
    reason = f"a webhook at {path}"

    @router.post(
        path, status_code=204, operation_id="receive_" + re.sub(r"\W+", "_", path).strip("_"),
        summary=f"Take a webhook at {path}", dependencies=[allow(anyone)], openapi_extra=_BODY,
    )  # fmt: skip
    async def received(request: Request) -> Response:
        body = await request.body()
        if len(body) > max_bytes:
            raise TooLarge(f"A webhook may have {max_bytes:,} bytes.")
        headers = {name.lower(): value for name, value in request.headers.items()}
        message = Received(sender.check(headers, body), body, headers)

        async def work(unit: Unit) -> Response:
            await take(unit.session, path, message, handle)
            return Response(status_code=204)

        return await execute(request, system(reason), body, Writing(work))

    return router
