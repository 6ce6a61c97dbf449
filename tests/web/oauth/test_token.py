"""The token endpoint: clients, their proofs, refresh, and what tokens are good for (BEHAVIOURS O07 to O11, T05 to T10)."""

from __future__ import annotations

import base64
import json
from typing import Any
from uuid import uuid4

import pytest
from joserfc import jws
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from freehold.identity.provider.clients import CLIENT, CODE, REFRESH
from freehold.resource import clock
from freehold.resource.principal import system
from tests.web.oauth.world import CALLBACK, ISSUER, PASSWORD, Browser, Hand, Registered, World, claims_in

pytestmark = pytest.mark.anyio

TOKEN = ISSUER + "/oauth/token"


async def test_O10_a_client_that_cannot_prove_itself_is_401(world: World) -> None:
    client, public = await world.register(), await world.register(is_public=True)
    wrong: list[tuple[dict[str, str], dict[str, str]]] = [
        ({"client_id": client.id}, {}),
        ({"client_id": client.id, "client_secret": "wrong"}, {}),
        ({"client_id": client.id, "client_secret": client.secret + "x"}, {}),
        ({"client_id": str(uuid4()), "client_secret": client.secret}, {}),
        ({"client_id": "no id", "client_secret": client.secret}, {}),
        ({"client_secret": client.secret}, {}),
        ({}, {}),
        ({}, Registered(client.id, "wrong").basic),
        ({}, {"Authorization": "Basic !!!"}),
        ({}, {"Authorization": "Basic " + base64.b64encode(client.id.encode()).decode()}),
        ({}, {"Authorization": f"Bearer {client.secret}"}),
        ({"client_id": public.id, "client_secret": "x"}, {}),
    ]
    for form, headers in wrong:
        answer = await world.client.post("/oauth/token", data={"grant_type": "refresh_token", **form}, headers=headers)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client"), (form, headers)
        assert answer.headers["www-authenticate"].startswith("Basic ")
        assert answer.headers["cache-control"] == "no-store"
    both = {"client_secret": client.secret}
    for form in (both, {"client_id": public.id}):
        answer = await world.client.post(
            "/oauth/token", data={"grant_type": "refresh_token", **form}, headers=client.basic
        )
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


async def test_O10_what_else_is_wrong_with_a_request(world: World) -> None:
    client = await world.register()
    cases: list[tuple[dict[str, Any], str]] = [
        ({}, "invalid_request"),
        ({"grant_type": "password", "username": "a", "password": "b"}, "unsupported_grant_type"),
        ({"grant_type": "implicit"}, "unsupported_grant_type"),
        ({"grant_type": CLIENT}, "unauthorized_client"),
        ({"grant_type": CODE}, "invalid_request"),
        ({"grant_type": REFRESH}, "invalid_request"),
        ({"grant_type": REFRESH, "refresh_token": "fhp_x"}, "invalid_grant"),
        ({"grant_type": [REFRESH, REFRESH], "refresh_token": "fhp_x"}, "invalid_request"),
    ]
    for form, error in cases:
        answer = await world.ask(client, **form)
        assert (answer.status_code, answer.json()["error"]) == (400, error), form
    as_json = await world.client.post("/oauth/token", json={"grant_type": REFRESH}, headers=client.basic)
    assert (as_json.status_code, as_json.json()["error"]) == (400, "invalid_request")


async def test_a_secret_is_shown_once_and_rotates_with_an_overlap(world: World, hand: Hand) -> None:
    client = await world.register()
    async with world.app.database.writing(system("test")) as unit:
        fresh = Registered(client.id, await world.provider.clients.rotate(unit.session, _uuid(client)))
        found = await world.provider.clients.get(unit.session, _uuid(client))
    assert client.secret not in repr(found) and fresh.secret not in repr(found)

    async def error(each: Registered) -> str:
        answer = await world.refresh(each, "fhp_x")
        told: str = answer.json()["error"]
        return told

    assert [await error(client), await error(fresh)] == ["invalid_grant"] * 2
    hand.forward(hours=25)
    assert [await error(client), await error(fresh)] == ["invalid_client", "invalid_grant"]


