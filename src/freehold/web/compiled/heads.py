"""What was found of the fields of requests: those of one client are the same from request to request, and judged once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from starlette.types import Scope

from freehold.errors import Problem
from freehold.web.edge import Edge
from freehold.web.edge_fields import ONCE, Fields
from freehold.web.edge_headers import RawHeaders
from freehold.web.edge_repeat import WITH_BODY, whole_piece

if TYPE_CHECKING:
    from freehold.web.edge_cycle import Cycle
    from freehold.web.edge_protocol import StrictProtocol

# Whoever sends others each time fills it with four megabytes, and with some four times as much for what was made of them (18 MB were measured).
_MOST_HEADS: Final = 1_000
_LONGEST_HEAD: Final = 4_096
# Of a request with a body that is not simply there.
_FRAMING: Final = (b"transfer-encoding", b"content-encoding")
_LENGTH: Final = b"content-length"


class Head:
    """What was found of the fields of a request, and of who a listed proxy says has sent it."""

    __slots__ = ("_client", "_is_told", "_length_at", "_name", "_scheme", "cors", "fields", "headers")

    def __init__(self, scope: Scope, seen: Scope, fields: Fields, cors: RawHeaders) -> None:
        self.headers = tuple(scope["headers"])
        self._length_at = next((place for place, (name, _) in enumerate(self.headers) if name == _LENGTH), None)
        self.fields = fields
        self.cors = cors
        self._client, self._scheme, self._name = seen["client"], seen["scheme"], seen["state"]["client"]
        self._is_told = seen["client"] is not scope["client"] or seen["scheme"] != scope["scheme"]

    def headers_with(self, body: bytes) -> Sequence[tuple[bytes, bytes]]:
        """The fields of a request that has another body."""
        found = list(self.headers)
        if self._length_at is not None:
            found[self._length_at] = _LENGTH, b"%d" % len(body)
        return found

    def tell(self, scope: Scope) -> None:
        """Put it where the edge does."""
        scope["state"]["client"] = self._name
        if self._is_told:
            scope["client"], scope["scheme"] = self._client, self._scheme


class Heads:
    """Those of requests that came whole, by the bytes that they came in, and by who has sent them."""

    def __init__(self, edge: Edge) -> None:
        self._edge = edge
        self._known: dict[tuple[str | None, str | None, bytes], Head] = {}

    def known(self, server: StrictProtocol, block: bytes) -> Head | None:
        """What was found of the same bytes before. The target is to be judged all the same."""
        peer = server.client
        return self._known.get((peer and peer[0], server.scheme, block))

    def of(self, server: StrictProtocol, cycle: Cycle, body: bytes) -> Head | None:
        """What is found of those of a request; None where something is amiss, or looked at elsewhere."""
        scope: Scope = cycle.scope  # type: ignore[assignment]
        fields = Fields(scope["headers"])
        if not _is_framed(scope, fields, body):
            return None
        seen = {**scope, "state": {}}
        try:
            self._edge.judged(seen, fields)
        except Problem:
            return None
        made = Head(scope, seen, fields, self._edge.cors(fields))
        # What asks the server for more than an answer is not known by its bytes alone; what has ids of its own does not come again.
        is_plain = cycle.keep_alive and not cycle.waiting_for_100_continue and not server.parser.should_upgrade()
        if is_plain and fields.values.keys().isdisjoint(ONCE):
            self._keep(server, made)
        return made

    def _keep(self, server: StrictProtocol, head: Head) -> None:
        piece = whole_piece(server.piece)
        if piece is None or len(piece.block) > _LONGEST_HEAD:
            return
        if len(self._known) >= _MOST_HEADS:
            self._known.clear()
        peer = server.client
        self._known[peer and peer[0], server.scheme, piece.block] = head

    def is_good(self, scope: Scope, head: Head) -> bool:
        """Whether the edge lets in a target with fields that are known."""
        try:
            self._edge.judged_again(scope, head.fields)
        except Problem:
            return False
        return True


def _is_framed(scope: Scope, fields: Fields, body: bytes) -> bool:
    """Whether the length alone says how a request is framed, and says so of its body; one without a body tells none."""
    values = fields.values
    if not values.keys().isdisjoint(_FRAMING):
        return False
    length = values.get(_LENGTH)
    if scope["method"] not in WITH_BODY:
        return length is None
    return not body if length is None else length == b"%d" % len(body)
