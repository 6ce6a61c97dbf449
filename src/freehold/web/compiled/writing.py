"""Writing operations of a resource, from the caller to the bytes."""

from __future__ import annotations

from functools import partial

from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope

from freehold.resource.principal import Principal
from freehold.traffic.policy import Policy
from freehold.web.compiled.direct_operation import DirectQuestion, Otherwise
from freehold.web.compiled.door import Door
from freehold.web.execution import request_key
from freehold.web.runtime import Runtime
from freehold.web.steps import Write


class Writing:
    """One write, through a door that remembers what it was asked."""

    def __init__(self, write: Write, policy: Policy) -> None:
        self._write = write
        self.door = Door(write.rule, policy, writes=True)

    async def answer(self, parts: Runtime, scope: Scope, receive: Receive) -> Response:
        """The answer. Raises what the endpoint of `Write` raises, in its order."""
        raw = b"" if scope["method"] == "DELETE" else await _body(receive)
        key = self._write.read(scope, raw)
        principal = await self.door.enter(parts, scope)
        step = self._write.prepared(parts, scope, principal, raw)
        return await self._write.carry_out(scope, principal, raw, key, step)

    def may_be_direct(self, parts: Runtime, scope: Scope, body: bytes) -> bool:
        """See `DirectOperation`."""
        self._write.read(scope, body)
        return True

    def question(self, parts: Runtime, scope: Scope, principal: Principal, body: bytes) -> DirectQuestion | Otherwise:
        """See `DirectOperation`."""
        key, step = request_key(scope), self._write.prepared(parts, scope, principal, body)
        otherwise = partial(self._write.carry_out, scope, principal, body, key, step)
        found = self._write.question(key, step)
        return otherwise if found is None else (*found, otherwise)


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
