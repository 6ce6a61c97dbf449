"""uvicorn's side of one exchange, over a wire that keeps what goes over it."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle


class Wire:
    """A transport that keeps what it is given."""

    def __init__(self) -> None:
        self.written = b""
        self.pieces = 0

    def write(self, data: bytes) -> None:
        self.written += data
        self.pieces += 1

    def close(self) -> None:
        self.written += b"<closed>"


def cycle_on(
    wire: Any, *, kind: type[RequestResponseCycle], method: str = "GET", keeps: bool = True
) -> RequestResponseCycle:
    return kind(
        scope={"method": method},  # type: ignore[typeddict-item]
        transport=wire,
        flow=FlowControl(wire),
        logger=logging.getLogger("test"),
        access_logger=logging.getLogger("test"),
        access_log=False,
        default_headers=[(b"date", b"today")],
        message_event=asyncio.Event(),
        expect_100_continue=False,
        keep_alive=keeps,
        on_response=lambda: None,
    )