async def test_wrong_secrets_are_slowed_down_by_client_and_address(world: World) -> None:
    from freehold.identity.provider.authentication import WRONG
    from freehold.traffic.limits_memory import MemoryLimiter

    client, limiter = await world.register(), MemoryLimiter(factor=1)
    world.provider.authentication._limiter = limiter
    try:
        for _ in range(3):
            assert (await world.refresh(client, "fhp_x")).status_code == 400, "a right secret does not count"
        answers = [await world.refresh(Registered(client.id, "wrong"), "fhp_x") for _ in range(WRONG.limit + 1)]
        assert [each.status_code for each in answers] == [401] * WRONG.limit + [429]
        other = await world.register()
        assert (await world.refresh(other, "fhp_x")).status_code == 400
    finally:
        world.provider.authentication._limiter = world.app.traffic.limiter


async def test_T06_T07_refresh_rotates_and_reuse_ends_the_grant(world: World, hand: Hand) -> None:
    await world.person()
    client = await world.register()
    first = await world.tokens(client)
    second = await world.refresh(client, first["refresh_token"])
    assert second.status_code == 200, second.text
    again = await world.refresh(client, first["refresh_token"])
    assert again.json() == second.json(), "the client's own retry"
    third = (await world.refresh(client, second.json()["refresh_token"])).json()
    assert claims_in(third["access_token"])["client_id"] == client.id
    hand.forward(seconds=11)
    reused = await world.refresh(client, first["refresh_token"])
    assert (reused.status_code, reused.json()["error"]) == (400, "invalid_grant")
    assert (await world.refresh(client, third["refresh_token"])).json()["error"] == "invalid_grant"
    assert not await world.is_good(third["access_token"])


async def test_O10_a_refresh_narrows_and_never_widens(world: World) -> None:
    await world.person()
    client, other = await world.register(), await world.register(name="Other")
    given = await world.tokens(client, scope="openid notes:read")
    foreign = await world.refresh(other, given["refresh_token"])
    assert foreign.json()["error"] == "invalid_grant"
    for scope in ("openid email", "account", "nothing"):
        wide = await world.refresh(client, given["refresh_token"], scope=scope)
        assert (wide.status_code, wide.json()["error"]) == (400, "invalid_scope"), scope
    narrow = (await world.refresh(client, given["refresh_token"], scope="openid")).json()
    assert narrow["scope"] == claims_in(narrow["access_token"])["scope"] == "openid"
    whole = (await world.refresh(client, narrow["refresh_token"])).json()
    assert whole["scope"] == "notes:read openid"


async def test_T10_a_grant_ends_when_it_is_not_used(world: World, hand: Hand) -> None:
    await world.person()
    client = await world.register()
    given = await world.tokens(client)
    hand.forward(days=13)
    alive = (await world.refresh(client, given["refresh_token"])).json()
    hand.forward(days=15)
    assert (await world.refresh(client, alive["refresh_token"])).json()["error"] == "invalid_grant"


async def test_T05_kinds_of_tokens_do_not_stand_in_for_each_other(world: World) -> None:
    await world.person()
    client = await world.register()
    given = await world.tokens(client)
    first_party = {"grant_type": "password", "username": "ada@example.com", "password": "lantern quarry velvet 42"}
    own = (await world.client.post("/v1/auth/token", data=first_party)).json()
    for token in (given["id_token"], given["refresh_token"], client.secret, own["refresh_token"]):
        assert not await world.is_good(token)
    assert (await world.refresh(client, own["refresh_token"])).json()["error"] == "invalid_grant"
    for token in (given["access_token"], given["id_token"]):
        assert (await world.refresh(client, token)).json()["error"] == "invalid_grant"
        assert (await world.exchange(client, token)).json()["error"] == "invalid_grant"
    form = {"grant_type": "refresh_token", "refresh_token": given["refresh_token"]}
    assert (await world.client.post("/v1/auth/token", data=form)).status_code == 401
    assert (await world.client.post("/v1/auth/revocation", data={"token": given["access_token"]})).status_code == 200
    assert await world.is_good(given["access_token"]), "the first-party route ends log-ins of its own alone"


