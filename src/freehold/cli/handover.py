"""The port of a program whose supervisor was killed: its workers serve until those of the next start do.

Who is left of such a program is found by its address, under a name that the kernel drops with the process that holds it. It
hands over the socket itself, on which connections may wait, and the end of the pipe that its workers hang on: they leave when
nobody holds that any more. So nothing has to be cleared away, whoever dies when. Linux alone has such names; elsewhere the
workers leave at once.
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import sys
import time

# As long as a start on a machine that has much else to do.
LINGER_SECONDS = 30.0
_ANSWER_SECONDS = 2.0
_UCRED = struct.Struct("3i")


class Predecessors:
    """The workers of a program whose supervisor is gone, on a socket that is ours now. They leave at `release`, or with this process."""

    def __init__(self, alive: int) -> None:
        os.set_inheritable(alive, False)
        self._alive: int | None = alive
        os.register_at_fork(after_in_child=self.release)  # they hang on this process, not on what is forked from it

    def release(self) -> None:
        """Have them stop listening, end what they have begun, and leave."""
        if self._alive is not None:
            os.close(self._alive)
            self._alive = None


def offer(listener: socket.socket, alive: int) -> None:
    """Wait for the next start, and hand over to it; after 30 s to nobody. One process of those that are left does."""
    ends = time.monotonic() + LINGER_SECONDS
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as place:
        place.bind(_name(listener.family, listener.getsockname()))
        place.listen(1)
        while (left := ends - time.monotonic()) > 0:
            place.settimeout(left)
            asking, _ = place.accept()
            with asking:
                if _is_ours(asking):
                    socket.send_fds(asking, [b"p"], [listener.fileno(), alive])
                    return


def take(host: str, port: int) -> tuple[socket.socket, Predecessors] | None:
    """The socket of a program that served this address until it lost its supervisor; None where there is no such program."""
    if sys.platform != "linux" or not port:
        return None
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as asking:
        asking.settimeout(_ANSWER_SECONDS)
        asking.connect(_name(family, socket.getaddrinfo(host, port, family, socket.SOCK_STREAM)[0][4]))
        if not _is_ours(asking):
            return None
        _, handed_over, _, _ = socket.recv_fds(asking, 1, 2)
        if len(handed_over) == 2:
            return socket.socket(fileno=handed_over[0]), Predecessors(handed_over[1])
    return None


def _name(family: int, address: tuple[object, ...]) -> str:
    """Of no file: it begins with a zero byte. Each network namespace has names of its own, as it has ports."""
    host, port = address[:2]
    return f"\0freehold/{os.geteuid()}/{int(family)}/{host}/{port}"


def _is_ours(peer: socket.socket) -> bool:
    """Whether the process at the other end is of the same account: anybody on the machine may use such a name."""
    _, account, _ = _UCRED.unpack(peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size))
    return bool(account == os.geteuid())
