"""Quotas and concurrency over HTTP: who is counted, what is told, and that a refusal costs nothing (R01 to R07)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import pytest
from fastapi import FastAPI
from sqlalchemy import MetaData, String
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Mapped, mapped_column

from freehold import Access, Db, Freehold, Principal, Resource, Router, Session, allow, anyone, install, role, signed_in
from freehold.errors import ConfigurationError
from freehold.resource.base import NAMING
from freehold.resource.base import Base as FreeholdBase
from freehold.settings import Settings
from freehold.testing import House, Stage, opened
from freehold.traffic import Limits, Quota, per_day, per_hour, per_minute
from freehold.traffic.limits_memory import MemoryLimiter
from tests.web.shelf import ByName, as_
from tests.web.structured_fields import parse_list

pytestmark = pytest.mark.anyio
Client = httpx2.AsyncClient
SECOND = 1_000_000_000


class Base(FreeholdBase):
    __abstract__ = True
    metadata = MetaData(naming_convention=NAMING)


class Card(Base):
    __tablename__ = "limited_cards"
    title: Mapped[str] = mapped_column(String(60))


class Clock:
    """A monotonic clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 17 * SECOND

    def __call__(self) -> int:
        return self.now


class Door:
    """What requests in progress wait for."""

    opened = asyncio.Event()
    came = asyncio.Condition()
    inside = 0

    @classmethod
    async def until(cls, inside: int) -> None:
        async with cls.came:
            await cls.came.wait_for(lambda: cls.inside >= inside)


CLOCK = Clock()
router = Router(prefix="/v1/own")


@router.get("/report", dependencies=[allow(anyone, quota=[per_minute(4), per_day(6)], cost=2)])
async def report() -> str:
    return "report"


@router.get("/slow", dependencies=[allow(anyone, at_once=3, at_once_each=2)])
async def slow() -> str:
    async with Door.came:
        Door.inside += 1
        Door.came.notify_all()
    await Door.opened.wait()
    return "slow"


@router.get("/plain", dependencies=[allow(anyone)])
async def plain(db: Db) -> str:
    return "plain"


@router.post("/staff", dependencies=[allow(role("staff"))])
async def for_staff(db: Db) -> str:
    return "staff"


async def pin(db: Session, actor: Principal, card: Card) -> None:
    """Nothing that counts more than another change."""


def cards() -> Resource:
    found = Resource(
        Card,
        access=Access(read=anyone, write=signed_in),
        limits=Limits(
            read=per_minute(5, roles={"staff": 7}, anonymous=3),
            operations={"create": [per_minute(3), per_hour(4)]},
            costs={"one": 2},
        ),
    )
    found.action("pin", pin, access=signed_in)
    return found


class ByKey(ByName):
    """`Key 1` is a machine, which has no account."""

    async def authenticate(self, authorization: Sequence[str]) -> Principal:
        if authorization and authorization[0].startswith("Key "):
            return Principal(key_id=UUID(int=int(authorization[0][4:])))
        return await super().authenticate(authorization)


def make(folder: Path, **changes: Any) -> Freehold:
    settings = Settings(
        env="test", var_dir=folder, database_url=f"sqlite+aiosqlite:///{folder}/t.db", secret="x" * 40,
        log_level="error", trusted_proxies=["127.0.0.0/8"], **changes,
    )  # fmt: skip
    limits = Limits(read=per_minute(8), write=per_minute(2))
    return Freehold(cards(), settings=settings, authenticator=ByKey(), routers=[router], limits=limits)


