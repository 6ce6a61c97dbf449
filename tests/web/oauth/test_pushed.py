"""Pushed requests (BEHAVIOURS O12) and tokens bound to a key (O13)."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any
from uuid import uuid4

import pytest
from joserfc import jws
from joserfc.jwk import ECKey, OctKey, OKPKey

from freehold.identity.provider.proofs import Nonces
from freehold.resource import clock
from tests.web.oauth.world import CALLBACK, ISSUER, VERIFIER, Browser, Hand, Registered, World, challenge_of, claims_in

pytestmark = pytest.mark.anyio

ASKED = {
    "response_type": "code",
    "redirect_uri": CALLBACK,
    "scope": "openid",
    "state": "s",
    "code_challenge": challenge_of(VERIFIER),
    "code_challenge_method": "S256",
}


async def push(world: World, client: Registered, **changed: Any) -> Any:
    form = {name: value for name, value in {**ASKED, **changed}.items() if value is not None}
    headers = form.pop("headers", {})
    return await world.client.post("/oauth/pushed-requests", data={**client.proof(), **form}, headers=headers)


async def test_O12_a_pushed_request_works_once_within_90_seconds_for_its_client(
    world: World, browser: Browser, hand: Hand
) -> None:
    await world.person()
    client, other = await world.register(), await world.register(name="Other")
    pushed = await push(world, client)
    assert (pushed.status_code, pushed.json()["expires_in"]) == (201, 90)
    uri = pushed.json()["request_uri"]
    foreign = await browser.open(f"/oauth/authorize?client_id={other.id}&request_uri={uri}")
    assert foreign.page is not None and foreign.page.status_code == 400
    asked = await browser.open(f"/oauth/authorize?client_id={client.id}&request_uri={uri}&scope=notes:read")
    assert asked.page is not None
    consent = await browser.log_in(asked.page, "ada@example.com")
    assert consent.page is not None and "Read your notes" not in consent.page.text
    answer = await browser.send(consent.page, decision="allow")
    assert (answer.parameters["state"], "code" in answer.parameters) == ("s", True)
    again = await browser.open(f"/oauth/authorize?client_id={client.id}&request_uri={uri}")
    assert again.page is not None and again.page.status_code == 400
    late = (await push(world, client)).json()["request_uri"]
    hand.forward(seconds=91)
    ended = await browser.open(f"/oauth/authorize?client_id={client.id}&request_uri={late}")
    assert ended.page is not None and ended.page.status_code == 400


async def test_O12_a_client_set_to_push_cannot_ask_in_the_open(world: World, browser: Browser) -> None:
    client = await world.register(requires_pushed=True)
    page = (await browser.open(world.address(client))).page
    assert page is not None and page.status_code == 400


async def test_O12_what_is_wrong_is_refused_when_it_is_pushed(world: World) -> None:
    client = await world.register()
    cases: list[tuple[dict[str, Any], str]] = [
        ({"redirect_uri": "https://evil.example/"}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"scope": "account"}, "invalid_scope"),
        ({"request_uri": "urn:ietf:params:oauth:request_uri:x"}, "request_uri_not_supported"),
    ]
    for changed, error in cases:
        answer = await push(world, client, **changed)
        assert (answer.status_code, answer.json()["error"]) == (400, error), changed
    assert (await push(world, Registered(client.id, "wrong"))).status_code == 401


class Key:
    """A client's key, and proofs with it."""

    def __init__(self, key: Any = None, alg: str = "ES256") -> None:
        self.key, self.alg = key or ECKey.generate_key("P-256"), alg

    def proof(self, method: str, url: str, *, header: dict[str, Any] | None = None, **changed: Any) -> str:
        now = int(clock.now().timestamp())
        claims = {"jti": uuid4().hex, "htm": method, "htu": url, "iat": now, **changed}
        claims = {name: value for name, value in claims.items() if value is not None}
        said = {"typ": "dpop+jwt", "alg": self.alg, "jwk": self.key.as_dict(private=False), **(header or {})}
        return jws.serialize_compact(said, json.dumps(claims).encode(), self.key, algorithms=[self.alg])

    def for_token(self) -> dict[str, str]:
        return {"DPoP": self.proof("POST", ISSUER + "/oauth/token")}

    def with_token(self, token: str, **changed: Any) -> str:
        ath = base64.urlsafe_b64encode(hashlib.sha256(token.encode()).digest()).rstrip(b"=").decode()
        return self.proof(
            changed.pop("method", "GET"), changed.pop("url", ISSUER + "/oauth/userinfo"), **{"ath": ath, **changed}
        )


