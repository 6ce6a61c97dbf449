"""Quotas: an exact sliding window up to 100 in a window, GCRA above.

`Limiter` is the port; `MemoryLimiter` counts in one process, `RedisLimiter` over all. A refused request costs nothing: it
does not push the window on, so whoever waits out the stated time is served.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final, Protocol, TypeAlias

from freehold.errors import TooManyRequests
from freehold.resource.quotas import Quota

# Above this a window of single instants costs more memory than it is worth; GCRA keeps one number.
EXACT_UP_TO = 100
# What is worked out once for each quota. A service has few; a caller's role may make more of them.
_MOST_KEPT: Final = 1_000

Wanted: TypeAlias = tuple[str, str, Quota]
"""The name of a quota, who is counted, and the quota."""


@dataclass(slots=True)
class Decision:
    """What a quota said. reset_seconds: when more is free, rounded up; after a refusal, when the same request passes."""

    allowed: bool
    name: str
    quota: Quota
    remaining: int
    reset_seconds: int


class Limiter(Protocol):
    """Counts units by name and key. One contract, an embedded and a shared form."""

    async def hit_all(self, wanted: Sequence[Wanted], *, cost: int = 1) -> list[Decision]:
        """Take `cost` units of each, or none of any: what one refuses must not use up another.

        One decision for each, those that would have been allowed included; units are taken where all are. Distinct keys
        share nothing.
        """
        ...

    async def hit(self, name: str, key: str, quota: Quota, *, cost: int = 1) -> Decision:
        """Take `cost` units of one quota, or none of them."""
        ...

    async def give_back(self, name: str, key: str, quota: Quota, *, cost: int = 1) -> None:
        """Return units just taken, for what turned out not to count (a right password)."""
        ...


def scaled(quota: Quota, factor: int) -> Quota:
    """So many times as much; see `FREEHOLD_LIMITS=x<N>`."""
    return quota if factor == 1 else _scaled(quota, factor)


@lru_cache(maxsize=_MOST_KEPT)
def _scaled(quota: Quota, factor: int) -> Quota:
    return replace(quota, limit=quota.limit * factor)


def address_key(client: str | None) -> str:
    """The part of a client address that is counted: an IPv4 address, or the /64 of an IPv6 one.

    One customer has a whole /64, and could use a new address in it for each request.
    """
    try:
        address = ipaddress.ip_address((client or "").partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, 64), strict=False))


def rate_limit_headers(decisions: Iterable[Decision]) -> dict[str, str]:
    """`rate_limit_fields`, as text."""
    (_, policies), (_, limits) = rate_limit_fields(decisions)
    return {"RateLimit-Policy": policies.decode(), "RateLimit": limits.decode()}


def rate_limit_fields(decisions: Iterable[Decision]) -> list[tuple[bytes, bytes]]:
    """`RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers-11), structured fields (RFC 9651)."""
    policies, limits = [], []
    for each in decisions:
        policies.append(f'"{each.name}";q={each.quota.limit};w={each.quota.window_seconds}')
        limits.append(f'"{each.name}";r={each.remaining};t={each.reset_seconds}')
    return [(b"ratelimit-policy", ", ".join(policies).encode()), (b"ratelimit", ", ".join(limits).encode())]


async def take(limiter: Limiter, wanted: Sequence[Wanted], *, cost: int = 1) -> list[Decision]:
    """Take `cost` units of each, or none of any. Raises QuotaExceeded."""
    return granted(await limiter.hit_all(wanted, cost=cost))


def granted(decisions: list[Decision]) -> list[Decision]:
    """What quotas said, where all let the request pass. Raises QuotaExceeded."""
    for decision in decisions:
        if not decision.allowed:
            raise QuotaExceeded(decisions)
    return decisions


class QuotaExceeded(TooManyRequests):
    """A quota is used up. Retry-After is when the same request will pass as far as the named quotas are concerned."""

    code, title = "request.quota_exceeded", "Quota exceeded"
    uri = "https://iana.org/assignments/http-problem-types#quota-exceeded"

    def __init__(self, decisions: Iterable[Decision]) -> None:
        broken = [decision for decision in decisions if not decision.allowed]
        super().__init__(
            "Too many requests of this kind; wait and try again.",
            retry_after=max((decision.reset_seconds for decision in broken), default=1),
            headers=rate_limit_headers(broken),
            extra={"type": self.uri, "violated-policies": [decision.name for decision in broken]},
        )
