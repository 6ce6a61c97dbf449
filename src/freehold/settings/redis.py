"""Where Redis (or Valkey) is, as one address."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import parse_qsl, unquote, urlsplit

_FORM = "redis://user:password@host:6379/0, rediss://… for TLS, or unix:///path/to.sock?db=0"


@dataclass(frozen=True, slots=True)
class RedisAddress:
    """A server and the number of a database in it. path: of a Unix socket, in place of host and port."""

    host: str = ""
    port: int = 6379
    database: int = 0
    user: str | None = None
    password: str | None = None
    tls: bool = False
    path: str = ""

    @classmethod
    def parse(cls, url: str) -> Self:
        """Read `redis://`, `rediss://` (TLS) or `unix://`, with user and password percent-encoded.

        Raises ValueError with the remedy, and never with what was given: it may hold a password.
        """
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
            query = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
        except ValueError:
            raise ValueError(f"not an address; write {_FORM}") from None
        is_socket = parts.scheme == "unix"
        where = unquote(parts.path) if is_socket else host
        if parts.scheme not in ("redis", "rediss", "unix") or not where or parts.fragment or query.keys() - {"db"}:
            raise ValueError(f"write it as {_FORM}")
        database = query.get("db", "") or ("" if is_socket else parts.path.strip("/")) or "0"
        if not (database.isascii() and database.isdecimal()):
            raise ValueError("the database is a number: redis://host:6379/0")
        who = {name: unquote(given) for name in ("username", "password") if (given := getattr(parts, name))}
        return cls(
            host="" if is_socket else host or "",
            port=port or 6379,
            database=int(database),
            user=who.get("username"),
            password=who.get("password"),
            tls=parts.scheme == "rediss",
            path=where if is_socket else "",
        )

    @property
    def without_password(self) -> str:
        """The server as it may be shown."""
        who = "" if self.password is None else f"{self.user or ''}:********@"
        if self.path:
            return f"unix://{who}{self.path}?db={self.database}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'rediss' if self.tls else 'redis'}://{who}{host}:{self.port}/{self.database}"


def checked_redis_url(value: Any) -> Any:
    """Check the address of Redis; empty for none."""
    if value:
        RedisAddress.parse(value if isinstance(value, str) else "")
    return value
