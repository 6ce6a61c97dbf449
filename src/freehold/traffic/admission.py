"""Letting a request in: its quotas, and how much of its kind is in progress already."""

from __future__ import annotations

import hmac
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import lru_cache
from typing import Final

from prometheus_client import Counter

from freehold.errors import AtCapacity, TooManyRequests
from freehold.observe.metrics import Metrics
from freehold.resource.principal import Principal
from freehold.traffic.limits import Decision, Limiter, QuotaExceeded, Wanted, address_key, granted
from freehold.traffic.limits_memory import MemoryLimiter
from freehold.traffic.places import Full, MemoryPlaces, Places
from freehold.traffic.policy import Policy

_MOST_CALLERS: Final = 10_000
"""Whose digests are remembered."""


class TooManyAtOnce(TooManyRequests):
    """The caller has as many requests of this operation in progress as one may have."""

    code, title = "request.too_many_at_once", "Too many requests at once"


class Admission:
    """Counts requests against the policies of operations.

    A caller is its user, else its key, else its address (an IPv4 address, or the /64 of an IPv6 one); the limiter's store
    holds a digest of that under `secret`, and nothing of the caller. limiter: None where quotas are off. places: for what
    is in progress; of this process when not given.
    """

    def __init__(
        self,
        limiter: Limiter | None,
        *,
        secret: bytes,
        places: Places | None = None,
        metrics: Metrics | None = None,
    ) -> None:
        self.limiter = limiter
        self._here = limiter if isinstance(limiter, MemoryLimiter) else None
        self.is_at_once = limiter is None or self._here is not None
        self.places = places or MemoryPlaces()
        self._secret = secret
        self._refused = _counter(metrics)
        self._key_of_known = lru_cache(maxsize=_MOST_CALLERS)(self._digest)
        self._key_of_address = lru_cache(maxsize=_MOST_CALLERS)(
            lambda address: self._digest("address", address_key(address))
        )

    async def admit(self, policy: Policy, principal: Principal, address: str, *, times: int = 1) -> list[Decision]:
        """Take what one request costs, or one that stands for several. Raises QuotaExceeded, and costs nothing then.

        What would cost more than there is in a window costs all of it.
        """
        if self.limiter is None or not policy.quotas:
            return []
        wanted, cost = self._wanted(policy, principal, address, times)
        return self._granted(await self.limiter.hit_all(wanted, cost=cost))

    def admit_at_once(self, policy: Policy, principal: Principal, address: str) -> list[Decision] | None:
        """The same for one request, where its quotas are counted in this process; None, and it costs nothing, elsewhere."""
        if self.limiter is None or not policy.quotas:
            return []
        if self._here is None:
            return None
        wanted, cost = self._wanted(policy, principal, address)
        return self._granted(self._here.hit_at_once(wanted, cost=cost))

    def _wanted(self, policy: Policy, principal: Principal, address: str, times: int = 1) -> tuple[list[Wanted], int]:
        key, wanted = self.caller_key(principal, address), []
        for name, quota in policy.quotas:
            wanted.append((name, key, quota.of(principal) if quota.varies else quota))
        cost = policy.cost * times
        if cost > 1:
            cost = min(cost, *(quota.limit for _, _, quota in wanted))
        return wanted, cost

    def _granted(self, decisions: list[Decision]) -> list[Decision]:
        """Raises QuotaExceeded, and counts that."""
        try:
            return granted(decisions)
        except QuotaExceeded:
            for decision in decisions:
                if not decision.allowed:
                    self._count(decision.name)
            raise

    @asynccontextmanager
    async def in_progress(self, policy: Policy, principal: Principal, address: str) -> AsyncIterator[None]:
        """Hold a place while the request is answered. Raises AtCapacity or TooManyAtOnce, at once: nobody waits."""
        everyone = f"operation:{policy.operation}"
        wanted = [] if policy.at_once is None else [(everyone, policy.at_once)]
        if policy.at_once_each is not None:
            wanted.append((f"{everyone}:{self.caller_key(principal, address)}", policy.at_once_each))
        async with AsyncExitStack() as stack:
            try:
                await stack.enter_async_context(self.places.held(wanted))
            except Full as full:
                self._count(policy.operation)
                if full.name == everyone:
                    raise AtCapacity("As many of these are in progress as there may be; try again soon.") from None
                raise TooManyAtOnce("Wait until those in progress are answered.", retry_after=1) from None
            yield

    def caller_key(self, principal: Principal, address: str) -> str:
        """Who is counted, as a digest."""
        if principal.id:
            return self._key_of_known("user", principal.id)
        if principal.key_id:
            return self._key_of_known("key", principal.key_id)
        return self._key_of_address(address)

    def _digest(self, kind: str, known: object) -> str:
        return hmac.digest(b"fh-caller\0" + self._secret, f"{kind}:{known}".encode(), "sha256")[:16].hex()

    def _count(self, policy: str) -> None:
        if self._refused is not None:
            self._refused.labels(policy).inc()


def _counter(metrics: Metrics | None) -> Counter | None:
    if metrics is None:
        return None
    # Names of policies and operations are declared, so there are as many as the service has.
    return metrics.counter(
        "freehold_limits_refused", "Requests refused by a quota or for too many at once", ("policy",)
    )
