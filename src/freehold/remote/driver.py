"""Connections of redis-py: it knows how to log in, TLS and Unix sockets; what is sent when is ours."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

from freehold.errors import ConfigurationError
from freehold.settings.redis import RedisAddress

if TYPE_CHECKING:
    from redis.asyncio.connection import AbstractConnection

CONNECT_SECONDS = 2.0


def require_driver() -> None:
    """Raises ConfigurationError without redis-py."""
    try:
        import hiredis  # noqa: F401, PLC0415 (an extra)
        import redis  # noqa: F401, PLC0415 (an extra)
    except ImportError:
        raise ConfigurationError("FREEHOLD_REDIS_URL needs the redis extra: pip install 'freehold[redis]'") from None


async def connect(address: RedisAddress, *, name: str) -> AbstractConnection:
    """An open connection that waits as long as its user does. name: what `CLIENT LIST` shows.

    It speaks RESP 2: no message of the server's comes between two replies. Raises what redis-py raises.
    """
    connection: Any = _connection(address, name)
    try:
        await connection.connect()
    except BaseException:
        await connection.disconnect(nowait=True)
        raise
    connection.socket_timeout = None
    opened: AbstractConnection = connection
    return opened


def _connection(address: RedisAddress, name: str) -> AbstractConnection:
    from redis.asyncio.connection import (  # noqa: PLC0415 (an extra)
        Connection,
        SSLConnection,
        UnixDomainSocketConnection,
    )

    common: dict[str, Any] = {
        "db": address.database,
        "username": address.user,
        "password": address.password,
        "protocol": 2,
        "legacy_responses": False,
        "client_name": name,
        "socket_timeout": CONNECT_SECONDS,
        "socket_connect_timeout": CONNECT_SECONDS,
    }
    if address.path:
        return UnixDomainSocketConnection(path=address.path, **common)
    common |= {"host": address.host, "port": address.port, "socket_keepalive": True}
    if address.tls:
        return SSLConnection(ssl_min_version=ssl.TLSVersion.TLSv1_2, **common)
    return Connection(**common)
