"""`GET` of a collection, of its own or below a row, from the caller to the bytes."""

from __future__ import annotations

from starlette.types import Receive, Scope

from freehold.query.links import page_links
from freehold.traffic.policy import Policy
from freehold.web.addresses import address_asked
from freehold.web.answer import JSON, Ready
from freehold.web.bound import Bound
from freehold.web.compiled.door import Door
from freehold.web.reads import Reads
from freehold.web.runtime import Runtime


class Listing:
    """One page. parent: the resource above, and the column that points to it."""

    def __init__(self, reads: Reads, policy: Policy, parent: tuple[Bound, str] | None = None) -> None:
        self._reads = reads
        self._door = Door(reads.bound.rule("read"), policy)
        self._parent = parent

    async def answer(self, parts: Runtime, scope: Scope, receive: Receive) -> Ready:
        """The answer. Raises what the endpoint of `Reads.list` raises, in its order."""
        principal = await self._door.enter(parts, scope)
        above = None if self._parent is None else self._parent[0].parse_key(scope["path_params"]["id"])
        question = scope["query_string"]
        page, params = await self._reads.listed(parts.database, principal, question, parent=self._parent, above=above)
        links = page_links(address_asked(scope), params, next_cursor=page.next_cursor, prev_cursor=page.prev_cursor)
        size = str(len(page.body)).encode("latin-1")
        return Ready(200, [(b"link", links.encode("latin-1")), (b"content-length", size), JSON], page.body)
