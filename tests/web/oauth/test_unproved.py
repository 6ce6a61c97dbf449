"""Somebody registered an address that is not theirs: its owner comes in by a reset, and nobody else is left inside."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import httpx2
import pyotp
import pytest
from sqlalchemy import select, update

from freehold.identity import one_time
from freehold.identity.api_keys import API_KEYS
from freehold.identity.emails import email_key
from freehold.identity.provider.tables import CONSENTS
from freehold.identity.social import linked
from freehold.identity.social.provider import Profile
from freehold.identity.social.tables import LINKED_IDENTITIES, LOGIN_ATTEMPTS
from freehold.resource import clock
from freehold.resource.principal import system
from freehold.store.audit import AUDIT
from tests.web.oauth.world import Browser, World

pytestmark = pytest.mark.anyio

NEXT = "another lantern velvet 43"


async def _settled_in(world: World, user_id: UUID) -> dict[str, Any]:
    """Everything that an account can have to come in by; what is told once."""
    mine = await world.bearer()
    client = await world.register()
    given = await world.tokens(client, scope="openid offline_access notes:read")
    key = (await world.client.post("/v1/auth/api-keys", json={"name": "k"}, headers=mine)).json()["key"]
    secret = (await world.client.post("/v1/auth/factors/totp", json={}, headers=mine)).json()["secret"]
    code = {"code": pyotp.TOTP(secret).at(clock.now())}
    assert (await world.client.post("/v1/auth/factors/totp/confirmation", json=code, headers=mine)).status_code == 200
    async with world.app.database.writing(system("test")) as unit:
        profile = Profile(issuer="https://idp.example", subject="eve", email="eve@example.com", is_email_verified=True)
        assert await linked.link(unit.session, user_id, "acme", profile)
        await unit.session.execute(
            LOGIN_ATTEMPTS.insert().values(
                browser_hash=b"b", provider="acme", sealed=b"", return_to="/", granted_user_id=user_id,
                expires_at=clock.now(),
            )
        )  # fmt: skip
    return {"mine": mine, "key": key, "client": client, **given}


async def _reset(world: World, user_id: UUID, email: str = "ada@example.com") -> None:
    async with world.app.database.writing(system("test")) as unit:
        token = await one_time.issue(unit.session, user_id=user_id, purpose=one_time.RESET, email_key=email_key(email))
    sent = {"token": token, "password": NEXT}
    assert (await world.client.post("/v1/auth/reset/confirmation", json=sent)).status_code == 204


async def _rows(world: World) -> list[int]:
    async with world.app.database.reading(system("test")) as session:
        tables = (API_KEYS, CONSENTS, LINKED_IDENTITIES, LOGIN_ATTEMPTS)
        return [len((await session.execute(select(table))).all()) for table in tables]


async def _log_in(world: World) -> httpx2.Response:
    form = {"grant_type": "password", "username": "ada@example.com", "password": NEXT}
    return await world.client.post("/v1/auth/token", data=form)


async def test_A09_the_first_to_prove_an_address_finds_nobody_else_inside(world: World) -> None:
    user_id = await world.person()
    held = await _settled_in(world, user_id)
    assert await _rows(world) == [1, 1, 1, 1]
    await _reset(world, user_id)
    assert await _rows(world) == [0, 0, 0, 0]
    by_key = await world.client.get("/v1/users/me", headers={"X-API-Key": held["key"]})
    by_token = await world.client.get("/v1/users/me", headers=held["mine"])
    assert (by_key.status_code, by_token.status_code) == (401, 401)
    assert not await world.is_good(held["access_token"])
    assert (await world.refresh(held["client"], held["refresh_token"])).json()["error"] == "invalid_grant"
    assert (await _log_in(world)).status_code == 200, "no factor of a stranger's is asked for"
    async with world.app.database.reading(system("test")) as session:
        actions = list(await session.scalars(select(AUDIT.c.action)))
    assert "user.unproved_access_removed" in actions


async def test_A09_a_reset_by_whoever_proved_the_address_keeps_what_is_theirs(world: World) -> None:
    user_id = await world.person()
    held = await _settled_in(world, user_id)
    guests: Any = world.app.identity.user.__table__  # type: ignore[union-attr]
    async with world.app.database.writing(system("test")) as unit:
        await unit.session.execute(update(guests).values(email_verified_at=clock.now()))
    await _reset(world, user_id)
    assert await _rows(world) == [1, 1, 1, 1]
    due = await _log_in(world)
    assert (due.status_code, due.json()["code"]) == (401, "auth.factor_required")
    assert not await world.is_good(held["access_token"]), "log-ins end with every password"


async def test_A11_an_export_holds_keys_and_consents_and_no_secret(world: World, browser: Browser) -> None:
    await world.person()
    mine, client = await world.bearer(), await world.register()
    await world.tokens(client, browser, scope="openid notes:read")
    body = {"name": "importer", "scopes": ["notes:read"]}
    made = (await world.client.post("/v1/auth/api-keys", json=body, headers=mine)).json()
    gone = (await world.client.post("/v1/auth/api-keys", json={"name": "old"}, headers=mine)).json()
    assert (await world.client.delete(f"/v1/auth/api-keys/{gone['id']}", headers=mine)).status_code == 204
    answer = await world.client.get("/v1/users/me/export", headers=mine)
    held = answer.json()
    assert [(each["name"], each["scopes"]) for each in held["api_keys"]] == [("importer", ["notes:read"]), ("old", [])]
    assert held["api_keys"][1]["revoked_at"] is not None
    (consent,) = held["consents"]
    assert (consent["client_id"], consent["client_name"]) == (client.id, "Planner")
    assert consent["scopes"] == ["notes:read", "openid"]
    assert made["key"] not in answer.text and "hash" not in answer.text
