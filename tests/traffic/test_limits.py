"""The port of quotas, in one process and over several: what every form of it lets through."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.redis_server import OwnRedis

from freehold.errors import Unavailable
from freehold.observe.metrics import Metrics
from freehold.remote import RedisServer
from freehold.resource.principal import ANONYMOUS, Principal
from freehold.traffic.limits import (
    Decision,
    Limiter,
    Quota,
    QuotaExceeded,
    address_key,
    rate_limit_headers,
    take,
)
from freehold.traffic.limits_memory import MemoryLimiter
from freehold.traffic.limits_redis import RedisLimiter

pytestmark = pytest.mark.anyio

SECOND = 1_000_000_000
FIVE = Quota(5, timedelta(seconds=60))
LARGE = Quota(150, timedelta(hours=1))


class Clock:
    def __init__(self) -> None:
        self.now = 17 * SECOND

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def over_redis(redis: RedisServer, clock: Clock, **options: Any) -> RedisLimiter:
    return RedisLimiter(redis, clock=lambda: clock.now // 1000, **options)


@pytest.fixture(params=["memory", "redis"])
def limiter(request: pytest.FixtureRequest, clock: Clock) -> Limiter:
    if request.param == "memory":
        return MemoryLimiter(monotonic_ns=clock)
    return over_redis(request.getfixturevalue("redis"), clock)


@pytest.mark.parametrize("quota", [FIVE, Quota(100, timedelta(seconds=60)), LARGE])
async def test_R01_the_request_after_the_last_is_refused(limiter: Limiter, quota: Quota) -> None:
    decisions = [await limiter.hit("api", "a", quota) for _ in range(quota.limit + 1)]
    assert [d.allowed for d in decisions] == [True] * quota.limit + [False]
    assert [d.remaining for d in decisions] == [*range(quota.limit - 1, -1, -1), 0]
    assert (await limiter.hit("api", "b", quota)).allowed
    assert (await limiter.hit("other", "a", quota)).allowed


@pytest.mark.parametrize("quota", [FIVE, LARGE])
async def test_R02_who_waits_out_the_reset_is_served(limiter: Limiter, clock: Clock, quota: Quota) -> None:
    while (last := await limiter.hit("api", "a", quota)).allowed:
        clock.now += SECOND // 7
    clock.now += last.reset_seconds * SECOND
    assert (await limiter.hit("api", "a", quota)).allowed


@pytest.mark.parametrize("quota", [FIVE, LARGE])
async def test_R05_refused_requests_do_not_push_the_window_on(limiter: Limiter, clock: Clock, quota: Quota) -> None:
    while (last := await limiter.hit("api", "a", quota)).allowed:
        pass
    end = clock.now + last.reset_seconds * SECOND
    while clock.now < end - SECOND:  # the reset is rounded up to a whole second
        assert not (await limiter.hit("api", "a", quota)).allowed
        clock.now += SECOND // 10
    clock.now = end
    assert (await limiter.hit("api", "a", quota)).allowed


@pytest.mark.slow
@settings(max_examples=200)
@given(
    limit=st.integers(1, 8),
    steps=st.lists(st.tuples(st.integers(0, 4000), st.integers(1, 3)), min_size=1, max_size=60),
)
async def test_the_window_is_exact_whatever_the_arrivals(limit: int, steps: list[tuple[int, int]]) -> None:
    clock = Clock()
    limiter, quota = MemoryLimiter(monotonic_ns=clock), Quota(limit, timedelta(seconds=10))
    taken: list[int] = []
    for milliseconds, cost in steps:
        clock.now += milliseconds * SECOND // 1000
        in_window = [at for at in taken if clock.now - at < 10 * SECOND]
        decision = await limiter.hit("api", "a", quota, cost=cost)
        assert decision.allowed == (len(in_window) + cost <= limit)
        assert decision.remaining >= 0
        taken += [clock.now] * cost if decision.allowed else []


@settings(max_examples=100)
@given(steps=st.lists(st.tuples(st.integers(0, 60_000), st.integers(1, 150)), min_size=1, max_size=60))
async def test_gcra_never_lets_more_through_than_burst_and_rate(steps: list[tuple[int, int]]) -> None:
    clock = Clock()
    limiter, quota = MemoryLimiter(monotonic_ns=clock), Quota(200, timedelta(seconds=60))
    start, passed = clock.now, 0
    for milliseconds, cost in steps:
        clock.now += milliseconds * SECOND // 1000
        decision = await limiter.hit("api", "a", quota, cost=cost)
        passed += cost if decision.allowed else 0
        assert passed <= 200 + (clock.now - start) * 200 / (60 * SECOND) + 1
        if not decision.allowed:
            clock.now += decision.reset_seconds * SECOND
            assert (await limiter.hit("api", "a", quota, cost=cost)).allowed
            passed += cost


@pytest.mark.parametrize("quota", [FIVE, LARGE])
async def test_units_given_back_can_be_taken_again(limiter: Limiter, quota: Quota) -> None:
    for _ in range(quota.limit):
        await limiter.hit("api", "a", quota)
    await limiter.give_back("api", "a", quota)
    assert (await limiter.hit("api", "a", quota)).allowed
    assert not (await limiter.hit("api", "a", quota)).allowed


async def test_a_cost_above_the_limit_never_passes_and_costs_nothing(limiter: Limiter) -> None:
    assert not (await limiter.hit("api", "a", FIVE, cost=6)).allowed
    assert not (await limiter.hit("api", "b", LARGE, cost=151)).allowed
    assert (await limiter.hit("api", "a", FIVE, cost=5)).allowed


async def test_a_key_of_a_long_window_that_is_used_on_keeps_no_others_from_being_forgotten(clock: Clock) -> None:
    limiter = MemoryLimiter(monotonic_ns=clock)
    daily = Quota(50, timedelta(days=1))
    for second in range(2_000):
        clock.now += SECOND
        if second % 500 == 0:
            await limiter.hit("daily", "everyone", daily)
        await limiter.hit("minute", f"client-{second}", FIVE)
    assert len(limiter) < 600


async def test_idle_keys_are_forgotten_and_the_number_of_keys_is_bounded(clock: Clock) -> None:
    limiter = MemoryLimiter(monotonic_ns=clock, max_keys=50)
    for number in range(500):
        await limiter.hit("api", str(number), FIVE)
        assert len(limiter) <= 51
    clock.now += 61 * SECOND
    for _ in range(40):
        await limiter.hit("api", "one", FIVE)
    assert len(limiter) == 1


async def test_calm_callers_are_remembered_for_a_moment_and_not_for_longer(clock: Clock) -> None:
    limiter, quick = MemoryLimiter(monotonic_ns=clock), Quota(60_000, timedelta(minutes=1))
    for _ in range(20):
        for caller in ("ada", "bob", "eve"):
            clock.now += 100_000_000
            await limiter.hit("api", caller, quick)
        assert len(limiter) == 3
    clock.now += 1_100_000_000
    for _ in range(2):
        await limiter.hit("api", "zoe", quick)
    assert len(limiter) == 1


async def test_a_flood_of_refusals_does_not_keep_a_key_alive_nor_lose_it(clock: Clock) -> None:
    limiter = MemoryLimiter(monotonic_ns=clock)
    for _ in range(50):
        last = await limiter.hit("api", "a", FIVE)
        await limiter.hit("api", f"other {_}", FIVE)
    assert not last.allowed


async def test_the_factor_multiplies_and_off_counts_nothing(clock: Clock, redis: RedisServer) -> None:
    for wide in (MemoryLimiter(factor=3, monotonic_ns=clock), over_redis(redis, clock, factor=3)):
        assert [(await wide.hit("api", "a", FIVE)).allowed for _ in range(16)] == [True] * 15 + [False]
    off = MemoryLimiter(factor=None, monotonic_ns=clock)
    for none in (off, over_redis(redis, clock, factor=None)):
        assert all([(await none.hit("api", "a", FIVE)).allowed for _ in range(50)])
    assert len(off) == 0


async def test_what_one_quota_refuses_uses_up_no_other(limiter: Limiter) -> None:
    minute, hour = Quota(5, timedelta(minutes=1)), Quota(200, timedelta(hours=1))
    both = [("minute", "a", minute), ("hour", "a", hour)]
    for _ in range(5):
        assert [decision.allowed for decision in await limiter.hit_all(both)] == [True, True]
    for _ in range(3):
        assert [decision.allowed for decision in await limiter.hit_all(both)] == [False, True]
    assert (await limiter.hit("hour", "a", hour)).remaining == 194
    with pytest.raises(QuotaExceeded) as refused:
        await take(limiter, both)
    assert refused.value.extra["violated-policies"] == ["minute"]


@settings(max_examples=40)
@given(
    limit=st.sampled_from([1, 3, 8, 100, 101, 150, 9_999]),
    steps=st.lists(st.tuples(st.integers(0, 9_000), st.integers(1, 4), st.booleans()), min_size=1, max_size=40),
)
async def test_R03_both_forms_decide_alike(redis: RedisServer, limit: int, steps: list[tuple[int, int, bool]]) -> None:
    clock, quota, key = Clock(), Quota(limit, timedelta(seconds=20)), uuid4().hex
    memory, shared = MemoryLimiter(monotonic_ns=clock), over_redis(redis, clock)
    for milliseconds, cost, returned in steps:
        clock.now += milliseconds * 1_000_000
        one, other = [await each.hit("api", key, quota, cost=cost) for each in (memory, shared)]
        assert other == one
        if returned and one.allowed:
            for each in (memory, shared):
                await each.give_back("api", key, quota, cost=cost)


async def test_R03_exactly_as_many_pass_as_may_over_several_processes(redis_server: OwnRedis) -> None:
    """Each client has a connection of its own, as a process has; 200 at once, a limit of 50."""
    prefix, quota = uuid4().hex, Quota(50, timedelta(minutes=1))
    clients = [RedisServer(redis_server.url, prefix=prefix) for _ in range(4)]
    for client in clients:
        await client.open()
    try:
        limiters = [RedisLimiter(client) for client in clients]
        decisions = await asyncio.gather(*(limiters[n % 4].hit("api", "ada", quota) for n in range(200)))
        assert sum(decision.allowed for decision in decisions) == 50
        assert {decision.remaining for decision in decisions} == set(range(50))
        assert {(await limiters[0].hit("api", f"{n}", quota, cost=51)).allowed for n in range(3)} == {False}
    finally:
        for client in clients:
            await client.close()


async def test_F06_a_clock_of_the_server_that_goes_back_locks_nobody_out(redis: RedisServer, clock: Clock) -> None:
    limiter = over_redis(redis, clock)
    clock.now += 7200 * SECOND
    quotas = (FIVE, LARGE)
    for quota in quotas:
        while (await limiter.hit("api", "a", quota)).allowed:
            clock.now += SECOND // 1000
    clock.now -= 3600 * SECOND
    for quota in quotas:
        last = await limiter.hit("api", "a", quota)
        assert not last.allowed and last.reset_seconds <= quota.window_seconds
        clock.now += last.reset_seconds * SECOND
        assert (await limiter.hit("api", "a", quota)).allowed


async def test_R06_with_redis_away_each_quota_does_as_it_says(
    redis_server: OwnRedis, caplog: pytest.LogCaptureFixture
) -> None:
    metrics, nowhere = Metrics(), RedisServer(f"{redis_server.url}.nowhere")
    limiter = RedisLimiter(nowhere, metrics=metrics)
    opened = [("api", "a", FIVE), ("log-in", "a", replace(FIVE, when_away="count"))]
    passed = [all(decision.allowed for decision in await limiter.hit_all(opened)) for _ in range(7)]
    assert passed == [True] * 5 + [False] * 2
    assert [(await limiter.hit("api", "a", FIVE)).remaining for _ in range(7)] == [5] * 7
    with pytest.raises(Unavailable):
        await limiter.hit("dear", "a", replace(FIVE, when_away="refuse"))
    await limiter.give_back("log-in", "a", replace(FIVE, when_away="count"))
    assert all(decision.allowed for decision in await limiter.hit_all(opened))
    assert [record.getMessage()[:13] for record in caplog.records] == ["redis is away"], "said once"
    counted = metrics.registry.get_sample_value(
        "freehold_limits_without_redis_total", {"policy": "log-in", "judged": "count"}
    )
    assert counted == 8


@pytest.mark.parametrize(
    ("client", "key"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1%eth0", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("testclient", "unknown"),
        (None, "unknown"),
    ],
)
def test_R04_an_IPv6_caller_is_its_64_bit_network(client: str | None, key: str) -> None:
    assert address_key(client) == key


def test_R01_headers_and_problem_name_the_broken_quotas() -> None:
    minute = Quota(60, timedelta(minutes=1))
    decisions = [Decision(False, "login", FIVE, 0, 12), Decision(True, "login-address", minute, 55, 3)]
    assert rate_limit_headers(decisions) == {
        "RateLimit-Policy": '"login";q=5;w=60, "login-address";q=60;w=60',
        "RateLimit": '"login";r=0;t=12, "login-address";r=55;t=3',
    }
    problem = QuotaExceeded(decisions)
    assert problem.headers["Retry-After"] == "12"
    assert problem.headers["RateLimit"] == '"login";r=0;t=12'
    assert problem.extra["violated-policies"] == ["login"]


def test_each_kind_of_caller_has_one_quota_made_once() -> None:
    quota = Quota(5, timedelta(minutes=1), roles={"staff": 7, "admin": 900}, anonymous=3, when_away="count")
    ada = Principal(id=uuid4(), roles=frozenset({"staff"}))
    both = replace(ada, roles=frozenset({"staff", "admin", "other"}))
    stranger = Principal(id=uuid4(), roles=frozenset({"other"}))
    found = [quota.of(each) for each in (ANONYMOUS, ada, both, stranger)]
    assert [each.limit for each in found] == [3, 7, 900, 5]
    assert {(each.window, each.when_away) for each in found} == {(timedelta(minutes=1), "count")}
    assert all(quota.of(each) is one for each, one in zip((ANONYMOUS, ada, both, stranger), found, strict=True))
    assert [each.varies for each in found] == [False, False, False, True]


async def test_a_caller_whose_role_goes_has_taken_what_it_took(clock: Clock) -> None:
    limiter, quota = MemoryLimiter(monotonic_ns=clock), Quota(3, timedelta(minutes=1), roles={"staff": 6})
    before = Principal(id=uuid4(), roles=frozenset({"staff"}))
    for _ in range(4):
        assert (await limiter.hit("api", "ada", quota.of(before))).allowed
    assert not (await limiter.hit("api", "ada", quota.of(replace(before, roles=frozenset())))).allowed
    assert (await limiter.hit("api", "ada", quota.of(before))).remaining == 1


@pytest.mark.parametrize(("limit", "seconds"), [(0, 1), (-1, 1), (1, 0)])
def test_a_quota_of_nothing_is_a_mistake(limit: int, seconds: int) -> None:
    with pytest.raises(ValueError, match="quota"):
        Quota(limit, timedelta(seconds=seconds))
