"""Letting a request in: its quotas, and how much of its kind is in progress already."""

from __future__ import annotations

import hmac
from collections import Counter as Tally
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import Counter

from freehold.errors import AtCapacity, TooManyRequests
from freehold.observe.metrics import Metrics
from freehold.resource.principal import Principal
from freehold.traffic.limits import Decision, Limiter, QuotaExceeded, address_key, take
from freehold.traffic.policy import Policy


class TooManyAtOnce(TooManyRequests):
    """The caller has as many requests of this operation in progress as one may have."""

    code, title = "request.too_many_at_once", "Too many requests at once"


class Admission:
    """Counts requests against the policies of operations.

    A caller is its user, else its key, else its address (an IPv4 address, or the /64 of an IPv6 one); the limiter's store
    holds a digest of that under `secret`, and nothing of the caller. limiter: None where quotas are off.
    """

    def __init__(self, limiter: Limiter | None, *, secret: bytes, metrics: Metrics | None = None) -> None:
        self.limiter = limiter
        self._secret = secret
        self._in_progress: Tally[tuple[str, str]] = Tally()
        self._refused = _counter(metrics)

    async def admit(self, policy: Policy, principal: Principal, address: str, *, times: int = 1) -> list[Decision]:
        """Take what one request costs, or one that stands for several. Raises QuotaExceeded, and costs nothing then.

        What would cost more than there is in a window costs all of it.
        """
        if self.limiter is None or not policy.quotas:
            return []
        key = self.caller_key(principal, address)
        wanted = [(name, key, quota.of(principal)) for name, quota in policy.quotas]
        try:
            cost = min(policy.cost * times, *(quota.limit for _, _, quota in wanted))
            return await take(self.limiter, wanted, cost=cost)
        except QuotaExceeded as refusal:
            for name in refusal.extra["violated-policies"]:
                self._count(name)
            raise

    @contextmanager
    def in_progress(self, policy: Policy, principal: Principal, address: str) -> Iterator[None]:
        """Hold a place while the request is answered. Raises AtCapacity or TooManyAtOnce, at once: nobody waits."""
        mine = (policy.operation, self.caller_key(principal, address))
        everyone = (policy.operation, "")
        if policy.at_once is not None and self._in_progress[everyone] >= policy.at_once:
            self._count(policy.operation)
            raise AtCapacity("As many of these are in progress as there may be; try again soon.")
        if policy.at_once_each is not None and self._in_progress[mine] >= policy.at_once_each:
            self._count(policy.operation)
            raise TooManyAtOnce("Wait until those in progress are answered.", retry_after=1)
        self._in_progress.update((everyone, mine))
        try:
            yield
        finally:
            self._leave(everyone)
            self._leave(mine)

    def caller_key(self, principal: Principal, address: str) -> str:
        """Who is counted, as a digest."""
        known = principal.id or principal.key_id
        text = f"{'user' if principal.id else 'key'}:{known}" if known else f"address:{address_key(address)}"
        return hmac.digest(b"fh-caller\0" + self._secret, text.encode(), "sha256")[:16].hex()

    def _leave(self, place: tuple[str, str]) -> None:
        self._in_progress[place] -= 1
        if not self._in_progress[place]:
            del self._in_progress[place]

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
