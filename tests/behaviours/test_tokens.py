"""Tokens, secrets and steps through Imba's own door (groups T, Z, E)."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from services.imba.service import build
from services.imba.settings import ImbaSettings
from services.imba.tests.conftest import person
from services.imba.tests.world import COTTAGE, Person, draft, listed, reserved, stay

from freehold.errors import Unavailable
from freehold.observe import logs
from freehold.resource import clock
from freehold.settings import Settings
from freehold.testing import Stage, running

pytestmark = pytest.mark.anyio

PASSWORD = "canary-password-lantern-quarry"
CARD = "4111 1111 1111 1111"
KEY = "canary-idempotency-key"


@pytest.fixture(scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    folder = tmp_path_factory.mktemp("imba")
    settings = Settings(
        env="test", database_url=f"sqlite+aiosqlite:///{folder}/imba.db", var_dir=folder, limits="off",
        secret="canary-secret-" + "s" * 40,
    )  # fmt: skip
    async with running(build(core=settings, own=ImbaSettings(), migrations=None), isolate=False) as found:
        yield found


async def log_in(stage: Stage, email: str) -> dict[str, Any]:
    nobody = stage.client()
    body = {"email": email, "password": PASSWORD, "full_name": "Ada", "account": "landlord"}
    assert (await nobody.post("/v1/users", json=body)).status_code == 201
    form = {"grant_type": "password", "username": email, "password": PASSWORD}
    given: dict[str, Any] = (await nobody.post("/v1/auth/token", data=form)).json()
    return given


@pytest.fixture(scope="module")
async def given(stage: Stage) -> dict[str, Any]:
    return await log_in(stage, "ada@example.com")


async def me(stage: Stage, token: str) -> httpx2.Response:
    headers = {"Authorization": f"Bearer {token}", "X-Request-ID": "same"}
    return await stage.client().get("/v1/users/me", headers=headers)


async def test_T01_T02_whatever_is_wrong_with_a_token_the_answer_is_one(stage: Stage, given: dict[str, Any]) -> None:
    head, payload, signature = given["access_token"].split(".")

    def encoded(value: Any) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    header = json.loads(base64.urlsafe_b64decode(head + "=="))
    wrong = [
        f"{head}.{encoded({**claims, 'roles': ['admin']})}.{signature}",
        f"{encoded({**header, 'alg': 'none'})}.{payload}.",
        f"{encoded({**header, 'kid': '../../etc/passwd'})}.{payload}.{signature}",
        f"{encoded({**header, 'jku': 'http://127.0.0.1:1/'})}.{payload}.{signature}",
        f"{head}.{payload}.{'A' * 86}", f"{head}.{payload}.{signature}x", "x", "a.b.c", given["refresh_token"],
    ]  # fmt: skip
    answers = [await me(stage, token) for token in wrong]
    assert {answer.status_code for answer in answers} == {401}
    assert {answer.headers["www-authenticate"] for answer in answers} == {'Bearer error="invalid_token"'}
    assert {answer.headers["content-type"] for answer in answers} == {"application/problem+json"}
    assert len({answer.content for answer in answers}) == 1
    assert (await me(stage, given["access_token"])).status_code == 200


async def test_T13_a_token_in_a_form_field_or_the_query_is_no_credential(stage: Stage, given: dict[str, Any]) -> None:
    token, client = given["access_token"], stage.client()
    answers = [
        await client.post("/v1/auth/sessions", data={"access_token": token}),
        await client.request("DELETE", "/v1/users/me", data={"access_token": token}),
        await client.get("/v1/users/me", params={"access_token": token}),
        await client.patch("/v1/users/me", data={"access_token": token}),
    ]
    assert [answer.status_code for answer in answers] == [405, 401, 400, 401]
    assert all(token not in answer.text for answer in answers)
    assert (await me(stage, token)).status_code == 200, "the account is there still"


async def test_T12_keys_roll_without_a_failed_request(stage: Stage) -> None:
    client, keys = stage.client(), stage.app.identity.parts.keys  # type: ignore[union-attr]
    start, given = clock.now(), await log_in(stage, "roll@example.com")
    tokens, kids, statuses = [given["access_token"]], [], []
    try:
        for minutes in range(0, 12, 2):
            clock.set_source(lambda at=start + timedelta(minutes=minutes): at)  # type: ignore[misc]
            await keys.rotate()
            listed_now = (await client.get("/.well-known/jwks.json")).json()["keys"]
            form = {"grant_type": "refresh_token", "refresh_token": given["refresh_token"]}
            answer = await client.post("/v1/auth/token", data=form)
            statuses.append(answer.status_code)
            given = answer.json()
            tokens.append(given["access_token"])
            head = json.loads(base64.urlsafe_b64decode(tokens[-1].split(".")[0] + "=="))
            kids.append(head["kid"])
            assert head["kid"] in {key["kid"] for key in listed_now}, "published before it signs"
            assert all("d" not in key and key["kty"] == "OKP" for key in listed_now)
            live = tokens[-5:]  # a token lasts ten minutes
            statuses += [(await me(stage, token)).status_code for token in live]
    finally:
        clock.set_source(None)
    assert set(statuses) == {200}
    assert len(set(kids)) > 1, "a new key did sign"


async def test_T14_with_the_database_away_no_token_is_waved_through(
    stage: Stage, given: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = await log_in(stage, "ended@example.com")
    await stage.client().post("/v1/auth/revocation", data={"token": ended["refresh_token"]})
    assert (await me(stage, given["access_token"])).status_code == 200, "its log-in is remembered"

    def away(*_: object, **__: object) -> Any:
        raise Unavailable("The database cannot be reached.")

    with monkeypatch.context() as patched:
        patched.setattr("freehold.identity.standings.REMEMBERED_SECONDS", 0.0)
        patched.setattr(type(stage.database), "reading", away)
        patched.setattr(type(stage.database), "asking", away)
        for token in (given["access_token"], ended["access_token"]):
            answer = await me(stage, token)
            assert answer.status_code == 503
            assert int(answer.headers["retry-after"]) >= 1
    assert (await me(stage, ended["access_token"])).status_code == 401
    assert (await me(stage, given["access_token"])).status_code == 200


async def test_Z10_steps_cannot_be_skipped_or_replayed(stage: Stage) -> None:
    landlord, reviewer = await person(stage, "landlord", "landlord"), await person(stage, None, "reviewer")
    tenant = await person(stage, "tenant", "tenant")
    unverified = (await draft(landlord))["id"]
    assert (await landlord.put(f"/v1/properties/{unverified}/publication")).status == 409, "published unverified"
    home = (await listed(landlord, reviewer))["id"]
    held = f"/v1/reservations/{(await reserved(tenant, home))['id']}"
    assert (await landlord.post(held + "/confirmation")).status == 200
    assert (await landlord.post(held + "/confirmation")).status == 409, "twice"
    assert (await landlord.post(held + "/rejection", {"reason": "late"})).status == 409, "after it was confirmed"
    assert (await tenant.post(held + "/cancellation")).status == 200
    for step in ("/cancellation", "/confirmation"):
        assert (await (tenant if step == "/cancellation" else landlord).post(held + step)).status == 409, step
    request = await landlord.made("/v1/verification-requests", {"subject": "property", "property_id": unverified})
    check = f"/v1/verification-requests/{request['id']}"
    assert (await reviewer.post(check + "/revocation", {"reason": "early"})).status == 409, "not approved yet"
    assert (await reviewer.post(check + "/approval")).status == 200
    assert (await reviewer.post(check + "/approval")).status == 409, "twice"
    assert (await reviewer.post(check + "/rejection", {"reason": "late"})).status == 409


async def test_V09_dates_are_exact_or_refused(stage: Stage) -> None:
    landlord, reviewer = await person(stage, "landlord", "landlord"), await person(stage, None, "reviewer")
    tenant = await person(stage, "tenant", "tenant")
    home = (await listed(landlord, reviewer))["id"]
    dates = (
        "2027-02-30", "2027-13-01", "0000-01-01", "10000-01-01", "2027-1-1", "20270101", "2027-01-01T00:00:00Z",
        "2027-01-01T23:59:60Z", "2027-01-01+02:00", "-2027-01-01", " 2027-01-01", "tomorrow", "", 1830297600, None, True,
    )  # fmt: skip
    for date in dates:
        answer = await tenant.post("/v1/reservations", {**stay(home), "check_in": date})
        assert (answer.status, answer.pointers) == (422, ["/check_in"]), date
        if isinstance(date, str):
            path = f"/v1/properties/{home}/availability"
            read = await tenant.client.get(path, params={"from": date, "to": "2027-03-01"})
            assert read.status_code == 422, date
    leap = {**stay(home), "check_in": "2028-02-28", "check_out": "2028-02-29"}
    made = await tenant.post("/v1/reservations", leap)
    assert (made.status, made.json["check_out"]) == (201, "2028-02-29"), made.text


async def test_Z02_another_s_objects_are_not_there_by_any_method(stage: Stage) -> None:
    owner, other = await person(stage, "landlord", "landlord"), await person(stage, "landlord", "landlord")
    hidden = (await draft(owner))["id"]
    request = (await owner.made("/v1/verification-requests", {"subject": "property", "property_id": hidden}))["id"]
    never = "01a1fd92-9cbf-7151-8e01-dc9ad8489d6d"
    for method, path, key, body in (
        ("GET", "/v1/properties/{}", hidden, None),
        ("PATCH", "/v1/properties/{}", hidden, {"title": "Mine"}),
        ("DELETE", "/v1/properties/{}", hidden, None),
        ("PUT", "/v1/properties/{}/publication", hidden, None),
        ("DELETE", "/v1/properties/{}/publication", hidden, None),
        ("GET", "/v1/properties/{}/availability", hidden, None),
        ("GET", "/v1/verification-requests/{}", request, None),
    ):
        one, two = [await other.call(method, path.format(each), body, X_Request_ID="same") for each in (key, never)]
        assert one.status == two.status == 404, (method, path)
        assert one.text == two.text
        assert {**one.headers} == {**two.headers}


async def test_V06_an_oauth_endpoint_ignores_what_it_does_not_know(stage: Stage) -> None:
    given = await log_in(stage, "oauth@example.com")
    form = {"grant_type": "refresh_token", "refresh_token": given["refresh_token"], "resource": "x", "unknown": "y"}
    answer = await stage.client().post("/v1/auth/token", data=form)
    assert answer.status_code == 200
    token = answer.json()["refresh_token"]
    form = {"token": token, "token_type_hint": "refresh_token", "unknown": "y"}
    assert (await stage.client().post("/v1/auth/revocation", data=form)).status_code == 200


async def test_V03_forms_have_bounds(stage: Stage) -> None:
    client, fields = stage.client(), {f"f{n}": "x" for n in range(1_001)}
    parts: Any = {f"f{n}": (None, "x") for n in range(1_001)}
    for sent in ({"data": fields}, {"files": parts}, {"files": {"grant_type": ("x" * 9_000, b"x")}}):
        answer = await client.post("/v1/auth/token", **sent)
        assert answer.status_code in (400, 413, 415, 422), answer.text
        assert answer.headers["content-type"] == "application/problem+json"


async def test_E03_no_secret_of_a_scenario_is_in_logs_or_metrics(stage: Stage) -> None:
    written = io.StringIO()
    sink = logs.configure(style="json", level="debug", stream=written)
    given = await log_in(stage, "eve@example.com")
    ada = Person(stage.client(Authorization=f"Bearer {given['access_token']}"))
    nobody = stage.client()
    await ada.post(
        "/v1/properties", {**COTTAGE, "title": "Pay with " + CARD, "nonsense": PASSWORD}, Idempotency_Key=KEY
    )
    await ada.post("/v1/properties", COTTAGE, Idempotency_Key=KEY)
    await ada.post("/v1/auth/password", {"current_password": PASSWORD + "x", "new_password": PASSWORD})
    await nobody.post("/v1/auth/reset", json={"email": "eve@example.com"})
    await nobody.post("/v1/auth/reset/confirmation", json={"token": "canary-reset-code", "password": PASSWORD})
    await nobody.post("/v1/auth/token", data={"grant_type": "refresh_token", "refresh_token": given["refresh_token"]})
    await nobody.get("/v1/users/me", params={"access_token": given["access_token"]})
    await nobody.get("/v1/properties/" + given["refresh_token"], headers={"Cookie": "session=canary-cookie"})
    await nobody.get("/v1/properties", params={"cursor": CARD, "city": PASSWORD})
    logs.get_logger("test").error("it broke", error=f"password={PASSWORD} card {CARD}", token=given["access_token"])
    sink.flush()
    metrics = (await stage.client().get("/metrics")).text
    said = written.getvalue() + metrics
    logs.configure(style="console", level="info")
    for line in written.getvalue().splitlines():
        assert json.loads(line)["level"], line
    assert "/v1/properties" in said and "freehold_http_requests" in metrics and "it broke" in said
    canaries = [
        PASSWORD, given["access_token"], given["access_token"].split(".")[2], given["refresh_token"], KEY, CARD,
        CARD.replace(" ", ""), "canary-reset-code", "canary-cookie", "canary-secret-", "$argon2",
    ]  # fmt: skip
    assert [canary for canary in canaries if canary in said] == []
