"""A request as the viewer of a kept answer makes it: without what the key of the answer does not hold."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from starlette.requests import Request
from starlette.types import Message

from freehold.resource.principal import Principal

_KEPT_STATE: Final = ("request_id", "trace_id", "traceparent", "fh_rule")
# FastAPI closes dependencies with these; the request that asked first may be over before the answer is made.
_STACKS: Final = ("fastapi_middleware_astack", "fastapi_inner_astack", "fastapi_function_astack")


@asynccontextmanager
async def viewed(request: Request, viewer: Principal, headers: Collection[str]) -> AsyncIterator[Request]:
    """The request with the viewer for its caller, these headers alone, no body and no client address."""
    names = {name.lower().encode("latin-1") for name in headers}
    scope = dict(request.scope)
    state = scope.get("state", {})
    scope["state"] = {name: state[name] for name in _KEPT_STATE if name in state} | {"fh_principal": viewer}
    scope["headers"] = [pair for pair in scope["headers"] if pair[0].lower() in names]
    scope["client"] = None
    async with AsyncExitStack() as outer:
        for name in _STACKS:
            scope[name] = await outer.enter_async_context(AsyncExitStack())
        yield Request(scope, _nothing)


async def _nothing() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}
