"""API keys: what one is, what it may, and when it is dead (BEHAVIOURS K)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Mapped, mapped_column

from freehold import Access, Freehold, Identity, Resource, UserMixin, owner, role, scope, signed_in
from freehold.identity import Cost
from freehold.identity.api_keys import API_KEYS, KeyDraft, keys
from freehold.identity.api_keys.text import finder_of, new_key
from freehold.resource import clock
from freehold.resource.principal import Principal, system
from freehold.settings import Settings
from freehold.store.audit import AUDIT
from freehold.testing import Stage
from tests.bases import AccountBase as Base

pytestmark = pytest.mark.anyio

PASSWORD = "lantern quarry velvet 42"
KEYS = "/v1/auth/api-keys"


class Holder(UserMixin, Base):
    __tablename__ = "test_key_holders"


class Parcel(Base):
    __tablename__ = "test_key_parcels"

    owner_id: Mapped[UUID | None] = mapped_column(index=True)
    label: Mapped[str]


class Stock(Base):
    __tablename__ = "test_key_stock"

    label: Mapped[str]


@pytest.fixture(scope="module")
def app(module_database: str, tmp_path_factory: pytest.TempPathFactory) -> Freehold:
    settings = Settings(
        env="test", var_dir=tmp_path_factory.mktemp("var"), database_url=module_database, secret="s" * 40, limits="off"
    )
    mine = Access(read=owner("owner_id"), create=signed_in & scope("parcels:write"))
    clerks = role("clerk") & scope("stock:write")
    identity = Identity(user=Holder, roles=("clerk", "guard", "admin"), factor_required_for={"guard"}, cost=QUICK)
    return Freehold(
        Resource(Parcel, name="parcels", access=mine),
        Resource(Stock, name="stock", access=Access(read=role("clerk", "guard"), create=clerks)),
        identity=identity,
        settings=settings,
    )


QUICK = Cost(memory_kib=64, passes=1)


class Hand:
    at = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def forward(self, **by: float) -> None:
        self.at += timedelta(**by)


@pytest.fixture
def hand() -> Iterator[Hand]:
    moved = Hand()
    clock.set_source(moved)
    yield moved
    clock.set_source(None)


@pytest.fixture
async def stage(house: Any, hand: Hand) -> AsyncIterator[Stage]:
    async with house.stage() as found:
        yield found


class Somebody:
    """A person with a log-in."""

    def __init__(self, stage: Stage, user_id: UUID, client: httpx2.AsyncClient) -> None:
        self.stage, self.id, self.client = stage, user_id, client

    async def make(self, **more: Any) -> httpx2.Response:
        return await self.client.post(KEYS, json={"name": "nightly", **more})

    async def key(self, **more: Any) -> str:
        answer = await self.make(**more)
        assert answer.status_code == 201, answer.text
        found: str = answer.json()["key"]
        return found

    async def set_roles(self, *roles: str) -> None:
        async with self.stage.database.writing(system("test")) as unit:
            await _parts(self.stage).accounts.set_roles(unit.session, self.id, roles)


def _parts(stage: Stage) -> Any:
    return stage.app.identity.parts  # type: ignore[union-attr]


async def _person(stage: Stage, email: str, *roles: str, **token: str) -> Somebody:
    client = stage.client()
    body = {"email": email, "password": PASSWORD, "full_name": "Ada Lovelace"}
    user_id = UUID((await client.post("/v1/users", json=body)).json()["id"])
    found = Somebody(stage, user_id, client)
    await found.set_roles(*roles)
    form = {"grant_type": "password", "username": email, "password": PASSWORD, **token}
    access = (await client.post("/v1/auth/token", data=form)).json()["access_token"]
    client.headers["Authorization"] = f"Bearer {access}"
    return found


@pytest.fixture
async def ada(stage: Stage) -> Somebody:
    return await _person(stage, "ada@example.com")


def _with(stage: Stage, key: str, address: str = "127.0.0.1") -> httpx2.AsyncClient:
    transport = httpx2.ASGITransport(stage.app, raise_app_exceptions=False, client=(address, 1))
    return httpx2.AsyncClient(transport=transport, base_url="http://testserver", headers={"X-API-Key": key})


async def _status(stage: Stage, key: str, path: str = "/v1/parcels", **more: Any) -> int:
    return (await _with(stage, key, **more).get(path)).status_code


class TestK01WhatAKeyIs:
    def test_K01_it_says_what_it_is_and_carries_a_checksum(self) -> None:
        keys = {new_key() for _ in range(100)}
        assert len(keys) == 100
        for key in keys:
            prefix, finder, rest = key.split("_")
            assert (prefix, len(finder), len(rest)) == ("fh", 10, 49)
            assert 62 ** (len(rest) - 6) > 2**128
            assert finder_of(key) == f"fh_{finder}"
            for wrong in (key[:-1], key + "0", key[:-1] + ("0" if key[-1] != "0" else "1"), key.swapcase(), ""):
                assert finder_of(wrong) is None

    async def test_K01_it_is_shown_once_and_stored_hashed(self, ada: Somebody, stage: Stage) -> None:
        answer = await ada.make()
        key = answer.json()["key"]
        assert answer.headers["cache-control"] == "no-store"
        listed = await ada.client.get(KEYS)
        assert key not in listed.text
        assert listed.json()["items"][0]["prefix"] == finder_of(key)
        async with stage.database.reading(system("test")) as session:
            rows = [row for table in (API_KEYS, AUDIT) for row in (await session.execute(select(table))).all()]
        dump = "|".join(map(str, rows))
        assert str(finder_of(key)) in dump
        assert key.rpartition("_")[2][:20] not in dump
        assert "nightly" in dump

    async def test_K01_it_is_found_by_its_prefix_and_the_rest_has_to_be_right(
        self, ada: Somebody, stage: Stage
    ) -> None:
        key, other = await ada.key(), new_key()
        body = f"{finder_of(key)}_{other.rpartition('_')[2][:-6]}"
        forged = next(each for each in _endings(body) if finder_of(each))
        refusals = []
        for wrong in (forged, other, "x", "fh_", key + "x", key[:-1], ""):
            answer = await _with(stage, wrong).get("/v1/parcels")
            refusals.append((answer.status_code, answer.json()["code"], answer.json().get("detail")))
        assert set(refusals) == {(401, "auth.invalid_api_key", "The API key is not good.")}
        assert await _status(stage, key) == 200

    async def test_K01_the_last_use_is_known_to_the_minute_and_not_written_each_time(
        self, ada: Somebody, stage: Stage, hand: Hand
    ) -> None:
        key = await ada.key()
        for seconds in (0, 20, 20, 20, 20):
            hand.forward(seconds=seconds)
            stage.statements.clear()
            assert await _status(stage, key) == 200
        assert not [each for each in stage.statements if each.startswith("UPDATE")]
        (row,) = (await ada.client.get(KEYS)).json()["items"]
        assert hand.at - datetime.fromisoformat(row["last_used_at"]) <= timedelta(minutes=1)


async def test_K02_of_two_last_keys_made_at_once_one_is_refused(
    real_stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "MOST_KEYS", 1)
    ada = await _person(real_stage, "ada@example.com")
    async with real_stage.database.writing(system("test")) as unit:
        draft = KeyDraft(name="first", lifetime=timedelta(days=1))
        await _parts(real_stage).api_keys.make(unit.session, draft, maker=Principal(id=ada.id))
        making = asyncio.create_task(ada.make())
        await asyncio.sleep(0.3)
    answer = await making
    assert (answer.status_code, answer.json()["code"]) == (422, "identity.too_many_keys")


def _endings(body: str) -> Iterator[str]:
    from freehold.identity.api_keys.text import _checksum

    yield body + _checksum(body)


class TestK02WhatItMay:
    async def test_K02_its_scopes_are_no_wider_than_its_makers(self, ada: Somebody, stage: Stage) -> None:
        narrow = await _person(stage, "bob@example.com", scope="account parcels:write")
        assert (await narrow.make(scopes=["parcels:write"])).status_code == 201
        refused = await narrow.make(scopes=["parcels:write", "stock:write"])
        assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "api_key.scope")
        for roles in (["clerk"], ["admin"]):
            assert (await ada.make(roles=roles)).status_code == 422, "a personal key has its owner's"

    async def test_K02_Z07_scopes_restrict_it(self, ada: Somebody, stage: Stage) -> None:
        without, with_it = await ada.key(), await ada.key(scopes=["parcels:write"])
        refused = await _with(stage, without).post("/v1/parcels", json={"label": "x"})
        assert (refused.status_code, refused.json()["code"]) == (403, "auth.insufficient_scope")
        made = await _with(stage, with_it).post("/v1/parcels", json={"label": "x"})
        assert made.status_code == 201
        assert (await ada.client.get(made.headers["location"])).status_code == 200, "it acts as its owner"

    async def test_K02_it_ends(self, ada: Somebody, stage: Stage, hand: Hand) -> None:
        day, usual = await ada.key(expires_in_days=1), await ada.key()
        hand.forward(days=1, seconds=1)
        assert [await _status(stage, key) for key in (day, usual)] == [401, 200]
        hand.forward(days=89)
        assert await _status(stage, usual) == 401
        for days in (0, -1, 367, 10_000):
            assert (await ada.make(expires_in_days=days)).status_code in (401, 422)

    @pytest.mark.parametrize(
        ("ranges", "address", "status"),
        [
            (["203.0.113.0/24"], "203.0.113.77", 200),
            (["203.0.113.0/24"], "203.0.114.1", 401),
            (["203.0.113.0/24", "2001:db8::/32"], "2001:db8::1", 200),
            (["203.0.113.0/24"], "::ffff:203.0.113.77", 200),
            (["0.0.0.0/0"], "2001:db8::1", 401),
            (["203.0.113.9"], "203.0.113.9", 200),
            (["203.0.113.9"], "unknown", 401),
        ],
    )
    async def test_K02_addresses_may_be_named(
        self, ada: Somebody, stage: Stage, ranges: list[str], address: str, status: int
    ) -> None:
        key = await ada.key(address_ranges=ranges)
        assert await _status(stage, key, address=address) == status

    async def test_K02_what_is_no_range_is_refused(self, ada: Somebody) -> None:
        for wrong in ("203.0.113.0/33", "example.com", "", "203.0.113.0/24,::/0"):
            assert (await ada.make(address_ranges=[wrong])).status_code == 422

    async def test_K02_a_revoked_key_is_dead_at_once(self, ada: Somebody, stage: Stage) -> None:
        made = (await ada.make()).json()
        assert await _status(stage, made["key"]) == 200
        assert (await ada.client.delete(f"{KEYS}/{made['id']}")).status_code == 204
        assert await _status(stage, made["key"]) == 401
        assert (await ada.client.delete(f"{KEYS}/{made['id']}")).status_code == 404
        assert (await ada.client.get(KEYS)).json()["items"] == []

    async def test_K02_what_its_owner_loses_it_loses(self, stage: Stage) -> None:
        bob = await _person(stage, "bob@example.com", "clerk")
        key = await bob.key(scopes=["stock:write"])
        assert (await _with(stage, key).post("/v1/stock", json={"label": "x"})).status_code == 201
        await bob.set_roles()
        assert (await _with(stage, key).post("/v1/stock", json={"label": "x"})).status_code == 403
        async with stage.database.writing(system("test")) as unit:
            await _parts(stage).accounts.disable(unit.session, bob.id)
        assert await _status(stage, key) == 401

    async def test_K02_a_role_that_asks_for_a_second_factor_does_not_count(self, stage: Stage) -> None:
        bob = await _person(stage, "bob@example.com", "clerk")
        key = await bob.key()
        assert await _status(stage, key, "/v1/stock") == 200
        await bob.set_roles("guard")
        assert await _status(stage, key, "/v1/stock") in (401, 403)

    async def test_K02_rotation_overlaps(self, ada: Somebody, stage: Stage, hand: Hand) -> None:
        made = (await ada.make(scopes=["parcels:write"], expires_in_days=30)).json()
        hand.forward(minutes=1)
        fresh = await ada.client.post(f"{KEYS}/{made['id']}/rotation", json={"overlap_hours": 2})
        assert fresh.status_code == 201, fresh.text
        assert [await _status(stage, key) for key in (made["key"], fresh.json()["key"])] == [200, 200]
        hand.forward(hours=2, seconds=1)
        assert [await _status(stage, key) for key in (made["key"], fresh.json()["key"])] == [401, 200]
        answer = await _with(stage, fresh.json()["key"]).post("/v1/parcels", json={"label": "x"})
        assert answer.status_code == 201, "with the rights of the old one"
        hand.forward(days=29, hours=22)
        assert await _status(stage, fresh.json()["key"]) == 401

    async def test_K02_a_rotation_gives_no_rights_that_its_caller_has_not(self, ada: Somebody, stage: Stage) -> None:
        wide = (await ada.make(scopes=["parcels:write"])).json()
        form = {"grant_type": "password", "username": "ada@example.com", "password": PASSWORD, "scope": "account"}
        narrow = (await stage.client().post("/v1/auth/token", data=form)).json()["access_token"]
        headers = {"Authorization": f"Bearer {narrow}"}
        answer = await ada.client.post(f"{KEYS}/{wide['id']}/rotation", headers=headers)
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "api_key.scope")
        assert "fh_" not in answer.text
        assert await _status(stage, wide["key"]) == 200

    async def test_Z02_a_key_of_somebody_else_is_not_there(self, ada: Somebody, stage: Stage) -> None:
        bob = await _person(stage, "bob@example.com", "admin")
        made = (await ada.make()).json()
        assert (await bob.client.delete(f"{KEYS}/{made['id']}")).status_code == 404
        assert (await bob.client.post(f"{KEYS}/{made['id']}/rotation")).status_code == 404
        assert (await bob.client.get(KEYS)).json()["items"] == []
        assert await _status(stage, made["key"]) == 200

    async def test_A14_who_leaves_takes_the_keys_along(self, ada: Somebody, stage: Stage) -> None:
        key = await ada.key()
        assert (await ada.client.delete("/v1/users/me")).status_code == 204
        assert await _status(stage, key) == 401


class TestKeysOfTheService:
    async def test_K02_one_has_no_more_than_its_maker_now(self, stage: Stage) -> None:
        boss = await _person(stage, "boss@example.com", "admin", "clerk")
        key = await boss.key(is_of_service=True, roles=["clerk"], scopes=["stock:write"])
        assert (await _with(stage, key).post("/v1/stock", json={"label": "x"})).status_code == 201
        assert await _status(stage, key, "/v1/users/me") in (401, 403, 404)
        assert (await _with(stage, key).post("/v1/parcels", json={"label": "x"})).status_code == 403, "it is no person"
        assert (await boss.make(is_of_service=True, roles=["guard"])).status_code == 422
        await boss.set_roles("admin")
        assert (await _with(stage, key).post("/v1/stock", json={"label": "x"})).status_code == 403

    async def test_only_administrators_make_and_see_them(self, ada: Somebody, stage: Stage) -> None:
        boss = await _person(stage, "boss@example.com", "admin")
        made = (await boss.make(is_of_service=True)).json()
        assert (await ada.make(is_of_service=True)).status_code == 403
        assert (await ada.client.get(KEYS)).json()["items"] == []
        assert [each["is_of_service"] for each in (await boss.client.get(KEYS)).json()["items"]] == [True]
        assert (await ada.client.delete(f"{KEYS}/{made['id']}")).status_code == 404
        assert (await boss.client.delete(f"{KEYS}/{made['id']}")).status_code == 204

    async def test_one_made_by_the_command_line_has_no_maker_to_lose_rights(self, stage: Stage) -> None:
        draft = KeyDraft("import", roles=frozenset({"clerk"}), is_of_service=True)
        async with stage.database.writing(system("test")) as unit:
            made = await _parts(stage).api_keys.make(unit.session, draft, maker=system("command line"))
        assert await _status(stage, made.key, "/v1/stock") == 200


OUT_OF_REACH = [
    ("POST", KEYS, {"name": "another"}),
    ("GET", KEYS, None),
    ("POST", "/v1/auth/password", {"current_password": PASSWORD, "new_password": "another quarry lantern 7"}),
    ("POST", "/v1/auth/email", {"current_password": PASSWORD, "email": "eve@example.com"}),
    ("PATCH", "/v1/users/me", {"full_name": "Eve"}),
    ("DELETE", "/v1/users/me", None),
    ("GET", "/v1/users/me/export", None),
    ("GET", "/v1/auth/sessions", None),
    ("DELETE", "/v1/auth/sessions", None),
    ("POST", "/v1/auth/verification", None),
]


class TestK03WhatItMayNot:
    @pytest.mark.parametrize(("method", "path", "body"), OUT_OF_REACH)
    async def test_K03_what_protects_the_account_is_out_of_its_reach(
        self, ada: Somebody, stage: Stage, method: str, path: str, body: Any
    ) -> None:
        key = await ada.key(scopes=["parcels:write"])
        answer = await _with(stage, key).request(method, path, json=body)
        assert answer.status_code in (401, 403)

    async def test_K03_no_key_has_the_scope_that_would_open_it(self, ada: Somebody) -> None:
        assert (await ada.make(scopes=["account"])).status_code == 422

    async def test_K03_it_logs_nobody_in(self, ada: Somebody, stage: Stage) -> None:
        key = await ada.key()
        client = _with(stage, key)
        body = {"email": "ada@example.com", "password": PASSWORD}
        answer = await client.post("/v1/auth/browser-session", json=body)
        assert answer.status_code in (400, 403)
        assert "set-cookie" not in answer.headers

    async def test_T05_a_key_is_no_bearer_token_and_no_token_is_a_key(self, ada: Somebody, stage: Stage) -> None:
        key = await ada.key()
        access = ada.client.headers["authorization"].split()[1]
        as_bearer = await stage.client().get("/v1/parcels", headers={"Authorization": f"Bearer {key}"})
        assert as_bearer.status_code == 401
        assert await _status(stage, access) == 401

    async def test_C04_T13_one_credential_a_request(self, ada: Somebody, stage: Stage) -> None:
        key = await ada.key()
        both = await ada.client.get("/v1/parcels", headers={"X-API-Key": key})
        assert (both.status_code, both.json()["code"]) == (400, "auth.several_credentials")
        twice = [("X-API-Key", key), ("X-API-Key", key)]
        assert (await stage.client().get("/v1/parcels", headers=twice)).status_code == 401  # type: ignore[arg-type]
        assert (await stage.client().get(f"/v1/parcels?api_key={key}")).status_code in (401, 422)

    async def test_a_key_takes_a_log_in_of_the_last_five_minutes(self, ada: Somebody, hand: Hand) -> None:
        made = (await ada.make()).json()
        hand.forward(minutes=5, seconds=1)
        for answer in (await ada.make(), await ada.client.post(f"{KEYS}/{made['id']}/rotation")):
            assert answer.status_code == 401
            assert "insufficient_user_authentication" in answer.headers["www-authenticate"]
        assert (await ada.client.delete(f"{KEYS}/{made['id']}")).status_code == 204, "taking away never waits"


async def test_a_database_that_cannot_write_refuses_no_read(
    ada: Somebody, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    from freehold.errors import StorageFull

    key = await ada.key()

    async def full(*_: Any, **__: Any) -> None:
        raise StorageFull

    monkeypatch.setattr(stage.database, "run", full)
    assert await _status(stage, key) == 200
