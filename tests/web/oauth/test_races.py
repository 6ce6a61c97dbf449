"""Many at once, on both databases (BEHAVIOURS O04, T08, O11, O12)."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Coroutine
from typing import Any

import httpx2
import pytest
from sqlalchemy import Update, update

from freehold.identity.provider.clients import DEVICE, REFRESH
from freehold.identity.tables import SESSIONS
from freehold.resource import clock
from freehold.resource.principal import system
from freehold.testing import Stage
from tests.web.oauth.test_devices import begin
from tests.web.oauth.world import Browser, Hand, World

pytestmark = pytest.mark.anyio

AT_ONCE = 20
SHED = 503
"""A slow machine sheds load at the edge, before anything has begun."""


def one_of(answers: list[httpx2.Response], *, succeeds: int = 200) -> None:
    found = Counter(each.status_code for each in answers)
    assert found[succeeds] == 1 and found.keys() <= {succeeds, 400, SHED}, found


@pytest.fixture
def world(hand: Hand, real_stage: Stage) -> World:
    return World(real_stage)


async def test_O04_of_twenty_exchanges_one_succeeds_at_most(world: World) -> None:
    await world.person()
    client = await world.register()
    code = (await world.allowed(client))["code"]
    answers = await asyncio.gather(*(world.exchange(client, code) for _ in range(AT_ONCE)))
    one_of(answers)
    (won,) = [each.json() for each in answers if each.status_code == 200]
    assert not await world.is_good(won["access_token"]), "a code that came twice may be stolen"


async def _while_uncommitted(world: World, change: Update, asked: Coroutine[Any, Any, httpx2.Response]) -> int:
    """The status of a request that comes between a change and its commit."""
    async with world.app.database.writing(system("test")) as unit:
        await unit.session.execute(change)
        asking = asyncio.create_task(asked)
        await asyncio.sleep(0.3)
    return (await asking).status_code


async def test_O04_an_account_suspended_while_a_code_is_exchanged_gets_no_tokens(world: World) -> None:
    user_id = await world.person()
    client = await world.register()
    code = (await world.allowed(client))["code"]
    user = world.app.identity.user  # type: ignore[union-attr]
    suspended = update(user).where(user.id == user_id).values(is_active=False)
    assert await _while_uncommitted(world, suspended, world.exchange(client, code)) in (400, SHED)


async def test_O04_a_log_in_that_ends_while_a_code_is_exchanged_gives_no_tokens(world: World) -> None:
    user_id = await world.person()
    client = await world.register()
    code = (await world.allowed(client))["code"]
    ended = update(SESSIONS).where(SESSIONS.c.user_id == user_id).values(ended_at=clock.now())
    assert await _while_uncommitted(world, ended, world.exchange(client, code)) in (400, SHED)


async def test_T08_of_twenty_refreshes_one_family_lives(world: World) -> None:
    await world.person()
    client = await world.register()
    given = await world.tokens(client)
    answers = await asyncio.gather(*(world.refresh(client, given["refresh_token"]) for _ in range(AT_ONCE)))
    assert {each.status_code for each in answers} <= {200, SHED}
    (token,) = {each.json()["refresh_token"] for each in answers if each.status_code == 200}
    assert (await world.refresh(client, token)).status_code == 200


async def test_O12_of_twenty_uses_of_a_pushed_request_one_is_let_on(world: World) -> None:
    client = await world.register()
    form = {
        "response_type": "code", "redirect_uri": "https://planner.example/callback", "scope": "openid",
        "code_challenge": "x" * 43, "code_challenge_method": "S256", **client.proof(),
    }  # fmt: skip
    uri = (await world.client.post("/oauth/pushed-requests", data=form)).json()["request_uri"]
    place = f"/oauth/authorize?client_id={client.id}&request_uri={uri}"
    answers = await asyncio.gather(*(world.client.get(place) for _ in range(AT_ONCE)))
    one_of(answers, succeeds=303)


async def test_of_twenty_polls_of_an_allowed_device_one_gets_the_tokens(world: World) -> None:
    await world.person()
    client = await world.register(is_public=True, redirect_uris=[], grants=[DEVICE, REFRESH])
    begun = await begin(world, client)
    browser = Browser(world.stage)
    asked = (await browser.open(f"/oauth/device?user_code={begun['user_code']}")).page
    assert asked is not None
    page = (await browser.log_in(asked, "ada@example.com")).page
    assert page is not None
    await browser.send(page, decision="allow")
    polls = (world.ask(client, grant_type=DEVICE, device_code=begun["device_code"]) for _ in range(AT_ONCE))
    answers = await asyncio.gather(*polls)
    one_of(answers)
