"""A request that no parser has seen (`edge_repeat`), as uvicorn makes it of one that its parser has read."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from freehold.web.edge_cycle import Cycle
from freehold.web.edge_repeat import Piece

if TYPE_CHECKING:
    from freehold.web.edge_protocol import StrictProtocol


def cycle_of(server: StrictProtocol, piece: Piece, headers: Sequence[tuple[bytes, bytes]]) -> Cycle:
    """The exchange of a request that has come whole. headers: as its parser would have them."""
    made = Cycle(
        scope={
            "type": "http",
            "asgi": {"version": server.asgi_version, "spec_version": "2.3"},
            "http_version": "1.1",
            "server": server.server,
            "client": server.client,
            "scheme": server.scheme,  # type: ignore[typeddict-item]
            "root_path": server.root_path,
            "headers": list(headers),
            "state": server.app_state.copy(),
            "method": piece.method,
            "path": piece.path.decode("ascii"),
            "raw_path": piece.path,
            "query_string": piece.query,
        },
        transport=server.transport,
        flow=server.flow,
        logger=server.logger,
        access_logger=server.access_logger,
        access_log=server.access_log,
        default_headers=server.server_state.default_headers,
        message_event=asyncio.Event(),
        expect_100_continue=False,
        keep_alive=True,
        on_response=server.on_response_complete,
    )
    made.body += piece.body
    made.more_body = False
    made.message_event.set()
    return made
