"""Ports of this machine."""

from __future__ import annotations

import socket


def listens(host: str, port: int) -> bool:
    """Does somebody take connections there?"""
    try:
        socket.create_connection((host, port), timeout=3).close()
    except OSError:
        return False
    return True


def free_port() -> int:
    """Nobody's, a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
