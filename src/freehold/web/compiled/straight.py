"""An endpoint that takes a request and gives a response, called without FastAPI between."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope

from freehold.web.admission import Endpoint
from freehold.web.runtime import Runtime


class StraightCall:
    """What FastAPI's route would call, and it adds nothing: no dependency, no model, no serialisation."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    async def answer(self, parts: Runtime, scope: Scope, receive: Receive) -> Response:
        """The endpoint's own answer."""
        return await self._endpoint(Request(scope, receive))