async def test_an_application_may_do_what_a_scope_names_and_nothing_else(world: World) -> None:
    await world.person("ada@example.com", "admin")
    client = await world.register()
    mine = await world.bearer()
    paths = await world.client.get("/openapi.json")
    notes = next(path for path in paths.json()["paths"] if path.endswith("notes"))
    drafts = next(path for path in paths.json()["paths"] if path.endswith("drafts"))
    made = await world.client.post(notes, json={"text": "milk"}, headers=mine)
    assert made.status_code == 201, made.text
    given = await world.tokens(client, scope="openid notes:read")
    theirs = {"Authorization": f"Bearer {given['access_token']}"}
    (item,) = (await world.client.get(notes, headers=theirs)).json()["items"]
    assert item["text"] == "milk"
    little = await world.tokens(client, scope="openid")
    refused = await world.client.get(notes, headers={"Authorization": f"Bearer {little['access_token']}"})
    assert (refused.status_code, refused.json()["code"]) == (403, "auth.insufficient_scope")
    closed = [
        ("GET", drafts), ("POST", drafts), ("POST", notes), ("GET", "/v1/users/me"), ("GET", "/v1/users/me/export"),
        ("DELETE", "/v1/users/me"), ("GET", "/v1/auth/sessions"), ("DELETE", "/v1/auth/sessions"),
        ("GET", "/v1/oauth/clients"), ("GET", "/v1/oauth/consents"),
    ]  # fmt: skip
    for method, path in closed:
        body = {"json": {"text": "x"}} if method == "POST" else {}
        answer = await world.client.request(method, path, headers=theirs, **body)
        assert answer.status_code == 403, (method, path, answer.text)


async def test_Z07_an_application_has_no_way_in_that_names_no_scope(world: World) -> None:
    await world.person()
    client = await world.register(scopes=["openid", "notes:read", "memos:public"])
    paths = (await world.client.get("/openapi.json")).json()["paths"]
    memos, mine = next(path for path in paths if path.endswith("memos")), await world.bearer()
    own = await world.client.post(memos, json={"text": "mine"}, headers=mine)
    await world.client.post(memos, json={"text": "all's", "is_public": True}, headers=mine)
    assert len((await world.client.get(memos, headers=mine)).json()["items"]) == 2
    without = {"Authorization": f"Bearer {(await world.tokens(client, scope='openid notes:read'))['access_token']}"}
    scoped = {"Authorization": f"Bearer {(await world.tokens(client, scope='openid memos:public'))['access_token']}"}
    row = own.headers["location"]
    for method, path in (("GET", memos), ("GET", row), ("PATCH", row), ("DELETE", row)):
        body = {"json": {"text": "x"}} if method == "PATCH" else {}
        refused = await world.client.request(method, path, headers=without, **body)
        assert refused.status_code == 403, (method, refused.text)
    assert (await world.client.get(memos, headers=without)).json()["code"] == "auth.insufficient_scope"
    assert [each["text"] for each in (await world.client.get(memos, headers=scoped)).json()["items"]] == ["all's"]
    assert (await world.client.get(row, headers=scoped)).status_code == 404
    assert (await world.client.delete(row, headers=scoped)).status_code == 403
    assert (await world.client.get(row, headers=mine)).status_code == 200


async def test_T15_roles_are_judged_as_they_stand(world: World) -> None:
    user_id = await world.person()
    client = await world.register()
    given = await world.tokens(client)
    async with world.app.database.writing(system("test")) as unit:
        await world.parts.accounts.disable(unit.session, user_id)
    assert not await world.is_good(given["access_token"])
    assert (await world.refresh(client, given["refresh_token"])).json()["error"] == "invalid_grant"


