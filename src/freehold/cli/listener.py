"""The socket of the server, bound before anything else is started: a port that is taken is told at once."""

from __future__ import annotations

import socket

from freehold.cli import handover
from freehold.cli.handover import Predecessors
from freehold.errors import ConfigurationError


def take_over_or_bind(host: str, port: int) -> tuple[socket.socket, Predecessors | None]:
    """The socket, and who still serves on it because they lost their supervisor. Raises ConfigurationError as `bind` does."""
    return handover.take(host, port) or (bind(host, port), None)


def bind(host: str, port: int) -> socket.socket:
    """Bind, without listening yet: who connects too early is refused instead of kept waiting.

    Raises ConfigurationError where the port is taken, not allowed, or the address is not one of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise ConfigurationError(
            f"{host}:{port} cannot be served ({error.strerror}). Choose another port: --port, or PORT for make."
        ) from None
    listener.set_inheritable(True)
    return listener


def address(listener: socket.socket) -> str:
    """How a browser on this machine reaches it."""
    host, port = listener.getsockname()[:2]
    if host in ("0.0.0.0", "::"):  # noqa: S104  # compared, not bound
        host = "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
