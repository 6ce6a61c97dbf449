"""Log-out asked for by a client, and told to clients (BEHAVIOURS O14)."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlencode
from uuid import UUID

import pytest
from joserfc import jws
from sqlalchemy import select, update

from freehold.identity.provider.id_tokens import LOGOUT_EVENT
from freehold.identity.provider.tables import CONSENTS, GRANTS
from freehold.jobs.tables import JOBS
from freehold.resource.principal import system
from freehold.traffic import Fetcher
from freehold.traffic.fetch import Fetched
from tests.web.oauth.world import AFTER, ISSUER, Browser, World, claims_in

pytestmark = pytest.mark.anyio


async def is_logged_in(browser: Browser, world: World) -> bool:
    page = (await browser.open("/oauth/device")).page
    assert page is not None
    return 'name="password"' not in page.text


async def test_O14_with_an_id_token_the_log_in_ends_and_the_client_gets_the_person_back(
    world: World, browser: Browser
) -> None:
    await world.person()
    client = await world.register()
    given = await world.tokens(client, browser)
    asked = {"id_token_hint": given["id_token"], "post_logout_redirect_uri": AFTER, "state": "x y"}
    answer = await browser.open("/oauth/log-out?" + urlencode(asked))
    assert (answer.address, answer.parameters) == (AFTER, {"state": "x y"})
    assert not await is_logged_in(browser, world)
    assert not await world.is_good(given["access_token"])
    assert (await world.refresh(client, given["refresh_token"])).json()["error"] == "invalid_grant"


async def test_O14_access_for_when_the_person_is_away_goes_on(world: World, browser: Browser) -> None:
    await world.person()
    client = await world.register()
    given = await world.tokens(client, browser, scope="openid offline_access")
    await browser.open("/oauth/log-out?" + urlencode({"id_token_hint": given["id_token"]}))
    assert not await is_logged_in(browser, world)
    assert (await world.refresh(client, given["refresh_token"])).status_code == 200


async def test_O14_an_address_that_is_not_registered_is_not_followed(world: World, browser: Browser) -> None:
    await world.person()
    client = await world.register()
    other = await world.register(name="Other", post_logout_redirect_uris=["https://other.example/bye"])
    for address in (AFTER + "/", "https://evil.example/", "https://other.example/bye"):
        given = await world.tokens(client, browser)
        asked = {"id_token_hint": given["id_token"], "post_logout_redirect_uri": address}
        answer = await browser.open("/oauth/log-out?" + urlencode(asked))
        assert answer.page is not None and "You are logged out" in answer.page.text, address
    given = await world.tokens(client, browser)
    asked = {"id_token_hint": given["id_token"], "client_id": other.id, "post_logout_redirect_uri": AFTER}
    answer = await browser.open("/oauth/log-out?" + urlencode(asked))
    assert answer.page is not None and "Log out?" in answer.page.text


async def test_O14_without_a_good_id_token_the_person_is_asked(world: World, browser: Browser) -> None:
    await world.person("ada@example.com")
    await world.person("bob@example.com")
    client = await world.register()
    given = await world.tokens(client, browser)
    foreign = await world.tokens(client, Browser(world.stage), email="bob@example.com")
    forged = given["id_token"][:-4] + "AAAA"
    for hint in ("", "x.y.z", forged, given["access_token"], foreign["id_token"]):
        asked = {"id_token_hint": hint, "post_logout_redirect_uri": AFTER, "client_id": client.id}
        page = (await browser.open("/oauth/log-out?" + urlencode(asked))).page
        assert page is not None and "Log out?" in page.text, hint
        assert await is_logged_in(browser, world), hint
    form = {"ticket": "x", "csrf_token": "y"}
    assert (await browser.client.post("/oauth/log-out/confirmation", data=form)).status_code == 403
    answer = await browser.send(page)
    assert answer.address == AFTER
    assert not await is_logged_in(browser, world)


async def test_O14_a_client_that_was_removed_meanwhile_gets_nobody_back(world: World, browser: Browser) -> None:
    await world.person()
    client = await world.register()
    await world.tokens(client, browser)
    asked = {"post_logout_redirect_uri": AFTER, "client_id": client.id, "state": "s"}
    page = (await browser.open("/oauth/log-out?" + urlencode(asked))).page
    async with world.app.database.writing(system("test")) as unit:
        await world.provider.clients.remove(unit.session, UUID(client.id))
    answer = await browser.send(page)
    assert answer.page is not None and "You are logged out" in answer.page.text, answer.address
    assert not await is_logged_in(browser, world)


class Receiver:
    """Takes the place of what asks other servers; the address is not one of this machine."""

    def __init__(self, *statuses: int) -> None:
        self.statuses, self.taken = list(statuses), list[tuple[str, str]]()

    async def fetch(self, url: str, *, content: bytes, **more: Any) -> Fetched:
        assert more["method"] == "POST"
        assert more["headers"]["Content-Type"] == "application/x-www-form-urlencoded"
        self.taken.append((url, parse_qs(content.decode())["logout_token"][0]))
        return Fetched(self.statuses.pop(0), {}, b"", url)


async def test_O14_clients_are_told_of_a_log_out(world: World, browser: Browser) -> None:
    user_id = await world.person()
    there = "https://planner.example/back-channel"
    client = await world.register(back_channel_logout_uri=there)
    quiet = await world.register(name="Quiet")
    given = await world.tokens(client, browser)
    await world.tokens(quiet, browser)
    login_id = claims_in(given["id_token"])["sid"]
    await browser.open("/oauth/log-out?" + urlencode({"id_token_hint": given["id_token"]}))
    receiver = Receiver(200)
    world.app.database.parts[Fetcher] = receiver
    await world.app.jobs.run_pending()
    ((url, token),) = receiver.taken
    assert url == there
    claims, header = claims_in(token), jws.extract_compact(token.encode()).headers()
    assert header["typ"] == "logout+jwt"
    assert claims.keys() == {"iss", "sub", "aud", "iat", "exp", "jti", "sid", "events"}
    assert (claims["iss"], claims["aud"], claims["sub"]) == (ISSUER, client.id, str(user_id))
    assert (claims["sid"], claims["events"]) == (login_id, {LOGOUT_EVENT: {}})
    assert not await world.is_good(token)
    assert await world.provider.id_tokens.hint(token) is None


async def test_O14_clients_are_told_however_the_log_in_ends(world: World, browser: Browser) -> None:
    await world.person()
    client = await world.register(back_channel_logout_uri="https://planner.example/back-channel")
    given = await world.tokens(client, browser)
    receiver = world.app.database.parts[Fetcher] = Receiver(200, 200)
    assert (await world.client.delete("/v1/auth/sessions", headers=await world.bearer())).status_code == 204
    await world.app.jobs.run_pending()
    assert claims_in(receiver.taken[0][1])["sid"] == claims_in(given["id_token"])["sid"]
    await world.tokens(client, browser)
    assert (await world.client.delete("/v1/users/me", headers=await world.bearer())).status_code == 204
    await world.app.jobs.run_pending()
    assert len(receiver.taken) == 2
    async with world.app.database.reading(system("test")) as session:
        assert (await session.execute(select(CONSENTS))).all() == []
        assert (await session.execute(select(GRANTS))).all() == []


async def test_O14_clients_are_told_when_a_change_of_rights_ends_the_log_in(world: World, browser: Browser) -> None:
    user_id = await world.person()
    client = await world.register(back_channel_logout_uri="https://planner.example/back-channel")
    given = await world.tokens(client, browser)
    async with world.app.database.writing(system("test")) as unit:
        await world.parts.accounts.set_roles(unit.session, user_id, ["helper"])
    receiver = world.app.database.parts[Fetcher] = Receiver(200)
    await world.app.jobs.run_pending()
    assert [claims_in(token)["sid"] for _, token in receiver.taken] == [claims_in(given["id_token"])["sid"]]
    assert not await world.is_good(given["access_token"])


async def test_O14_a_client_that_does_not_take_it_is_told_again(world: World, browser: Browser) -> None:
    await world.person()
    client = await world.register(back_channel_logout_uri="https://planner.example/back-channel")
    given = await world.tokens(client, browser)
    await browser.open("/oauth/log-out?" + urlencode({"id_token_hint": given["id_token"]}))
    world.app.database.parts[Fetcher] = Receiver(503)
    await world.app.jobs.run_pending()
    mine = JOBS.c.name == "freehold.oauth.log_out"
    async with world.app.database.writing(system("test")) as unit:
        row = (await unit.session.execute(select(JOBS).where(mine))).one()
        assert (row.failures, row.error, row.finished_at) == (1, "NotTaken: status 503", None)
        await unit.session.execute(update(JOBS).where(mine).values(run_at=row.created_at))
    receiver = world.app.database.parts[Fetcher] = Receiver(200)
    await world.app.jobs.run_pending()
    assert len(receiver.taken) == 1