async def test_client_credentials_act_as_the_client_s_own_account(world: World) -> None:
    user_id = await world.person("robot@example.com")
    client = await world.register(grants=[CLIENT], redirect_uris=[], account_id=user_id, scopes=["notes:read"])
    answer = await world.ask(client, grant_type=CLIENT)
    assert answer.status_code == 200, answer.text
    assert answer.json().keys() == {"access_token", "token_type", "expires_in", "scope"}
    claims = claims_in(answer.json()["access_token"])
    assert (claims["sub"], claims["client_id"], claims["scope"]) == (str(user_id), client.id, "notes:read")
    assert (await world.ask(client, grant_type=CLIENT, scope="openid")).json()["error"] == "invalid_scope"
    async with world.app.database.writing(system("test")) as unit:
        await world.parts.accounts.disable(unit.session, user_id)
    assert (await world.ask(client, grant_type=CLIENT)).json()["error"] == "unauthorized_client"


async def test_O08_introspection(world: World, hand: Hand) -> None:
    user_id = await world.person()
    client, other = await world.register(), await world.register(name="Other")
    server = await world.register(name="Server", introspects_all=True)
    public = await world.register(name="Public", is_public=True)
    given = await world.tokens(client)

    async def about(asking: Registered, token: str) -> Any:
        return await world.client.post("/oauth/introspection", data={"token": token}, headers=asking.basic)

    for asking in (client, server):
        said = (await about(asking, given["access_token"])).json()
        assert (said["active"], said["client_id"], said["sub"]) == (True, client.id, str(user_id))
        assert (said["scope"], said["token_type"], said["iss"]) == ("email openid profile", "Bearer", ISSUER)
    assert (await about(client, given["refresh_token"])).json()["active"] is True
    inactive = [(other, given["access_token"]), (other, given["refresh_token"]), (server, given["refresh_token"])]
    inactive += [(client, each) for each in ("unknown", "fhp_unknown", given["id_token"], "")]
    for asking, token in inactive[:-1]:
        answer = await about(asking, token)
        assert (answer.status_code, answer.json()) == (200, {"active": False}), (asking, token)
    assert (await about(client, "")).json()["error"] == "invalid_request"
    form = {"token": given["access_token"], "client_id": public.id}
    assert (await world.client.post("/oauth/introspection", data=form)).status_code == 401
    assert (await world.client.post("/oauth/introspection", data={"token": "x"})).status_code == 401
    hand.forward(minutes=11)
    assert (await about(client, given["access_token"])).json() == {"active": False}


async def test_O09_revocation(world: World) -> None:
    await world.person()
    client, other = await world.register(), await world.register(name="Other")
    given = await world.tokens(client)

    async def revoke(asking: Registered, token: str) -> int:
        answer = await world.client.post("/oauth/revocation", data={"token": token, **asking.proof()})
        return answer.status_code

    for token in (given["refresh_token"], given["access_token"], "unknown", "fhp_unknown"):
        assert await revoke(other, token) == 200
    assert await revoke(Registered(client.id, "wrong"), given["refresh_token"]) == 401
    assert await world.is_good(given["access_token"])
    assert await revoke(client, given["refresh_token"]) == 200
    assert not await world.is_good(given["access_token"])
    assert (await world.refresh(client, given["refresh_token"])).json()["error"] == "invalid_grant"
    more = await world.tokens(client)
    assert await revoke(client, more["access_token"]) == 200
    assert not await world.is_good(more["access_token"])


class Signer:
    """A client that proves itself by its key."""

    def __init__(self, key: Any, alg: str) -> None:
        self.key, self.alg = key, alg
        self.jwks = {"keys": [{**key.as_dict(private=False), "kid": "k1"}]}

    def assertion(self, client: Registered, *, header: dict[str, Any] | None = None, **changed: Any) -> str:
        now = int(clock.now().timestamp())
        claims = {"iss": client.id, "sub": client.id, "aud": TOKEN, "exp": now + 60, "jti": uuid4().hex, **changed}
        claims = {name: value for name, value in claims.items() if value is not None}
        said = {"alg": self.alg, "kid": "k1", **(header or {})}
        return jws.serialize_compact(said, json.dumps(claims).encode(), self.key, algorithms=[said["alg"]])

    async def ask(self, world: World, client: Registered, assertion: str) -> str:
        form = {
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": assertion, "grant_type": REFRESH, "refresh_token": "fhp_x",
        }  # fmt: skip
        told: str = (await world.client.post("/oauth/token", data=form)).json()["error"]
        return told


