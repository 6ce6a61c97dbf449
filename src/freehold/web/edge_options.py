"""What the edge may be told, with a safe default for everything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from freehold.settings import Settings

LOCAL_HOSTS = ("localhost", "127.0.0.1", "[::1]", "testserver")


@dataclass(frozen=True, slots=True)
class Roomy:
    """Operations that take larger bodies, and the time for them: by method and path, or what is below it."""

    method: str
    path: str
    body_limit_bytes: int
    deadline_seconds: float
    below: bool = False

    def is_about(self, method: str, path: str) -> bool:
        """Whether a request is one of them."""
        return method == self.method and (
            path.startswith(f"{self.path}/") if self.below else path.rstrip("/") == self.path
        )


@dataclass(frozen=True, slots=True)
class EdgeOptions:
    """Limits and lists of the edge.

    hosts: names that this service answers to, without port; `*.example.org` takes subdomains, `*` anything.
    trusted_proxies: addresses or networks whose forwarding headers count; `unix` for a proxy on a Unix socket.
    cors_origins: whole origins (`https://app.example.org`), or `*`. cors_credentials: whether cookies may come along
    from those origins; never together with `*`.
    body_limit_bytes, line_limit_bytes, header_limit_bytes, header_limit_count: past them 413, 414, 431, 431.
    in_flight_limit: requests that are worked on at once; past it 503. deadline_seconds: until the answer has begun; 0 means none. roomy: operations with limits of their own.
    """

    hosts: tuple[str, ...] = LOCAL_HOSTS
    trusted_proxies: tuple[str, ...] = ()
    cors_origins: tuple[str, ...] = ()
    cors_credentials: bool = False
    body_limit_bytes: int = 1024 * 1024
    line_limit_bytes: int = 8 * 1024
    header_limit_bytes: int = 32 * 1024
    header_limit_count: int = 100
    deadline_seconds: float = 30.0
    in_flight_limit: int = 200
    roomy: tuple[Roomy, ...] = ()

    def __post_init__(self) -> None:
        if self.cors_credentials and "*" in self.cors_origins:
            raise ValueError("cors_origins may not hold '*' when cors_credentials is on: list the origins")

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """The options that the settings of the process ask for. Development and tests also answer to local names."""
        hosts = [*settings.hosts]
        name = urlsplit(settings.public_url).hostname or ""
        hosts.append(f"[{name}]" if ":" in name else name)
        if not settings.is_production:
            hosts += LOCAL_HOSTS
        return cls(
            hosts=tuple(dict.fromkeys(hosts)),
            trusted_proxies=tuple(str(network) for network in settings.trusted_proxies),
            cors_origins=settings.cors_origins,
            body_limit_bytes=int(settings.body_limit),
            deadline_seconds=settings.deadline_seconds,
            in_flight_limit=settings.in_flight_limit,
        )
