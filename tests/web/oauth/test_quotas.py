"""How often the provider may be asked (BEHAVIOURS A07, R05): every endpoint, and a client's own quota."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx2
import pytest
from fastapi.routing import APIRoute, iter_route_contexts

from freehold.identity.provider.declaration import OF_A_CLIENT
from freehold.identity.throttle import PER_ADDRESS
from freehold.resource.quotas import Quota
from freehold.traffic.limits_memory import MemoryLimiter
from tests.web.oauth.world import ISSUER, Browser, Registered, World

pytestmark = pytest.mark.anyio

# What has no client and no person in it: documents that anybody may keep.
METADATA = {"/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"}


@pytest.fixture
def counting(world: World) -> Iterator[MemoryLimiter]:
    """Quotas count in this test; the application of the module has them off."""
    assert world.app.identity is not None
    identity, limiter = world.app.identity, MemoryLimiter(factor=1)
    parts = identity.parts
    identity._parts = replace(parts, throttle=replace(parts.throttle, limiter=limiter))
    yield limiter
    identity._parts = parts


def _endpoints(world: World) -> list[tuple[str, str]]:
    found = []
    for context in iter_route_contexts(world.app.routes):
        route = context.original_route
        if isinstance(route, APIRoute) and str(context.path).startswith("/oauth/") and route.methods:
            found += [(method, str(context.path)) for method in sorted(route.methods - {"HEAD", "OPTIONS"})]
    return found


async def test_R05_every_endpoint_of_the_provider_has_a_quota(world: World, counting: MemoryLimiter) -> None:
    endpoints = [(method, path) for method, path in _endpoints(world) if path != "/oauth/userinfo"]
    assert {path for _, path in endpoints} >= {
        "/oauth/token", "/oauth/authorize", "/oauth/introspection", "/oauth/revocation", "/oauth/pushed-requests",
        "/oauth/device-authorization", "/oauth/device", "/oauth/log-in/done", "/oauth/log-out", "/oauth/consent",
    }  # fmt: skip
    for method, path in endpoints:
        counting.clear()
        answers = [await world.client.request(method, path) for _ in range(PER_ADDRESS.limit + 1)]
        assert 429 not in [each.status_code for each in answers[:-1]], (method, path)
        assert answers[-1].status_code == 429, (method, path)
        assert int(answers[-1].headers["retry-after"]) <= 60


async def test_R05_a_client_that_proves_itself_has_a_quota_of_its_own(world: World, counting: MemoryLimiter) -> None:
    client, other = await world.register(), await world.register()
    provider = world.provider
    object.__setattr__(provider, "quota", Quota(70, PER_ADDRESS.window))
    try:
        asked = [await world.refresh(client, "fhp_x") for _ in range(71)]
        assert [each.status_code for each in asked] == [400] * 70 + [429], "more than its address has"
        assert (await world.refresh(other, "fhp_x")).status_code == 400, "and nobody else's"
        nobody = Registered("01890000-0000-7000-8000-000000000000")
        guessed = [await world.refresh(nobody, "fhp_x") for _ in range(PER_ADDRESS.limit + 1)]
        assert guessed[0].status_code == 401 and guessed[-1].status_code == 429
    finally:
        object.__setattr__(provider, "quota", OF_A_CLIENT)


async def test_R05_people_behind_one_address_share_no_quota_of_a_public_client_with_others(
    world: World, counting: MemoryLimiter
) -> None:
    first, second = await world.register(is_public=True), await world.register(is_public=True)
    provider, (quota, bound) = world.provider, (world.provider.public_quota, world.provider.public_bound)
    object.__setattr__(provider, "public_quota", Quota(70, PER_ADDRESS.window))
    object.__setattr__(provider, "public_bound", Quota(90, PER_ADDRESS.window))
    try:
        asked = [await world.refresh(first, "fhp_x") for _ in range(71)]
        assert [each.status_code for each in asked] == [400] * 70 + [429], "more than who names nobody has"
        others = [await world.refresh(second, "fhp_x") for _ in range(21)]
        assert [each.status_code for each in others] == [400] * 20 + [429], "an address has a bound over all of them"
        transport = httpx2.ASGITransport(app=world.app, client=("198.51.100.7", 1))
        async with httpx2.AsyncClient(transport=transport, base_url=ISSUER) as elsewhere:
            form = {**first.proof(), "grant_type": "refresh_token", "refresh_token": "fhp_x"}
            assert (await elsewhere.post("/oauth/token", data=form)).status_code == 400, (
                "and nobody elsewhere pays for it"
            )
    finally:
        object.__setattr__(provider, "public_quota", quota)
        object.__setattr__(provider, "public_bound", bound)


async def test_R05_a_person_is_told_on_a_page(world: World, browser: Browser, counting: MemoryLimiter) -> None:
    client = await world.register()
    answers: list[Any] = [await browser.client.get(world.address(client)) for _ in range(PER_ADDRESS.limit + 1)]
    assert answers[0].status_code == 303
    assert (answers[-1].status_code, answers[-1].headers["content-type"]) == (429, "text/html; charset=utf-8")
    assert "Too many tries" in answers[-1].text
    assert {"retry-after", "ratelimit", "ratelimit-policy"} <= answers[-1].headers.keys()
