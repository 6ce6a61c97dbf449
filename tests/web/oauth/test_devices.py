"""The device grant (RFC 8628)."""

from __future__ import annotations

from typing import Any

import pytest

from freehold.identity.provider.clients import DEVICE, REFRESH
from tests.web.oauth.world import Browser, Hand, Registered, World, claims_in

pytestmark = pytest.mark.anyio


async def television(world: World) -> Registered:
    return await world.register(name="Television", is_public=True, redirect_uris=[], grants=[DEVICE, REFRESH])


async def begin(world: World, client: Registered, scope: str = "openid notes:read") -> dict[str, Any]:
    answer = await world.client.post("/oauth/device-authorization", data={**client.proof(), "scope": scope})
    assert answer.status_code == 200, answer.text
    begun: dict[str, Any] = answer.json()
    return begun


async def poll(world: World, client: Registered, begun: dict[str, Any]) -> dict[str, Any]:
    answer = await world.ask(client, grant_type=DEVICE, device_code=begun["device_code"])
    said: dict[str, Any] = answer.json()
    return said


async def consent_page(browser: Browser, begun: dict[str, Any]) -> Any:
    asked = await browser.open(begun["verification_uri"])
    assert asked.page is not None
    form = (await browser.log_in(asked.page, "ada@example.com")).page
    assert form is not None and "Connect a device" in form.text
    typed = begun["user_code"].lower().replace("-", " ")
    return (await browser.send(form, user_code=typed)).page


async def test_a_device_is_let_in(world: World, browser: Browser, hand: Hand) -> None:
    user_id, client = await world.person(), await television(world)
    begun = await begin(world, client)
    assert begun.keys() == {
        "device_code", "user_code", "verification_uri", "verification_uri_complete", "expires_in", "interval"
    }  # fmt: skip
    assert (await poll(world, client, begun))["error"] == "authorization_pending"
    page = await consent_page(browser, begun)
    assert begun["user_code"] in page.text and "Read your notes" in page.text
    done = await browser.send(page, decision="allow")
    assert done.page is not None and "The device is connected" in done.page.text
    hand.forward(seconds=5)
    given = await poll(world, client, begun)
    assert claims_in(given["id_token"])["sub"] == str(user_id)
    assert (await world.refresh(client, given["refresh_token"])).status_code == 200
    assert (await poll(world, client, begun))["error"] == "invalid_grant"


async def test_a_device_is_turned_away(world: World, browser: Browser) -> None:
    await world.person()
    client = await television(world)
    begun = await begin(world, client)
    page = await consent_page(browser, begun)
    done = await browser.send(page, decision="deny")
    assert done.page is not None and "turned away" in done.page.text
    again = await browser.send(page, decision="allow")
    assert again.page is not None and again.page.status_code == 404
    assert (await poll(world, client, begun))["error"] == "access_denied"


async def test_a_device_asks_no_faster_than_it_may_and_not_for_ever(world: World, hand: Hand) -> None:
    client = await television(world)
    begun = await begin(world, client)
    said = [(await poll(world, client, begun))["error"]]
    for wait in (4, 10, 9, 16):
        hand.forward(seconds=wait)
        said.append((await poll(world, client, begun))["error"])
    assert said == ["authorization_pending", "slow_down", "authorization_pending", "slow_down", "authorization_pending"]
    other = await world.register(name="Other", is_public=True, redirect_uris=[], grants=[DEVICE])
    assert (await poll(world, other, begun))["error"] == "invalid_grant"
    hand.forward(minutes=10)
    assert (await poll(world, client, begun))["error"] == "expired_token"


async def test_a_device_gets_no_more_than_its_client_may_have(world: World, browser: Browser) -> None:
    await world.person()
    client = await world.register(is_public=True, redirect_uris=[], grants=[DEVICE], scopes=["openid"])
    for form, error in (({"scope": "notes:read"}, "invalid_scope"), ({}, "invalid_scope")):
        answer = await world.client.post("/oauth/device-authorization", data={**client.proof(), **form})
        assert (answer.status_code, answer.json()["error"]) == (400, error)
    web = await world.register()
    answer = await world.client.post("/oauth/device-authorization", data={**web.proof(), "scope": "openid"})
    assert answer.json()["error"] == "unauthorized_client"
    begun = await begin(world, client, "openid")
    page = await consent_page(browser, {**begun, "user_code": "BBBB-BBBB"})
    assert page.status_code == 404
    forged = await browser.client.post(
        "/oauth/device/decision", data={"user_code": begun["user_code"], "decision": "allow", "csrf_token": "x"}
    )
    assert forged.status_code == 403
