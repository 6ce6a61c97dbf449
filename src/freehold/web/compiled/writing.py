"""Writing operations of a resource, from the caller to the bytes."""

from __future__ import annotations

from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope

from freehold.traffic.policy import Policy
from freehold.web.compiled.door import Door
from freehold.web.runtime import Runtime
from freehold.web.steps import Write


class Writing:
    """One write, through a door that remembers what it was asked."""

    def __init__(self, write: Write, policy: Policy) -> None:
        self._write = write
        self._door = Door(write.rule, policy, writes=True)

    async def answer(self, parts: Runtime, scope: Scope, receive: Receive) -> Response:
        """The answer. Raises what the endpoint of `Write` raises, in its order."""
        raw = b"" if scope["method"] == "DELETE" else await _body(receive)
        key = self._write.read(scope, raw)
        principal = await self._door.enter(parts, scope)
        return await self._write.carry_out(parts, scope, principal, raw, key)


async def _body(receive: Receive) -> bytes:
    """The body, which mostly comes in one piece. Raises ClientDisconnect where it ends too soon."""
    pieces: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        body: bytes = message.get("body", b"")
        if not message.get("more_body", False):
            return b"".join([*pieces, body]) if pieces else body
        pieces.append(body)
