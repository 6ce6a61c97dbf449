"""Requests that one question to the database answers, or one statement that it commits, without a task of their own.

A task, a coroutine for each layer and a future to wait for are most of what such a request would cost. Here everything up
to the statement is done when the request has come whole, and everything after it when its row does. What is out of the ordinary
(a refusal, a caller who has to be looked up, no room) goes the way of all requests: from its beginning, where nothing has
been counted by then, or from where it stands.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from starlette.types import Scope

from freehold.web.compiled.direct_request import DirectRequest, DirectWrite
from freehold.web.compiled.entrance import Entrance
from freehold.web.compiled.front import Front, leads_to
from freehold.web.compiled.heads import Head, Heads
from freehold.web.compiled.table import Found
from freehold.web.edge import Edge
from freehold.web.edge_repeat import WITH_BODY, plain_piece, whole_piece
from freehold.web.guard import caller_at_once

if TYPE_CHECKING:
    from freehold.web.edge_cycle import Cycle
    from freehold.web.edge_protocol import StrictProtocol


class Direct:
    """See `freehold.web.edge_direct.Direct`. edge: around `front`, with nothing between them."""

    def __init__(self, edge: Edge, front: Front, app: Entrance) -> None:
        self.edge = edge
        self.front = front
        self.deadlines = edge.deadlines
        self._app = app
        self._heads = Heads(edge)

    def takes(self, server: StrictProtocol, cycle: Cycle, app: Any) -> bool:
        """See `freehold.web.edge_direct.Direct`."""
        scope: Scope = cycle.scope  # type: ignore[assignment]
        # A path with escapes may have another spelling, which is judged elsewhere.
        if scope["root_path"] or len(scope["raw_path"]) != len(scope["path"]):
            return False
        body = _body_of(server, cycle)
        if body is None:
            return False
        if app is not self._app or not self._app.leads_straight_to(self.edge):
            return False
        try:
            found = self.front.table.find_at(scope["method"], scope["path"], scope["query_string"])
            request = None if found is None else self._let_in(server, cycle, found, body, None)
        except Exception:  # noqa: BLE001 (whatever it is, the way of all requests meets it too, and answers)
            return False
        if request is not None:
            request.begin()
        return request is not None

    def repeats(self, server: StrictProtocol, piece: bytes) -> bool:
        """See `freehold.web.edge_direct.Direct`."""
        asked = plain_piece(piece)
        if asked is None or server.root_path or server.limit_concurrency is not None:
            return False
        head = self._heads.known(server, asked.block)
        if head is None or server.app is not self._app or not self._app.leads_straight_to(self.edge):
            return False
        try:
            found = self.front.table.find_at(asked.method, asked.path.decode("ascii"), asked.query)
            if found is None:
                return False
            cycle = server.cycle_of(asked, head.headers_with(asked.body) if asked.method in WITH_BODY else head.headers)
            if asked.query and not self._heads.is_good(cycle.scope, head):  # type: ignore[arg-type]
                return False
            request = self._let_in(server, cycle, found, asked.body, head)
        except Exception:  # noqa: BLE001 (as above)
            return False
        if request is not None:
            server.begins(cycle)
            request.begin()
        return request is not None

    def _let_in(
        self, server: StrictProtocol, cycle: Cycle, found: Found, body: bytes, head: Head | None
    ) -> DirectRequest | None:
        """The request, let in; None where it is not answered so. head: where it is known."""
        scope: Scope = cycle.scope  # type: ignore[assignment]
        parts = self._app.state["freehold"]
        place, key = found
        operation = place.direct
        if operation is None or not operation.door.is_at_once(parts):
            return None
        leads_to(scope, place.template, key)
        scope["app"] = self._app
        kind = DirectRequest if scope["method"] == "GET" else DirectWrite
        if (kind is DirectWrite and not self._is_usual(scope, body)) or not operation.may_be_direct(parts, scope, body):
            return None
        principal = caller_at_once(parts, scope)
        if principal is None:
            return None
        head = head or self._heads.of(server, cycle, body)
        if head is None:
            return None
        began = time.monotonic()
        turn = self.edge.load.take(began)
        if turn is None:
            return None
        head.tell(scope)
        exchange = self.edge.exchange(scope, cycle.send, head.fields, cors=head.cors)  # type: ignore[arg-type]
        exchange.turn = turn
        return kind(self, server, cycle, exchange, operation, parts, principal, body, began)

    def _is_usual(self, scope: Scope, body: bytes) -> bool:
        """Whether the limits of all hold for it, and those of its body as well."""
        options = self.edge.options
        return self.edge.options_for(scope) is options and len(body) <= options.body_limit_bytes


def _body_of(server: StrictProtocol, cycle: Cycle) -> bytes | None:
    """The body of a request whose parser is at the end of its head; None where it has not come, or is waited for."""
    if cycle.scope["method"] not in WITH_BODY:
        return b""
    piece = whole_piece(server.piece)
    if piece is None or cycle.waiting_for_100_continue or server.parser.should_upgrade():
        return None
    return piece.body
