"""How a client takes its answers: one that lets them wait has a time for it in all, however the kernel's buffers grow.

A transport says that it may be written to again when the kernel took what it held, which the kernel does for a client that
reads nothing, too, while it enlarges its buffers. So what counts is what the client's side has acknowledged.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable

READER_SECONDS = 40.0
"""A client that has let what was written to it wait for so long in all is cut off."""
LEAST_PER_SECOND = 1024
"""So many bytes that it takes give it back a second of them: whoever goes on taking that much is never cut off."""
# tcpi_bytes_acked in Linux's struct tcp_info, since 4.1 (RFC 4898 tcpEStatsAppHCThruOctetsAcked).
_ACKNOWLEDGED = struct.Struct("=120xQ")


class Reader:
    """The client of one connection, while what is written to it waits.

    cut_off: called when its time is over.
    """

    __slots__ = ("_cut_off", "_left", "_loop", "_since", "_taken", "_timer", "_transport")

    def __init__(
        self, transport: asyncio.BaseTransport, loop: asyncio.AbstractEventLoop, cut_off: Callable[[], None]
    ) -> None:
        self._transport = transport
        self._loop = loop
        self._cut_off = cut_off
        self._left = READER_SECONDS
        self._since = 0.0
        self._taken = 0
        self._timer: asyncio.TimerHandle | None = None

    def waits(self) -> None:
        """From now on something waits for it."""
        if self._timer is None:
            self._since = self._loop.time()
            self._settle()
            self._timer = self._loop.call_later(self._left, self._judge)

    def took(self) -> None:
        """Nothing waits for it any more. Its time stands still."""
        if self._timer is not None:
            self.stop()
            self._settle()
            if not self._taken:  # nobody counts here: that the transport is rid of what it held has to do
                self._left = READER_SECONDS

    def stop(self) -> None:
        """The connection is over."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _judge(self) -> None:
        self._timer = None
        self._settle()
        if self._left > 0:
            self._timer = self._loop.call_later(self._left, self._judge)
        else:
            self._cut_off()

    def _settle(self) -> None:
        """Take from its time what has passed, and give back what it earned."""
        now, taken = self._loop.time(), self._acknowledged()
        earned = (taken - self._taken) / LEAST_PER_SECOND
        self._left = min(READER_SECONDS, self._left - (now - self._since) + earned)
        self._since, self._taken = now, taken

    def _acknowledged(self) -> int:
        """Bytes of this connection that the client's side has; always 0 where the system does not count them."""
        connection = self._transport.get_extra_info("socket")
        try:
            told = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _ACKNOWLEDGED.size)
        except (OSError, ValueError, AttributeError):  # not TCP, closed, not Linux
            return self._taken
        return int(_ACKNOWLEDGED.unpack(told)[0]) if len(told) == _ACKNOWLEDGED.size else self._taken
