"""Ports of this machine."""

from __future__ import annotations

import random
import socket

# Below those that the system gives to whoever connects or listens on port 0: none of them takes it before its server does.
_OURS = range(12_000, 32_000)


def listens(host: str, port: int) -> bool:
    """Does somebody take connections there?"""
    try:
        socket.create_connection((host, port), timeout=3).close()
    except OSError:
        return False
    return True


def free_port() -> int:
    """Nobody's, a moment ago; for a program that has to be told one."""
    while True:
        port = random.SystemRandom().choice(_OURS)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
