"""Idempotency keys on `/v1/auth`: one log-in, one mail, one change, and nothing kept that a dump could open."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import func, select

from freehold.identity.tables import SESSIONS
from freehold.resource import clock
from freehold.resource.principal import system
from freehold.store.idempotency import IDEMPOTENCY
from tests.web.test_identity import PASSWORD, Service, on_each_database, on_sqlite, service, words

__all__ = ["on_each_database", "on_sqlite", "service"]

pytestmark = pytest.mark.anyio

LOG_IN = {"grant_type": "password", "username": "ada@example.com", "password": PASSWORD}
REPLAYED = "idempotent-replayed"


def key(name: str) -> dict[str, str]:
    return {"Idempotency-Key": name}


async def log_in(service: Service, name: str, **form: str) -> httpx2.Response:
    return await service.client.post("/v1/auth/token", data={**LOG_IN, **form}, headers=key(name))


async def count(service: Service, table: Any) -> int:
    async with service.database.reading(system("test")) as session:
        return int(await session.scalar(select(func.count()).select_from(table)) or 0)


async def test_I02_I03_I06_I09_a_log_in_is_replayed_by_its_key_and_sealed(on_each_database: Service) -> None:
    service = on_each_database
    service.app.state.freehold.retry_secret = b"0123456789abcdef0123456789abcdef"
    await service.register()
    assert (await log_in(service, "k1", password="not the right one")).status_code == 401  # and the key stays free
    first, second = [await log_in(service, "k1") for _ in range(2)]
    assert (first.status_code, second.status_code) == (200, 200)
    assert first.content == second.content
    assert (first.headers.get(REPLAYED), second.headers.get(REPLAYED)) == (None, "true")
    assert second.headers["cache-control"] == "no-store"
    assert await count(service, SESSIONS) == 1
    other = await log_in(service, "k1", password="another password altogether")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency.key_reused")
    async with service.database.reading(system("test")) as session:
        (row,) = (await session.execute(select(IDEMPOTENCY))).all()
    kept = b"".join(value for value in row if isinstance(value, bytes))
    for secret in (PASSWORD, first.json()["refresh_token"], first.json()["access_token"], "k1"):
        assert secret.encode() not in kept
    service.app.state.freehold.retry_secret = b"the secret of another service ..."
    assert (await log_in(service, "k1")).status_code == 422  # the dump and the key alone open nothing


async def test_I04_I05_many_at_once_are_one_log_in_and_strangers_do_not_meet(on_each_database: Service) -> None:
    service = on_each_database
    await service.register()
    answers = await asyncio.gather(*(log_in(service, "k1") for _ in range(12)))
    good = [answer for answer in answers if answer.status_code == 200]
    assert {answer.status_code for answer in answers} <= {200, 409}
    assert len({answer.content for answer in good}) == 1
    assert all(answer.headers["retry-after"] for answer in answers if answer.status_code == 409)
    assert await count(service, SESSIONS) == 1
    elsewhere = httpx2.ASGITransport(service.app, client=("192.0.2.99", 1))
    async with httpx2.AsyncClient(transport=elsewhere, base_url="http://imba.example") as stranger:
        answer = await stranger.post("/v1/auth/token", data={**LOG_IN, "password": "x"}, headers=key("k1"))
    assert (answer.status_code, answer.json()["code"]) == (401, "auth.wrong_credentials")


async def test_I08_tokens_of_a_log_in_that_ended_are_not_given_again(service: Service) -> None:
    await service.register()
    given = (await log_in(service, "k1")).json()
    revoke = [
        await service.client.post("/v1/auth/revocation", data={"token": given["refresh_token"]}, headers=key("r"))
        for _ in range(2)
    ]
    assert [(each.status_code, each.headers.get(REPLAYED)) for each in revoke] == [(200, None), (200, "true")]
    assert (await log_in(service, "k1")).status_code == 401
    user_id, _ = await service.person("bob@example.com")
    again = await log_in(service, "k2", username="bob@example.com")
    async with service.database.writing(system("test")) as unit:
        await service.parts.accounts.disable(unit.session, UUID(user_id))
    assert again.status_code == 200
    assert (await log_in(service, "k2", username="bob@example.com")).status_code == 401


async def test_I02_T07_a_refresh_has_its_own_retry_and_a_key_does_not_outlive_it(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    await service.register()
    old = (await service.token()).json()["refresh_token"]
    form = {"grant_type": "refresh_token", "refresh_token": old}
    first, second = [await service.client.post("/v1/auth/token", data=form, headers=key("f")) for _ in range(2)]
    assert first.json() == second.json()
    assert await count(service, IDEMPOTENCY) == 0
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now + service.parts.sessions._lifetimes.grace * 2)
    assert (await service.client.post("/v1/auth/token", data=form, headers=key("f"))).status_code == 401


async def test_I02_changes_of_an_account_are_replayed_although_they_would_be_refused_now(service: Service) -> None:
    _, ada = await service.person("ada@example.com")
    await service.work()
    verify = {"token": service.outbox.token()}
    new = {"current_password": PASSWORD, "new_password": "completely different words 7"}
    email = {"current_password": new["new_password"], "email": "ada@example.org"}
    for path, body in (("verification/confirmation", verify), ("password", new), ("email", email)):
        answers = [
            await service.client.post(f"/v1/auth/{path}", json=body, headers={**ada, **key(path)}) for _ in range(2)
        ]
        told = [(each.status_code, each.headers.get(REPLAYED)) for each in answers]
        assert told == [(204, None), (204, "true")], (path, answers[1].text)
        if path != "email":
            assert (await service.client.post(f"/v1/auth/{path}", json=body, headers=ada)).status_code >= 400
    await service.work()
    sent = len(service.outbox.messages)
    for _ in range(2):
        asked = await service.client.post("/v1/auth/reset", json={"email": "ada@example.com"}, headers=key("s"))
        assert (asked.status_code, asked.json()) == (202, {})
        resent = await service.client.post("/v1/auth/verification", headers={**ada, **key("v")})
        assert (resent.status_code, resent.json()) == (202, {})
    await service.work()
    assert len(service.outbox.messages) == sent + 1  # one, and the address is confirmed already
    mailed = "".join(words(message) for message in service.outbox.messages)
    reset = {
        "token": mailed.partition("/reset-password?token=")[2].split()[0],
        "password": "words of the third kind 9",
    }
    answers = [await service.client.post("/v1/auth/reset/confirmation", json=reset, headers=key("c")) for _ in range(2)]
    assert [each.status_code for each in answers] == [204, 204]
    bad = await service.client.post("/v1/auth/reset", json={"email": "ada@example.org"}, headers=key(""))
    assert (bad.status_code, bad.json()["code"]) == (400, "idempotency.key_malformed")
