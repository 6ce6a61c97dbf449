"""The authorization code flow (BEHAVIOURS O02 to O07)."""

from __future__ import annotations

import re
from itertools import product
from typing import Any
from uuid import UUID

import pytest

from freehold.identity.provider.id_tokens import half_hash
from freehold.resource.principal import system
from tests.web.oauth.world import CALLBACK, ISSUER, PASSWORD, VERIFIER, Browser, Hand, World, claims_in

pytestmark = pytest.mark.anyio


async def test_a_person_lets_an_application_in(world: World, browser: Browser) -> None:
    user_id, client = await world.person(), await world.register()
    asked = await browser.open(world.address(client))
    assert asked.page is not None and asked.page.status_code == 200
    consent = await browser.log_in(asked.page, "ada@example.com")
    assert consent.page is not None
    assert "Let Planner in?" in consent.page.text
    assert "See your e-mail address" in consent.page.text
    answer = await browser.send(consent.page, decision="allow")
    assert answer.address == CALLBACK
    assert answer.parameters.keys() == {"code", "state", "iss"}
    assert (answer.parameters["state"], answer.parameters["iss"]) == ("st ate&=", ISSUER)
    given = await world.exchange(client, answer.parameters["code"])
    assert given.status_code == 200, given.text
    assert given.headers["cache-control"] == "no-store"
    body = given.json()
    assert body.keys() == {"access_token", "token_type", "expires_in", "scope", "refresh_token", "id_token"}
    assert (body["token_type"], body["expires_in"], body["scope"]) == ("Bearer", 600, "email openid profile")
    claims = claims_in(body["access_token"])
    assert (claims["client_id"], claims["scope"], claims["sub"]) == (client.id, body["scope"], str(user_id))
    assert "roles" not in claims


async def test_O06_the_id_token_says_who_and_for_whom(world: World, hand: Hand) -> None:
    user_id, client = await world.person(), await world.register()
    given = await world.tokens(client, nonce="n-1 &")
    claims, now = claims_in(given["id_token"]), int(hand.at.timestamp())
    assert claims["iss"] == ISSUER
    assert claims["sub"] == str(user_id)
    assert claims["aud"] == claims["azp"] == client.id
    assert claims["nonce"] == "n-1 &"
    assert claims["at_hash"] == half_hash(given["access_token"])
    assert (claims["iat"], claims["exp"], claims["auth_time"]) == (now, now + 600, now)
    assert (claims["name"], claims["email"], claims["email_verified"]) == ("Ada Lovelace", "ada@example.com", False)
    assert "nonce" not in claims_in((await world.tokens(client, nonce=None))["id_token"])


async def test_O06_userinfo_shows_what_the_scopes_name(world: World, browser: Browser) -> None:
    user_id, client = await world.person(), await world.register()
    shown = {
        "openid": {"sub"},
        "openid profile": {"sub", "name", "updated_at"},
        "openid email": {"sub", "email", "email_verified"},
    }
    for scope, names in shown.items():
        given = await world.tokens(client, browser, scope=scope)
        answer = await world.userinfo(given["access_token"])
        assert answer.json().keys() == names
        assert answer.json()["sub"] == str(user_id) == claims_in(given["id_token"])["sub"]
        assert answer.headers["cache-control"] == "no-store"


async def test_O06_without_openid_there_is_no_id_token_and_no_userinfo(world: World) -> None:
    await world.person()
    client = await world.register()
    given = await world.tokens(client, scope="notes:read")
    assert "id_token" not in given
    refused = await world.userinfo(given["access_token"])
    assert refused.status_code == 403
    assert 'error="insufficient_scope", scope="openid"' in refused.headers["www-authenticate"]


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"code_challenge": None}, "invalid_request"),
    ({"code_challenge_method": None}, "invalid_request"),
    ({"code_challenge_method": "plain"}, "invalid_request"),
    ({"code_challenge": "short"}, "invalid_request"),
    ({"code_challenge": "!" * 43}, "invalid_request"),
    ({"response_type": None}, "invalid_request"),
    ({"response_type": "token"}, "unsupported_response_type"),
    ({"response_type": "code id_token"}, "unsupported_response_type"),
    ({"response_mode": "fragment"}, "invalid_request"),
    ({"scope": None}, "invalid_scope"),
    ({"scope": "openid account"}, "invalid_scope"),
    ({"scope": "openid  email"}, "invalid_scope"),
    ({"prompt": "none login"}, "invalid_request"),
    ({"prompt": "sing"}, "invalid_request"),
    ({"max_age": "-1"}, "invalid_request"),
    ({"request": "e30.e30."}, "request_not_supported"),
    ({"request_uri": "https://evil.example/r"}, "request_uri_not_supported"),
    ({"nonce": ["a", "b"]}, "invalid_request"),
    ({"state": "s", "nonce": "n" * 1001}, "invalid_request"),
]


