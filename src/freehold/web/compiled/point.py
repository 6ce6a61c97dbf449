"""`GET /{id}` of a resource, from the caller to the bytes."""

from __future__ import annotations

from starlette.types import Receive, Scope

from freehold.errors import NotFound
from freehold.traffic.policy import Policy
from freehold.web.answer import Ready
from freehold.web.compiled.door import Door
from freehold.web.compiled.reply import tagged
from freehold.web.reads import Reads
from freehold.web.runtime import Runtime


class PointRead:
    """One row by its key, without parameters."""

    def __init__(self, reads: Reads, policy: Policy) -> None:
        self._reads = reads
        self._door = Door(reads.bound.rule("read"), policy)

    async def answer(self, parts: Runtime, scope: Scope, receive: Receive) -> Ready:
        """The answer. Raises what the endpoint of `Reads.one` raises, in its order."""
        principal = self._door.at_once(parts, scope) or await self._door.enter(parts, scope)
        key = self._reads.bound.parse_key(scope["path_params"]["id"])
        shown = await self._reads.shown(parts.database, principal, key)
        if shown is None:
            raise NotFound
        reply = tagged(scope, shown.body, shown.tag)
        self._reads.tell(scope, principal, key, parts.database)
        return reply
