"""From the text of a variable to a value that cannot be wrong. Each raises ValueError with the remedy."""

from __future__ import annotations

import re
from ipaddress import ip_network
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

STORES = ("s3", "gs", "az", "memory")
DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "sqlite+aiosqlite": "sqlite+aiosqlite",
    "postgres": "postgresql+asyncpg",
    "postgresql": "postgresql+asyncpg",
    "postgresql+asyncpg": "postgresql+asyncpg",
}
_HOST = re.compile(r"(\*\.)?[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?|\[[0-9a-f:.]+\]|\*")


def lower(value: Any) -> Any:
    """Take ON, On and on alike."""
    return value.strip().lower() if isinstance(value, str) else value


def comma_list(value: Any) -> Any:
    """`a, b` -> ("a", "b"); empty places are left out."""
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def async_database_url(value: Any) -> Any:
    """Name the driver: a bare postgresql:// would mean one that is not installed, and libpq's sslmode is asyncpg's ssl."""
    try:
        url = make_url(value)
    except ArgumentError:
        raise ValueError(
            "not a database address; write sqlite:///path or postgresql://user:password@host/name"
        ) from None
    driver = DRIVERS.get(url.drivername)
    if driver is None:
        raise ValueError(f"{url.drivername} is not spoken; use sqlite:///path or postgresql://user:password@host/name")
    query = {("ssl" if name == "sslmode" and "asyncpg" in driver else name): item for name, item in url.query.items()}
    return url.set(drivername=driver, query=query).render_as_string(hide_password=False)


def postgresql_url(value: Any) -> Any:
    """The same, for a further log-in to PostgreSQL; empty for none."""
    if value and make_url(url := async_database_url(value)).get_backend_name() == "postgresql":
        return url
    if value:
        raise ValueError("not a PostgreSQL address; write postgresql://user:password@host/name")
    return value


def store_url(value: Any) -> Any:
    """Where files are kept: an address that `obstore` opens, a bucket in it."""
    parts = _parts(value) if value else None
    if parts is not None and (parts.scheme not in STORES or not parts.netloc):
        raise ValueError("not a file store; write s3://bucket/prefix, gs://bucket/prefix or az://container/prefix")
    return value


def web_url(value: Any) -> Any:
    """An absolute http(s) address without query or trailing slash."""
    parts = _parts(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment or parts.username:
        raise ValueError("write it as https://api.example.com")
    return value.rstrip("/")


def plain_origin(value: str) -> str:
    """An origin as browsers send it: scheme, host, port; or `*`."""
    parts = _parts(value)
    if value != "*" and (parts.scheme not in ("http", "https") or value != f"{parts.scheme}://{parts.netloc}"):
        raise ValueError("write origins as https://app.example.com, without a path or a slash at the end")
    return value.lower()


def plain_host(value: str) -> str:
    """A host name without a port, `*.example.com`, an address, or `*`."""
    if not _HOST.fullmatch(value.lower()):
        raise ValueError("write host names without scheme and port: api.example.com, *.example.com, [::1]")
    return value.lower()


def receiver(value: str) -> str:
    """A host, with a port or for any: `127.0.0.1:9000`, `hooks.internal`, `[::1]:9000`."""
    host, port = value, ""
    if ":" in value.rpartition("]")[2]:
        host, _, port = value.rpartition(":")
    if not _HOST.fullmatch(host.lower()) or "*" in host or (port and not port.isdecimal()):
        raise ValueError("write hosts of receivers as 127.0.0.1:9000 or hooks.internal")
    return value.lower().replace("[", "").replace("]", "")


def database_host(value: Any) -> Any:
    """A server of PostgreSQL as host:port: `replica-1`, `10.0.0.7:5433`, `[::1]:5432`."""
    parts = _parts(f"//{value}")
    if not parts.hostname or "*" in value or not _HOST.fullmatch(value.lower().removesuffix(f":{parts.port}")):
        raise ValueError("write replicas as replica-1:5432 or 10.0.0.7:5433")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{host}:{parts.port or 5432}"


def network(value: Any) -> Any:
    """A network in CIDR form; a single address is a network of one, and `unix` stands for a Unix socket."""
    try:
        return value if value == "unix" else str(ip_network(value))
    except ValueError:
        raise ValueError("write networks as 10.0.0.0/8 or fd00::/8, without host bits") from None


def plain_limits(value: Any) -> Any:
    """on, off or x<N>."""
    text = lower(value)
    if not isinstance(text, str) or not re.fullmatch(r"on|off|x[1-9][0-9]{0,5}", text):
        raise ValueError("write on, off or x<N> with N from 1 to 999999")
    return text


def _parts(value: Any) -> Any:
    try:
        parts = urlsplit(value if isinstance(value, str) else "")
        _ = parts.port  # raises where it is no number
    except ValueError:
        raise ValueError("not an address") from None
    return parts
