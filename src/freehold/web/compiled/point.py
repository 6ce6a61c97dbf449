"""`GET /{id}` of a resource, from the caller to the bytes."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from functools import partial
from typing import Any

from sqlalchemy import Row
from starlette.types import Receive, Scope

from freehold.errors import NotFound
from freehold.resource.principal import Principal
from freehold.store.plans import KEY
from freehold.traffic.policy import Policy
from freehold.web.answer import Ready
from freehold.web.compiled.direct_operation import DirectQuestion, Otherwise
from freehold.web.compiled.door import Door
from freehold.web.compiled.reply import tagged
from freehold.web.reads import Reads, Shown
from freehold.web.runtime import Runtime


class PointRead:
    """One row by its key, without parameters."""

    def __init__(self, reads: Reads, policy: Policy) -> None:
        self._reads = reads
        self.door = Door(reads.bound.rule("read"), policy)

    async def answer(self, parts: Runtime, scope: Scope, receive: Receive) -> Ready:
        """The answer. Raises what the endpoint of `Reads.one` raises, in its order."""
        return await self.read(parts, scope, await self.door.enter(parts, scope))

    async def read(self, parts: Runtime, scope: Scope, principal: Principal) -> Ready:
        """The same for a caller who was let in."""
        key = self._key(scope)
        return self._told(parts, scope, principal, key, await self._reads.shown(parts.database, principal, key))

    def may_be_direct(self, parts: Runtime, scope: Scope, body: bytes) -> bool:
        """See `DirectOperation`."""
        return self._reads.is_one_plan and parts.database.has_questions

    def question(self, parts: Runtime, scope: Scope, principal: Principal, body: bytes) -> DirectQuestion | Otherwise:
        """See `DirectOperation`."""

        def otherwise(_: Exception | None) -> Awaitable[Ready]:
            return self.read(parts, scope, principal)

        key = self._key(scope)
        question = parts.database.question(principal, self._reads.shown_plan, {KEY: key})
        if question is None:
            return otherwise
        return *question, partial(self._reply, parts, scope, principal, key), otherwise

    def _reply(self, parts: Runtime, scope: Scope, principal: Principal, key: Any, rows: Sequence[Row[Any]]) -> Ready:
        return self._told(parts, scope, principal, key, self._reads.shown_in(rows))

    def _key(self, scope: Scope) -> Any:
        return self._reads.bound.parse_key(scope["path_params"]["id"])

    def _told(self, parts: Runtime, scope: Scope, principal: Principal, key: Any, shown: Shown | None) -> Ready:
        if shown is None:
            raise NotFound
        reply = tagged(scope, shown.body, shown.tag)
        if self._reads.tells:
            self._reads.tell(scope, principal, key, parts.database)
        return reply