async def test_O03_what_is_wrong_is_told_to_the_client(world: World, browser: Browser) -> None:
    clients = [await world.register(is_public=True), await world.register()]
    for client, (changed, error) in product(clients, WRONG):
        answer = await browser.open(world.address(client, **{"state": "s", **changed}))
        assert answer.address == CALLBACK, changed
        told = answer.parameters
        assert (told["error"], told["state"], told["iss"]) == (error, "s", ISSUER), changed
        assert "code" not in told


async def test_unknown_parameters_are_ignored(world: World) -> None:
    await world.person()
    client = await world.register()
    code = (await world.allowed(client, claims="{}", foo="bar", ui_locales="de", state=None))["code"]
    assert (await world.exchange(client, code, foo="bar")).status_code == 200


async def test_O04_a_code_lives_a_minute_and_works_for_its_own_alone(world: World, hand: Hand) -> None:
    await world.person()
    client, other = await world.register(), await world.register(name="Other")
    browser = Browser(world.stage)
    code = (await world.allowed(client, browser))["code"]
    wrong = [
        await world.exchange(other, code),
        await world.exchange(client, code, redirect_uri=CALLBACK + "/"),
        await world.exchange(client, code, code_verifier=VERIFIER[:-1] + "8"),
        await world.exchange(client, code[:-1] + ("A" if code[-1] != "A" else "B")),
    ]
    for answer in wrong:
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    missing = await world.ask(client, grant_type="authorization_code", code=code, redirect_uri=CALLBACK)
    assert (missing.status_code, missing.json()["error"]) == (400, "invalid_request")
    hand.forward(seconds=59)
    assert (await world.exchange(client, code)).status_code == 200
    late = (await world.allowed(client, browser))["code"]
    hand.forward(seconds=61)
    assert (await world.exchange(client, late)).json()["error"] == "invalid_grant"


async def test_O04_a_second_use_ends_what_the_first_gave(world: World) -> None:
    await world.person()
    client = await world.register()
    code = (await world.allowed(client))["code"]
    given = (await world.exchange(client, code)).json()
    assert await world.is_good(given["access_token"])
    again = await world.exchange(client, code)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert not await world.is_good(given["access_token"])
    assert (await world.refresh(client, given["refresh_token"])).json()["error"] == "invalid_grant"


async def test_a_code_is_dead_once_its_browser_has_logged_out(world: World, browser: Browser) -> None:
    await world.person()
    client = await world.register()
    code = (await world.allowed(client, browser))["code"]
    page = (await browser.open("/oauth/log-out")).page
    assert page is not None
    await browser.send(page)
    assert (await world.exchange(client, code)).json()["error"] == "invalid_grant"


async def test_O05_prompt_and_max_age(world: World, browser: Browser, hand: Hand) -> None:
    await world.person()
    client = await world.register()
    nobody = await browser.open(world.address(client, prompt="none"))
    assert nobody.parameters["error"] == "login_required"
    first = claims_in((await world.tokens(client, browser))["id_token"])
    hand.forward(minutes=5)
    silent = await world.tokens(client, browser, prompt="none", max_age="600")
    assert claims_in(silent["id_token"])["auth_time"] == first["auth_time"]
    too_old = await browser.open(world.address(client, prompt="none", max_age="299"))
    assert too_old.parameters["error"] == "login_required"
    for wish in ({"prompt": "login"}, {"max_age": "299"}, {"max_age": "0"}, {"prompt": "select_account"}):
        hand.forward(minutes=5)
        asked = await browser.open(world.address(client, **wish))
        assert asked.page is not None and 'name="password"' in asked.page.text, wish
        answer = await browser.log_in(asked.page, "ada@example.com")
        given = (await world.exchange(client, answer.parameters["code"])).json()
        assert claims_in(given["id_token"])["auth_time"] == int(hand.at.timestamp())


async def test_O07_consent_is_asked_for_once_and_again_when_it_grows(world: World, browser: Browser) -> None:
    await world.person()
    client = await world.register()
    first = await browser.open(world.address(client, scope="openid"))
    assert first.page is not None
    consent = await browser.log_in(first.page, "ada@example.com")
    assert consent.page is not None
    denied = await browser.send(consent.page, decision="deny")
    assert denied.parameters["error"] == "access_denied"
    silent = await browser.open(world.address(client, scope="openid", prompt="none"))
    assert silent.parameters["error"] == "consent_required"
    await world.tokens(client, browser, scope="openid")
    assert "code" in (await browser.open(world.address(client, scope="openid"))).parameters
    more = await browser.open(world.address(client, scope="openid notes:read"))
    assert more.page is not None and "Read your notes" in more.page.text
    forced = await browser.open(world.address(client, scope="openid", prompt="consent"))
    assert forced.page is not None and 'value="allow"' in forced.page.text


