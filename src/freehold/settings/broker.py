"""Where the broker is that wakes workers."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

# By scheme, the extra of this package that brings the client.
BROKERS = {
    "nats": "nats",
    "tls": "nats",
    "amqp": "rabbitmq",
    "amqps": "rabbitmq",
    "redis": "redis",
    "rediss": "redis",
    "unix": "redis",
    "postgresql": "postgres",
}
_FORM = (
    "nats://host:4222, amqp://user:password@host:5672/vhost, redis://host:6379 or postgresql://user:password@host/name"
)


def checked_broker_url(value: Any) -> Any:
    """Check the address of a broker; empty for none. Raises ValueError that holds nothing of what was given."""
    if not value:
        return ""
    try:
        parts = urlsplit(value if isinstance(value, str) else "")
        _ = parts.port  # raises where it is no number
    except ValueError:
        raise ValueError(f"not an address; write {_FORM}") from None
    if parts.scheme not in BROKERS or not (parts.path if parts.scheme == "unix" else parts.hostname):
        raise ValueError(f"write it as {_FORM}")
    return value


def broker_without_password(url: str) -> str:
    """The broker as it may be shown."""
    parts = urlsplit(url)
    who, at, where = parts.netloc.rpartition("@")
    # In NATS a user alone is a token.
    shown = f"{who.partition(':')[0]}:********@" if ":" in who else "********@" if at else ""
    return parts._replace(netloc=shown + where, query="").geturl()