@pytest.mark.parametrize("alg", ["Ed25519", "ES256", "RS256"])
async def test_O11_private_key_jwt(world: World, alg: str) -> None:
    keys: dict[str, Any] = {
        "Ed25519": OKPKey.generate_key("Ed25519"),
        "ES256": ECKey.generate_key("P-256"),
        "RS256": RSAKey.generate_key(2048),
    }
    signer = Signer(keys[alg], alg)
    client = await world.register(jwks=signer.jwks)
    assert client.secret == ""
    good = signer.assertion(client)
    assert await signer.ask(world, client, good) == "invalid_grant", "the client was let in"
    assert await signer.ask(world, client, good) == "invalid_client", "an assertion works once"
    assert await signer.ask(world, client, signer.assertion(client, aud=ISSUER)) == "invalid_grant"
    now = int(clock.now().timestamp())
    stranger = Signer(OKPKey.generate_key("Ed25519"), "Ed25519")
    wrong = [
        signer.assertion(client, aud="https://other.example/oauth/token"),
        signer.assertion(client, aud=[TOKEN, "https://other.example"]),
        signer.assertion(client, aud=ISSUER + "/oauth/revocation"),
        signer.assertion(client, exp=now - 31),
        signer.assertion(client, exp=now + 331),
        signer.assertion(client, exp=None),
        signer.assertion(client, jti=None),
        signer.assertion(client, iss=str(uuid4())),
        signer.assertion(client, nbf=now + 60),
        stranger.assertion(client),
        good[:-4] + "AAAA",
        "x.y.z",
        "",
    ]
    for assertion in wrong[:-1]:
        assert await signer.ask(world, client, assertion) == "invalid_client", assertion
    secret = OctKey.import_key(json.dumps(signer.jwks["keys"][0]).encode())
    confused = jws.serialize_compact(
        {"alg": "HS256", "kid": "k1"}, json.dumps({"iss": client.id, "sub": client.id}).encode(), secret
    )
    assert await signer.ask(world, client, confused) == "invalid_client"
    assert (await world.refresh(Registered(client.id, "fhc_x"), "fhp_x")).json()["error"] == "invalid_client"


async def test_only_public_asymmetric_strong_keys_can_be_registered(world: World) -> None:
    from freehold.errors import Invalid

    keys: list[Any] = [
        [OKPKey.generate_key("Ed25519").as_dict(private=True)],
        [{"kty": "oct", "k": "c2VjcmV0"}],
        [{"kty": "RSA", "e": "AQAB", "n": base64.urlsafe_b64encode(b"\xc1" * 128).decode().rstrip("=")}],
        [{"kty": "OKP", "crv": "Ed25519", "x": "!"}],
        [],
        ["x"],
        "x",
    ]
    for each in keys:
        with pytest.raises(Invalid):
            await world.register(jwks={"keys": each})


async def test_O01_discovery(world: World) -> None:
    first, second = [
        await world.client.get(f"/.well-known/{name}")
        for name in ("openid-configuration", "oauth-authorization-server")
    ]
    said = first.json()
    assert said == second.json()
    assert said["issuer"] == ISSUER
    assert said["response_types_supported"] == ["code"]
    assert said["code_challenge_methods_supported"] == ["S256"]
    assert said["id_token_signing_alg_values_supported"] == ["Ed25519"]
    assert said["authorization_response_iss_parameter_supported"] is True
    assert not {"password", "implicit"} & set(said["grant_types_supported"])
    assert "none" not in said["token_endpoint_auth_signing_alg_values_supported"]
    assert not any(alg.startswith("HS") for alg in said["token_endpoint_auth_signing_alg_values_supported"])
    assert set(said["scopes_supported"]) == {
        "openid",
        "profile",
        "email",
        "offline_access",
        "notes:read",
        "memos:public",
    }
    for name in ("token", "userinfo", "authorization", "introspection", "revocation", "end_session"):
        path = said[f"{name}_endpoint"].removeprefix(ISSUER)
        assert (await world.client.request("GET" if name == "authorization" else "POST", path)).status_code != 404
    assert (await world.client.get(said["jwks_uri"].removeprefix(ISSUER))).json()["keys"][0]["alg"] == "Ed25519"