async def bound(world: World, client: Registered, key: Key) -> dict[str, Any]:
    code = (await world.allowed(client))["code"]
    answer = await world.ask(
        client, grant_type="authorization_code", code=code, redirect_uri=CALLBACK, code_verifier=VERIFIER,
        headers=key.for_token(),
    )  # fmt: skip
    assert answer.status_code == 200, answer.text
    given: dict[str, Any] = answer.json()
    assert given["token_type"] == "DPoP"
    assert claims_in(given["access_token"])["cnf"] == {"jkt": key.key.thumbprint()}
    return given


async def test_O13_a_bound_token_needs_a_proof_of_its_key(world: World) -> None:
    await world.person()
    client, key = await world.register(), Key()
    token = (await bound(world, client, key))["access_token"]
    good = key.with_token(token)
    assert (await world.userinfo(token, "DPoP", DPoP=good)).status_code == 200
    now = int(clock.now().timestamp())
    stolen = Key()
    wrong: list[tuple[str, dict[str, str]]] = [
        ("Bearer", {}),
        ("Bearer", {"DPoP": key.with_token(token)}),
        ("DPoP", {}),
        ("DPoP", {"DPoP": good}),
        ("DPoP", {"DPoP": stolen.with_token(token)}),
        ("DPoP", {"DPoP": key.with_token(token, method="POST")}),
        ("DPoP", {"DPoP": key.with_token(token, url=ISSUER + "/oauth/token")}),
        ("DPoP", {"DPoP": key.with_token(token, url="https://evil.example/oauth/userinfo")}),
        ("DPoP", {"DPoP": key.with_token(token, iat=now - 61)}),
        ("DPoP", {"DPoP": key.with_token(token, iat=now + 31)}),
        ("DPoP", {"DPoP": key.with_token(token, ath=None)}),
        ("DPoP", {"DPoP": key.with_token(token, ath="x" * 43)}),
        ("DPoP", {"DPoP": key.with_token(token, jti=None)}),
        ("DPoP", {"DPoP": key.with_token(token, header={"typ": "JWT"})}),
        ("DPoP", {"DPoP": key.with_token(token, header={"jwk": stolen.key.as_dict(private=False)})}),
        ("DPoP", {"DPoP": key.with_token(token, header={"jwk": key.key.as_dict(private=True)})}),
        ("DPoP", {"DPoP": key.with_token(token)[:-4] + "AAAA"}),
        ("DPoP", {"DPoP": "x.y.z"}),
    ]
    for scheme, headers in wrong:
        refused = await world.userinfo(token, scheme, **headers)
        assert refused.status_code == 401, (scheme, headers)
        assert refused.headers["www-authenticate"].startswith("DPoP"), (scheme, headers)
    assert (
        await world.userinfo(token, "dpop", DPoP=key.with_token(token, url=ISSUER + "/oauth/userinfo?x"))
    ).status_code == 200


async def test_O13_a_token_that_is_not_bound_does_not_become_so(world: World) -> None:
    await world.person()
    client, key = await world.register(), Key()
    token = (await world.tokens(client))["access_token"]
    assert (await world.userinfo(token, "DPoP", DPoP=key.with_token(token))).status_code == 401


