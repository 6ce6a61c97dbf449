"""The door of a compiled operation: when nothing has to be waited for, and that what is declared is counted either way."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from freehold.errors import Forbidden, Unauthenticated
from freehold.remote import RedisServer
from freehold.resource.access import Rule, anyone, role, signed_in
from freehold.resource.principal import ANONYMOUS, Principal
from freehold.resource.quotas import Limits, per_minute
from freehold.traffic.admission import Admission
from freehold.traffic.limits import Limiter, QuotaExceeded
from freehold.traffic.limits_memory import MemoryLimiter
from freehold.traffic.limits_redis import RedisLimiter
from freehold.traffic.policy import Defaults, Policy
from freehold.traffic.service import Traffic
from freehold.web.compiled.door import Door
from freehold.web.runtime import NoAccounts, Runtime

ADA = Principal(id=uuid4(), roles=frozenset({"staff"}))
EVE = Principal(id=uuid4(), roles=frozenset({"guest"}))


def parts(limiter: Limiter, limits: Limits | None = None) -> Runtime:
    nowhere: Any = None
    traffic = Traffic(limiter, Admission(limiter, secret=b"secret"), Defaults.of(limits))
    return Runtime(database=nowhere, authenticator=NoAccounts(), traffic=traffic)


def scope() -> dict[str, Any]:
    return {"type": "http", "method": "GET", "headers": [], "client": ("192.0.2.1", 1), "state": {}}


def far() -> RedisLimiter:
    return RedisLimiter(RedisServer("redis://192.0.2.9"))


@pytest.mark.parametrize(
    ("limiter", "limits", "policy", "expected"),
    [
        (MemoryLimiter(), None, Policy("list"), True),
        (MemoryLimiter(), Limits(read=per_minute(5)), Policy("list"), True),
        (MemoryLimiter(), None, Policy("list", at_once=3), False),
        (far(), Limits(read=per_minute(5)), Policy("list"), False),
        (far(), Limits(write=per_minute(5)), Policy("list"), True),
        (far(), None, Policy("list", at_once_each=3), False),
    ],
)
def test_what_is_counted_elsewhere_or_held_has_to_be_waited_for(
    limiter: Limiter, limits: Limits | None, policy: Policy, expected: bool
) -> None:
    door, of_service = Door(anyone, policy), parts(limiter, limits)
    assert door.is_at_once(of_service) is expected
    assert door.enter_at_once(of_service, scope(), ANONYMOUS) is expected


def test_a_door_follows_the_traffic_of_whom_it_serves() -> None:
    door, free, counted = Door(anyone, Policy("list")), parts(MemoryLimiter()), Limits(read=per_minute(1))
    first, second = parts(MemoryLimiter(), counted), parts(MemoryLimiter(), counted)
    for each in (first, second):
        assert door.enter_at_once(free, scope(), ANONYMOUS)
        asked = scope()
        assert door.enter_at_once(each, asked, ANONYMOUS)
        assert asked["state"]["fh_headers"][1] == (b"ratelimit", b'"read";r=0;t=60')
        with pytest.raises(QuotaExceeded):
            door.enter_at_once(each, scope(), ANONYMOUS)


@pytest.mark.parametrize("rule", [role("staff"), role("staff") & signed_in])
def test_whom_the_rule_keeps_out_is_counted_and_never_let_in(rule: Rule) -> None:
    door, of_service = Door(rule, Policy("list")), parts(MemoryLimiter(), Limits(read=per_minute(4)))
    for _ in range(2):
        assert door.enter_at_once(of_service, scope(), ADA)
        with pytest.raises(Forbidden):
            door.enter_at_once(of_service, scope(), EVE)
        with pytest.raises(Unauthenticated):
            door.enter_at_once(of_service, scope(), ANONYMOUS)
    for each in (EVE, ANONYMOUS):
        for _ in range(2):
            with pytest.raises((Forbidden, Unauthenticated)):
                door.enter_at_once(of_service, scope(), each)
        with pytest.raises(QuotaExceeded):
            door.enter_at_once(of_service, scope(), each)
