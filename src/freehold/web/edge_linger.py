"""Closing a connection whose client is still sending, so that it can read why.

A plain close with unread bytes makes the kernel send a reset, and many clients then lose the answer (a 413 most of all).
Instead the writing side is closed first, what still comes is dropped unread, and after a second all is closed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

LINGER_SECONDS = 1.0


class LingeringTransport:
    """A transport whose `close` lingers while `is_unread()`. Everything else is the transport's own.

    on_unsent: called where it is closed and its client has yet to take something, which it would wait for without end.
    """

    def __init__(
        self,
        transport: asyncio.Transport,
        loop: asyncio.AbstractEventLoop,
        is_unread: Callable[[], bool],
        on_unsent: Callable[[], None],
    ) -> None:
        self._transport = transport
        self._loop = loop
        self._is_unread = is_unread
        self._on_unsent = on_unsent
        self.is_lingering = False
        self.write = transport.write  # bound here: the hot path pays for no delegation

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def is_closing(self) -> bool:
        """Whether nothing more is read or written for the application."""
        return self.is_lingering or self._transport.is_closing()

    def close(self) -> None:
        """Close; half at first when the client has more to send."""
        if self.is_lingering or self._transport.is_closing():
            return
        if not self._is_unread() or not self._transport.can_write_eof():
            self._close()
            return
        self.is_lingering = True
        self._transport.write_eof()
        self._transport.resume_reading()
        self._loop.call_later(LINGER_SECONDS, self._close)

    def _close(self) -> None:
        self._transport.close()
        if self._transport.get_write_buffer_size():
            self._on_unsent()