async def test_O13_a_refresh_token_is_bound_too(world: World) -> None:
    await world.person()
    client, key = await world.register(is_public=True), Key(OKPKey.generate_key("Ed25519"), "Ed25519")
    given = await bound(world, client, key)
    refused = [
        await world.refresh(client, given["refresh_token"]),
        await world.refresh(client, given["refresh_token"], headers=Key().for_token()),
    ]
    assert [each.json()["error"] for each in refused] == ["invalid_grant"] * 2
    fresh = await world.refresh(client, given["refresh_token"], headers=key.for_token())
    assert fresh.json()["token_type"] == "DPoP"


async def test_O13_the_token_endpoint_looks_at_proofs(world: World) -> None:
    await world.person()
    client, key = await world.register(requires_proof=True), Key()
    used = key.for_token()
    symmetric = OctKey.import_key("k" * 32)
    confused = jws.serialize_compact(
        {"typ": "dpop+jwt", "alg": "HS256", "jwk": {"kty": "oct", "k": "a2s"}}, b"{}", symmetric, algorithms=["HS256"]
    )
    assert (await world.refresh(client, "fhp_x", headers=used)).json()["error"] == "invalid_grant"
    wrong: list[dict[str, str]] = [{}, used, {"DPoP": confused}, {"DPoP": key.proof("GET", ISSUER + "/oauth/token")}]
    for headers in wrong:
        answer = await world.refresh(client, "fhp_x", headers=headers)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_dpop_proof"), headers


async def test_O13_a_code_asked_for_with_a_key_is_for_that_key(world: World) -> None:
    await world.person()
    client, key = await world.register(), Key()
    code = (await world.allowed(client, dpop_jkt=key.key.thumbprint()))["code"]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
    assert (await world.ask(client, **form)).json()["error"] == "invalid_grant"
    assert (await world.ask(client, **form, headers=Key().for_token())).json()["error"] == "invalid_grant"
    assert (await world.ask(client, **form, headers=key.for_token())).status_code == 200


async def test_O13_a_nonce_of_the_server_is_asked_for_and_taken(world: World, hand: Hand) -> None:
    await world.person()
    client, key, provider = await world.register(), Key(), world.provider
    token = (await bound(world, client, key))["access_token"]
    object.__setattr__(provider, "nonces", Nonces(b"s" * 32))
    try:
        asked = await world.userinfo(token, "DPoP", DPoP=key.with_token(token))
        assert (asked.status_code, asked.headers["www-authenticate"]) == (401, 'DPoP error="use_dpop_nonce"')
        nonce = asked.headers["dpop-nonce"]
        assert (await world.userinfo(token, "DPoP", DPoP=key.with_token(token, nonce=nonce))).status_code == 200
        refused = await world.refresh(client, "fhp_x", headers=key.for_token())
        assert (refused.status_code, refused.json()["error"]) == (400, "use_dpop_nonce")
        proof = key.proof("POST", ISSUER + "/oauth/token", nonce=refused.headers["dpop-nonce"])
        assert (await world.refresh(client, "fhp_x", headers={"DPoP": proof})).json()["error"] == "invalid_grant"
        hand.forward(minutes=10)
        token = (await bound_again(world, client, key, nonce_of(provider)))["access_token"]
        old = await world.userinfo(token, "DPoP", DPoP=key.with_token(token, nonce=nonce))
        assert old.status_code == 401
    finally:
        object.__setattr__(provider, "nonces", None)


def nonce_of(provider: Any) -> str:
    current: str = provider.nonces.current()
    return current


async def bound_again(world: World, client: Registered, key: Key, nonce: str) -> dict[str, Any]:
    code = (await world.allowed(client))["code"]
    headers = {"DPoP": key.proof("POST", ISSUER + "/oauth/token", nonce=nonce)}
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
    given: dict[str, Any] = (await world.ask(client, **form, headers=headers)).json()
    return given
