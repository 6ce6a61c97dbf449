"""`GET` of a collection, of its own or below a row, from the caller to the bytes."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from functools import partial
from typing import Any

from sqlalchemy import Row
from starlette.types import Receive, Scope

from freehold.query.links import page_links
from freehold.resource.principal import Principal
from freehold.store.plan_page import Page
from freehold.traffic.policy import Policy
from freehold.web.addresses import address_asked
from freehold.web.answer import JSON, Ready
from freehold.web.bound import Bound
from freehold.web.compiled.direct_operation import DirectQuestion, Otherwise
from freehold.web.compiled.door import Door
from freehold.web.reads import OnePlanPage, Params, Reads
from freehold.web.runtime import Runtime


class Listing:
    """One page. parent: the resource above, and the column that points to it."""

    def __init__(self, reads: Reads, policy: Policy, parent: tuple[Bound, str] | None = None) -> None:
        self._reads = reads
        self.door = Door(reads.bound.rule("read"), policy)
        self._parent = parent

    async def answer(self, parts: Runtime, scope: Scope, receive: Receive) -> Ready:
        """The answer. Raises what the endpoint of `Reads.list` raises, in its order."""
        return await self.read(parts, scope, await self.door.enter(parts, scope))

    async def read(self, parts: Runtime, scope: Scope, principal: Principal) -> Ready:
        """The same for a caller who was let in."""
        above: Any = None if self._parent is None else self._parent[0].parse_key(scope["path_params"]["id"])
        question = scope["query_string"]
        page, params = await self._reads.listed(parts.database, principal, question, parent=self._parent, above=above)
        return _told(scope, page, params)

    def may_be_direct(self, parts: Runtime, scope: Scope, body: bytes) -> bool:
        """See `DirectOperation`."""
        return self._parent is None and self._reads.is_one_plan and parts.database.has_questions

    def question(self, parts: Runtime, scope: Scope, principal: Principal, body: bytes) -> DirectQuestion | Otherwise:
        """See `DirectOperation`."""

        def otherwise(_: Exception | None) -> Awaitable[Ready]:
            return self.read(parts, scope, principal)

        found = self._reads.one_plan_page(parts.database, principal, scope["query_string"])
        question = None if found is None else parts.database.question(principal, found.plan, found.page.values())
        return otherwise if found is None or question is None else (*question, partial(_reply, scope, found), otherwise)


def _reply(scope: Scope, found: OnePlanPage, rows: Sequence[Row[Any]]) -> Ready:
    return _told(scope, found.page.page(rows), found.params)


def _told(scope: Scope, page: Page, params: Params) -> Ready:
    links = page_links(address_asked(scope), params, next_cursor=page.next_cursor, prev_cursor=page.prev_cursor)
    size = str(len(page.body)).encode("latin-1")
    return Ready(200, [(b"link", links.encode("latin-1")), (b"content-length", size), JSON], page.body)