async def test_O07_a_public_client_is_asked_about_always(world: World, browser: Browser) -> None:
    await world.person()
    client = await world.register(is_public=True)
    for _ in range(2):
        assert (await world.tokens(client, browser))["access_token"]
        asked = await browser.open(world.address(client))
        assert asked.page is not None and 'value="allow"' in asked.page.text


async def test_O07_a_person_lists_and_withdraws(world: World) -> None:
    await world.person()
    client = await world.register()
    given = await world.tokens(client, scope="openid notes:read")
    mine = await world.bearer()
    (listed,) = (await world.client.get("/v1/oauth/consents", headers=mine)).json()["items"]
    assert (listed["client_id"], listed["client_name"]) == (client.id, "Planner")
    assert listed["scopes"] == ["notes:read", "openid"]
    gone = await world.client.delete(f"/v1/oauth/consents/{client.id}", headers=mine)
    assert gone.status_code == 204
    assert not await world.is_good(given["access_token"])
    assert (await world.refresh(client, given["refresh_token"])).status_code == 400
    assert (await world.client.get("/v1/oauth/consents", headers=mine)).json()["items"] == []
    assert (await world.client.delete(f"/v1/oauth/consents/{client.id}", headers=mine)).status_code == 404
    theirs = {"Authorization": f"Bearer {given['access_token']}"}
    assert (await world.client.get("/v1/oauth/consents", headers=theirs)).status_code == 401


async def test_O15_pages_cannot_be_framed_kept_or_forged(world: World, browser: Browser) -> None:
    await world.person()
    client = await world.register()
    log_in = (await browser.open(world.address(client))).page
    assert log_in is not None
    consent = (await browser.log_in(log_in, "ada@example.com")).page
    assert consent is not None
    error = (await browser.open("/oauth/authorize")).page
    for page in (log_in, consent, error):
        assert page is not None
        assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
        assert page.headers["x-frame-options"] == "DENY"
        assert page.headers["referrer-policy"] == "no-referrer"
        assert page.headers["cache-control"] == "no-store"
    assert "<script" not in consent.text + error.text
    assert "form-action 'self' https://planner.example" in consent.headers["content-security-policy"]
    ticket = re.findall(r'name="ticket" value="([^"]+)"', consent.text)[0]
    for forged in ("", "x", "A" * 40):
        form = {"ticket": ticket, "decision": "allow", "csrf_token": forged}
        refused = await browser.client.post("/oauth/consent", data=form)
        assert refused.status_code == 403, refused.text
    stranger = Browser(world.stage)
    form = {"next": "x", "email": "ada@example.com", "password": PASSWORD}
    assert (await stranger.client.post("/account/log-in", data=form)).status_code == 403


async def test_a_wrong_password_is_told_on_the_page(world: World, browser: Browser) -> None:
    await world.person()
    client = await world.register()
    page = (await browser.open(world.address(client))).page
    assert page is not None
    again = await browser.log_in(page, "<ada>@example.com", "wrong")
    assert again.page is not None
    assert again.page.status_code == 401
    assert "E-mail or password is wrong." in again.page.text
    assert "&lt;ada&gt;@example.com" in again.page.text and "wrong" not in again.page.text.replace("is wrong", "")


async def test_a_ticket_ends_and_cannot_be_made(world: World, browser: Browser, hand: Hand) -> None:
    await world.person()
    client = await world.register()
    page = (await browser.open(world.address(client))).page
    assert page is not None
    hand.forward(minutes=31)
    late = await browser.log_in(page, "ada@example.com")
    assert late.page is not None and (late.page.status_code, "too long" in late.page.text) == (400, True)
    for ticket in ("", "x", "A" * 100, "A" * 7000, "é", "%00"):
        answer = await browser.open(f"/oauth/consent?ticket={ticket}")
        assert answer.page is not None and answer.page.status_code == 400, ticket


@pytest.mark.parametrize("decision", ["allow", "deny"])
async def test_O02_an_application_that_was_removed_meanwhile_gets_no_answer(
    world: World, browser: Browser, decision: str
) -> None:
    await world.person()
    client = await world.register()
    asked = (await browser.log_in((await browser.open(world.address(client))).page, "ada@example.com")).page
    async with world.app.database.writing(system("test")) as unit:
        await world.provider.clients.remove(unit.session, UUID(client.id))
    answer = await browser.send(asked, decision=decision)
    assert answer.page is not None, answer.address
    assert answer.page.status_code == 400
    assert "The application is not known here." in answer.page.text
