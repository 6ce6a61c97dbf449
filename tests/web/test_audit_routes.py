"""E05: who may read the trail, and what an account's owner is told of theirs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from freehold import Freehold, Identity, Principal, Roles, permission, system
from freehold.identity import Cost
from freehold.settings import Settings
from freehold.store.audit_check import verify
from freehold.store.audit_sealing import seal_pending
from freehold.testing import House, Stage, opened
from tests.web.office import Person as User

pytestmark = pytest.mark.anyio
PASSWORD = "lantern quarry velvet 42"
ROLES = Roles(auditor=["audit:read"], admin=[])


@pytest.fixture(scope="module")
async def house(module_database: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    settings = Settings(
        env="test", var_dir=tmp_path_factory.mktemp("audit"), database_url=module_database, secret="x" * 40, limits="off",
        log_level="error",
    )  # fmt: skip
    identity = Identity(user=User, roles=ROLES, audit=permission("audit:read"), cost=Cost(memory_kib=64, passes=1))
    async with opened(Freehold(identity=identity, settings=settings)) as found:
        yield found


@pytest.fixture
async def stage(house: House) -> AsyncIterator[Stage]:
    async with house.stage(isolate=False, workers=False) as found:
        yield found


async def registered(stage: Stage, name: str) -> tuple[str, Any]:
    body = {"email": f"{name}@example.com", "password": PASSWORD, "full_name": name}
    user_id = (await stage.client().post("/v1/users", json=body)).json()["id"]
    form = {"grant_type": "password", "username": body["email"], "password": PASSWORD}
    token = (await stage.client().post("/v1/auth/token", data=form)).json()["access_token"]
    return user_id, stage.client(Authorization=f"Bearer {token}")


async def test_E05_the_trail_is_for_those_with_the_right_alone(stage: Stage) -> None:
    ada, own = await registered(stage, "ada")
    await registered(stage, "eve")
    assert (await own.get("/v1/audit")).status_code == 403
    assert (await stage.client().get("/v1/audit")).status_code == 401
    admin = stage.as_user(id=UUID(int=7), roles=["admin"])
    assert (await admin.get("/v1/audit")).status_code == 403, "a right of its own, that no other role brings"
    auditor = stage.as_user(id=UUID(int=8), roles=["auditor"])
    secret = stage.app.settings.secret_value.encode()
    await seal_pending(stage.database, key=secret)
    page = (await auditor.get("/v1/audit", params={"subject_type": "user", "subject_id": ada})).json()
    assert [each["action"] for each in page["items"]] == ["user.login", "user.registered"]
    assert all(each["digest"] and each["sequence"] for each in page["items"])
    first = (await auditor.get("/v1/audit", params={"limit": 3})).json()
    rest = (await auditor.get("/v1/audit", params={"limit": 3, "cursor": first["next_cursor"]})).json()
    seen = [each["sequence"] for each in first["items"] + rest["items"]]
    assert seen == sorted(seen, reverse=True)
    assert len(seen) == 4
    assert rest["next_cursor"] is None
    async with stage.database.reading(system("test")) as session:
        assert await verify(session, key=secret) == []
    for wrong in ({"limit": 0}, {"limit": 101}, {"cursor": "x"}):
        assert (await auditor.get("/v1/audit", params=wrong)).status_code == 422


async def test_E05_owners_are_told_what_was_done_to_their_account(stage: Stage) -> None:
    ada, own = await registered(stage, "ada")
    eve, _ = await registered(stage, "eve")
    async with stage.database.writing(Principal(id=UUID(eve))) as unit:
        await stage.app.identity.parts.accounts.set_roles(unit.session, UUID(ada), ["auditor"])  # type: ignore[union-attr]
    events = (await own.get("/v1/users/me/events")).json()["items"]
    assert [(each["action"], each["by_you"]) for each in events] == [
        ("user.roles_set", False), ("user.login", True), ("user.registered", True)
    ]  # fmt: skip
    assert eve not in str(events), "who of the staff is for the trail to know"
    paged = (await own.get("/v1/users/me/events", params={"limit": 2})).json()
    rest = (await own.get("/v1/users/me/events", params={"cursor": paged["next_cursor"]})).json()["items"]
    assert [each["action"] for each in rest] == ["user.registered"]


async def test_E05_without_a_declared_right_nobody_reads_the_trail(tmp_path: Path) -> None:
    settings = Settings(env="test", var_dir=tmp_path, secret="x" * 40)
    app = Freehold(identity=Identity(user=User, cost=Cost(memory_kib=64, passes=1)), settings=settings)
    assert "/v1/audit" not in app.openapi()["paths"]