async def test_making_a_client_or_a_secret_needs_a_recent_log_in(world: World, hand: Hand) -> None:
    await world.person("ada@example.com", "admin")
    admin, client = await world.bearer(), await world.register()
    hand.forward(minutes=6)
    wanted = {"name": "Planner", "redirect_uris": [CALLBACK], "scopes": ["openid"]}
    for path, body in (("", wanted), (f"/{client.id}/secret", None)):
        answer = await world.client.post("/v1/oauth/clients" + path, json=body, headers=admin)
        assert answer.status_code == 401, answer.text
        assert "max_age" in answer.headers["www-authenticate"]


async def test_clients_are_administered_by_api(world: World) -> None:
    await world.person("ada@example.com", "admin")
    await world.person("bob@example.com")
    admin, other = await world.bearer(), await world.bearer("bob@example.com")
    wanted = {"name": "Planner", "redirect_uris": [CALLBACK], "scopes": ["openid"]}
    assert (await world.client.post("/v1/oauth/clients", json=wanted, headers=other)).status_code == 403
    made = await world.client.post("/v1/oauth/clients", json=wanted, headers=admin)
    assert (made.status_code, made.headers["cache-control"]) == (201, "no-store")
    client = Registered(made.json()["id"], made.json()["client_secret"])
    read = await world.client.get(made.headers["location"], headers=admin)
    assert read.headers["cache-control"] == "private, no-store"
    assert "secret" not in read.text and read.json()["redirect_uris"] == [CALLBACK]
    assert [each["id"] for each in (await world.client.get("/v1/oauth/clients", headers=admin)).json()["items"]] == [
        client.id
    ]
    given = await world.tokens(client, scope="openid")
    fresh = await world.client.post(f"/v1/oauth/clients/{client.id}/secret", headers=admin)
    assert (await world.refresh(Registered(client.id, fresh.json()["client_secret"]), "x")).status_code == 400
    for wrong in (
        {"scopes": ["account"]},
        {"redirect_uris": ["http://evil.example/"]},
        {"grants": ["password"]},
        {"x": 1},
    ):
        answer = await world.client.post("/v1/oauth/clients", json={**wanted, **wrong}, headers=admin)
        assert answer.status_code == 422, answer.text
    assert (await world.client.delete(f"/v1/oauth/clients/{client.id}", headers=admin)).status_code == 204
    assert not await world.is_good(given["access_token"])
    assert (await world.client.get(f"/v1/oauth/clients/{client.id}", headers=admin)).status_code == 404


def _uuid(client: Registered) -> Any:
    from uuid import UUID

    return UUID(client.id)


async def test_O10_an_application_is_kept_out_of_what_its_user_has_asked_for_with_the_same_scopes(
    world: World, browser: Browser
) -> None:
    await world.person()
    form = {"grant_type": "password", "username": "ada@example.com", "password": PASSWORD, "scope": "openid profile"}
    own = (await world.client.post("/v1/auth/token", data=form)).json()["access_token"]
    theirs = (await world.tokens(await world.register(), browser, scope="openid profile"))["access_token"]
    for path in ("/v1/oauth-drafts", "/v1/users/me"):
        first = await world.client.get(path, headers={"Authorization": f"Bearer {own}"})
        assert first.status_code == 200, first.text
        then = await world.client.get(path, headers={"Authorization": f"Bearer {theirs}"})
        assert (then.status_code, then.json()["code"]) == (403, "auth.not_for_clients")