@pytest.fixture(scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    app = make(tmp_path_factory.mktemp("limits"))
    assert isinstance(app.traffic.limiter, MemoryLimiter)
    app.traffic.limiter._now = CLOCK
    async with opened(app) as found:
        yield found


@pytest.fixture
async def stage(house: House) -> AsyncIterator[Stage]:
    Door.opened, Door.came, Door.inside = asyncio.Event(), asyncio.Condition(), 0
    CLOCK.now += 100_000 * SECOND
    async with house.stage() as found:
        yield found


@pytest.fixture
async def client(stage: Stage) -> AsyncIterator[Client]:
    async with stage.client() as found:
        yield found


CARDS = "/v1/limited-cards"


async def statuses(client: Client, path: str, times: int, method: str = "GET", **headers: str) -> list[int]:
    return [(await client.request(method, path, headers=headers)).status_code for _ in range(times)]


def told(answer: httpx2.Response) -> tuple[dict[str, Any], dict[str, Any]]:
    """The parameters of the policy and of what is left, by the name of the quota."""
    policies, limits = (parse_list(answer.headers[name]) for name in ("ratelimit-policy", "ratelimit"))
    assert [each.value for each in policies] == [each.value for each in limits]
    by_name = [{item.value: item.parameters for item in each} for each in (policies, limits)]
    return by_name[0], by_name[1]


async def test_R01_the_request_after_the_last_is_429_with_all_that_is_to_be_said(client: Client) -> None:
    ada = as_("ada")
    for left in (4, 3, 2, 1, 0):
        answer = await client.get(CARDS, headers=ada)
        policy, limit = told(answer)
        assert (answer.status_code, policy) == (200, {"limited-cards-read": {"q": 5, "w": 60}})
        assert limit["limited-cards-read"]["r"] == left
        CLOCK.now += SECOND
    refused = await client.get(CARDS, headers=ada)
    problem, (policy, limit) = refused.json(), told(refused)
    assert (refused.status_code, problem["status"]) == (429, 429)
    assert problem["type"] == "https://iana.org/assignments/http-problem-types#quota-exceeded"
    assert problem["code"] == "request.quota_exceeded"
    assert problem["violated-policies"] == ["limited-cards-read"]
    assert policy == {"limited-cards-read": {"q": 5, "w": 60}}
    assert limit == {"limited-cards-read": {"r": 0, "t": 55}}
    assert int(refused.headers["retry-after"]) == 55
    assert (refused.headers["content-type"], refused.headers["cache-control"]) == (
        "application/problem+json",
        "no-store",
    )


async def test_R02_who_waits_is_served_and_refused_requests_do_not_push_the_window(client: Client) -> None:
    ada = as_("ada")
    assert await statuses(client, CARDS, 5, **ada) == [200] * 5
    for _ in range(54):
        CLOCK.now += SECOND
        refused = await client.get(CARDS, headers=ada)
        assert refused.status_code == 429
    CLOCK.now += int(refused.headers["retry-after"]) * SECOND
    assert await statuses(client, CARDS, 6, **ada) == [200] * 5 + [429]


async def test_R02_nothing_of_a_caller_is_in_the_headers_or_in_the_store(client: Client, stage: Stage) -> None:
    answer = await client.get(CARDS, headers={"x-forwarded-for": "203.0.113.9", **as_("ada")})
    assert {key for each in told(answer) for one in each.values() for key in one} <= {"q", "w", "r", "t"}
    limiter = stage.app.traffic.limiter
    assert isinstance(limiter, MemoryLimiter)
    assert all(len(key) == 32 and int(key, 16) for _, key in limiter._entries)


async def test_R04_the_caller_is_the_user_wherever_it_comes_from(client: Client) -> None:
    for number in range(5):
        answer = await client.get(CARDS, headers={"x-forwarded-for": f"203.0.113.{number}", **as_("ada")})
        assert answer.status_code == 200
    assert await statuses(client, CARDS, 1, **as_("ada")) == [429]
    assert await statuses(client, CARDS, 5, **as_("bob")) == [200] * 5


async def test_R04_a_key_is_a_caller_and_else_the_address_is(client: Client) -> None:
    for number in (1, 2):
        assert await statuses(client, CARDS, 6, authorization=f"Key {number}") == [200] * 5 + [429]
    assert await statuses(client, CARDS, 4) == [200] * 3 + [429], "anonymous callers have a limit of their own"


@pytest.mark.parametrize(
    ("first", "second", "is_one"),
    [
        ("203.0.113.7", "203.0.113.8", False),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("203.0.113.7", "10.0.0.1, 203.0.113.7", True),
        ("203.0.113.7", "::ffff:203.0.113.7", True),
    ],
)
async def test_R04_addresses_from_trusted_proxies(client: Client, first: str, second: str, is_one: bool) -> None:
    assert await statuses(client, CARDS, 3, **{"x-forwarded-for": first}) == [200] * 3
    assert await statuses(client, CARDS, 1, **{"x-forwarded-for": second}) == ([429] if is_one else [200])


async def test_R04_a_spoofed_header_changes_nothing(stage: Stage) -> None:
    transport = httpx2.ASGITransport(app=stage.app, client=("198.51.100.1", 1))
    async with httpx2.AsyncClient(transport=transport, base_url="http://testserver") as client:
        for number in range(3):
            spoofed = {"x-forwarded-for": f"203.0.113.{number}", "forwarded": f"for=203.0.113.{number}"}
            assert await statuses(client, CARDS, 1, **spoofed) == [200]
        assert await statuses(client, CARDS, 1, **{"x-real-ip": "1.1.1.1", "x-client-ip": "1.1.1.1"}) == [429]


async def test_a_role_has_a_limit_of_its_own(client: Client) -> None:
    assert await statuses(client, CARDS, 8, **as_("staff")) == [200] * 7 + [429]


async def test_R07_a_request_may_cost_more_than_one_and_several_quotas_hold_together(client: Client) -> None:
    answer = await client.get("/v1/own/report")
    policy, limit = told(answer)
    name = next(iter(policy))
    assert policy == {name: {"q": 4, "w": 60}, f"{name}-86400s": {"q": 6, "w": 86_400}}
    assert [each["r"] for each in limit.values()] == [2, 4]
    assert await statuses(client, "/v1/own/report", 2) == [200, 429]
    CLOCK.now += 60 * SECOND
    assert await statuses(client, "/v1/own/report", 2) == [200, 429]
    refused = await client.get("/v1/own/report")
    assert refused.json()["violated-policies"] == [f"{name}-86400s"]
    CLOCK.now += 60 * SECOND
    assert told(await client.get("/v1/own/report"))[1][f"{name}-86400s"]["r"] == 0, "the day refuses, and took nothing"
    card = (await client.post(CARDS, json={"title": "a"}, headers=as_("ada"))).headers["location"]
    assert told(await client.get(card, headers=as_("ada")))[1]["limited-cards-read"]["r"] == 3


async def test_a_quota_that_refuses_does_not_use_up_another(client: Client) -> None:
    ada, draft = as_("ada"), {"title": "a"}
    made = [(await client.post(CARDS, json=draft, headers=ada)).status_code for _ in range(6)]
    assert made == [201] * 3 + [429] * 3
    CLOCK.now += 60 * SECOND
    made = [(await client.post(CARDS, json=draft, headers=ada)).status_code for _ in range(2)]
    assert made == [201, 429], "of the hour one unit was left"


async def test_the_most_specific_quota_counts_and_the_service_has_one_for_the_rest(client: Client) -> None:
    ada = as_("ada")
    assert next(iter(told(await client.post(CARDS, json={"title": "a"}, headers=ada))[0])) == "limited-cards-create"
    card = (await client.get(CARDS, headers=ada)).json()["items"][0]["id"]
    assert list(told(await client.get("/v1/own/plain", headers=ada))[0]) == ["read"]
    pinned = [await client.post(f"{CARDS}/{card}/pin", headers=ada) for _ in range(3)]
    assert [each.status_code for each in pinned] == [200, 200, 429]
    assert list(told(pinned[0])[0]) == ["write"]
    assert await statuses(client, "/v1/own/staff", 1, "POST", **ada) == [429], "one count for all of them"


async def test_the_order_of_refusals_is_401_429_403_422(client: Client) -> None:
    assert await statuses(client, "/v1/own/staff", 4, "POST", **as_("bob")) == [403, 403, 429, 429]
    assert await statuses(client, "/v1/own/staff", 3, "POST", authorization="Bearer nobody") == [401] * 3
    assert await statuses(client, f"{CARDS}?limit=0", 6, **as_("ada")) == [422] * 5 + [429]
    assert (await client.post(CARDS, content=b"{", headers=as_("ada"))).status_code == 415


@pytest.fixture
async def real_client(house: House) -> AsyncIterator[Client]:
    """On a stage that is not isolated: there requests really run at the same time."""
    Door.opened, Door.came, Door.inside = asyncio.Event(), asyncio.Condition(), 0
    async with house.stage(isolate=False) as stage, stage.client() as found:
        yield found


async def test_R07_what_is_in_progress_is_limited_and_nobody_waits(real_client: Client) -> None:
    client = real_client
    running = [asyncio.create_task(client.get("/v1/own/slow", headers=as_("ada"))) for _ in range(2)]
    await Door.until(2)
    mine = await client.get("/v1/own/slow", headers=as_("ada"))
    assert (mine.status_code, mine.json()["code"], mine.headers["retry-after"]) == (
        429,
        "request.too_many_at_once",
        "1",
    )
    running.append(asyncio.create_task(client.get("/v1/own/slow", headers=as_("bob"))))
    await Door.until(3)
    full = await client.get("/v1/own/slow", headers=as_("staff"))
    assert (full.status_code, full.json()["code"], full.headers["retry-after"]) == (503, "service.at_capacity", "1")
    Door.opened.set()
    assert [(await each).status_code for each in running] == [200] * 3
    assert (await client.get("/v1/own/slow", headers=as_("staff"))).status_code == 200
    cancelled = asyncio.create_task(client.get("/v1/own/slow", headers=as_("ada")))
    await asyncio.sleep(0)
    cancelled.cancel()
    await asyncio.gather(cancelled, return_exceptions=True)
    assert (await client.get("/v1/own/slow", headers=as_("ada"))).status_code == 200


async def test_refusals_are_counted_by_policy_and_the_document_tells_of_quotas(client: Client) -> None:
    assert await statuses(client, CARDS, 6, **as_("ada")) == [200] * 5 + [429]
    metrics = (await client.get("/metrics")).text
    assert 'freehold_limits_refused_total{policy="limited-cards-read"}' in metrics
    paths = (await client.get("/openapi.json")).json()["paths"]
    for path, method in ((CARDS, "get"), (CARDS, "post"), ("/v1/own/plain", "get"), ("/v1/own/report", "get")):
        for status in ("200" if method == "get" else "201", "429", "422" if "own" not in path else "500"):
            assert {"RateLimit", "RateLimit-Policy"} <= paths[path][method]["responses"][status]["headers"].keys()


async def test_FREEHOLD_LIMITS_switches_off_or_widens(tmp_path: Path) -> None:
    for given, expected in (("off", [200] * 9), ("x2", [200] * 6 + [429] * 3)):
        folder = tmp_path / given
        folder.mkdir()
        app = make(folder, limits=given)
        async with opened(app) as house, house.stage() as stage, stage.client() as client:
            assert await statuses(client, CARDS, 9) == expected
            assert ("ratelimit" in (await client.get(CARDS)).headers) is (given != "off")


async def test_an_application_that_was_there_first_has_limits_too(tmp_path: Path) -> None:
    app, engine = FastAPI(), create_async_engine(f"sqlite+aiosqlite:///{tmp_path}/old.db")

    async def session() -> AsyncSession:
        raise AssertionError

    @app.get("/old")
    async def old() -> str:
        return "old"

    @app.get("/dear", dependencies=[allow(anyone, quota=per_minute(2))])
    async def dear() -> str:
        return "dear"

    install(app, engine, session=session, limits=Limits(read=per_minute(3)))
    transport = httpx2.ASGITransport(app=app, client=("192.0.2.1", 1))
    async with app.router.lifespan_context(app), httpx2.AsyncClient(transport=transport, base_url="http://t") as client:
        assert await statuses(client, "/old", 4) == [200] * 3 + [429]
        assert await statuses(client, "/dear", 3) == [200] * 2 + [429]
    await engine.dispose()


def test_wrong_declarations_stop_the_start(tmp_path: Path) -> None:
    settings = Settings(env="test", var_dir=tmp_path, secret="x" * 40)

    def built(limits: Limits, service: Limits | None = None) -> Freehold:
        return Freehold(Resource(Card, access=Access(read=anyone), limits=limits), settings=settings, limits=service)

    with pytest.raises(ConfigurationError, match=r"limited-cards: its limits name 'create', 'popular'.*list, one"):
        built(Limits(operations={"popular": per_minute(1)}, costs={"create": 2}))
    with pytest.raises(ConfigurationError, match="belongs to the limits of a resource"):
        built(Limits(), Limits(costs={"list": 2}))
    for wrong in ({"costs": {"list": 0}}, {"at_once": {"list": 0}}):
        with pytest.raises(ConfigurationError, match="'list' has 0"):
            Limits(**wrong)  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="1 or more"):
        allow(anyone, at_once=0)
    with pytest.raises(
        ConfigurationError, match=r"limited-cards-read: 5 in 1 minute never lets .*'list_limited_cards' pass.* costs 9"
    ):
        built(Limits(read=per_minute(5), costs={"list": 9}))
    for quota in (lambda: per_minute(0), lambda: Quota(5, per_minute(1).window, roles={"a": 0})):
        with pytest.raises(ValueError, match="at least one unit"):
            quota()
