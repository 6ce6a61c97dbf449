"""Staff in somebody's account: seen, told, for a while, and never at what protects it (E05, T05, C06)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Mapped, mapped_column

from freehold import Access, Freehold, Identity, Resource, UserMixin, owner, signed_in
from freehold.errors import ConfigurationError
from freehold.identity import Cost, Impersonation
from freehold.resource import clock
from freehold.resource.principal import system
from freehold.settings import Settings
from freehold.store.audit import AUDIT
from freehold.testing import Stage
from tests.bases import AccountBase as Base

pytestmark = pytest.mark.anyio

PASSWORD = "lantern quarry velvet 42"


class Customer(UserMixin, Base):
    __tablename__ = "test_care_customers"


class Ticket(Base):
    __tablename__ = "test_care_tickets"

    owner_id: Mapped[UUID] = mapped_column(index=True)
    title: Mapped[str]


@pytest.fixture(scope="module")
def app(module_database: str, tmp_path_factory: pytest.TempPathFactory) -> Freehold:
    settings = Settings(
        env="test", var_dir=tmp_path_factory.mktemp("var"), database_url=module_database, secret="s" * 40, limits="off"
    )
    tickets = Resource(Ticket, name="tickets", access=Access(read=owner("owner_id"), create=signed_in))
    identity = Identity(
        user=Customer,
        roles=("support", "admin", "treasurer", "guest"),
        cost=Cost(memory_kib=64, passes=1),
        impersonation=Impersonation(roles=("support",), longest=timedelta(minutes=30), reaches=("guest",)),
    )
    return Freehold(tickets, identity=identity, settings=settings)


class Hand:
    at = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at


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


async def _person(stage: Stage, email: str, *roles: str) -> tuple[UUID, httpx2.AsyncClient]:
    client = stage.client()
    body = {"email": email, "password": PASSWORD, "full_name": "Ada Lovelace"}
    user_id = UUID((await client.post("/v1/users", json=body)).json()["id"])
    await _set_roles(stage, user_id, *roles)
    form = {"grant_type": "password", "username": email, "password": PASSWORD}
    token = (await client.post("/v1/auth/token", data=form)).json()["access_token"]
    client.headers["Authorization"] = f"Bearer {token}"
    return user_id, client


async def _set_roles(stage: Stage, user_id: UUID, *roles: str) -> None:
    async with stage.database.writing(system("test")) as unit:
        await stage.app.identity.parts.accounts.set_roles(unit.session, user_id, roles)  # type: ignore[union-attr]


async def _act(client: httpx2.AsyncClient, user_id: UUID, **more: Any) -> httpx2.Response:
    return await client.post(f"/v1/users/{user_id}/impersonation", json={"reason": "Ticket 4711", **more})


@pytest.fixture
async def ada(stage: Stage) -> tuple[UUID, httpx2.AsyncClient]:
    return await _person(stage, "ada@example.com")


@pytest.fixture
async def sam(stage: Stage) -> tuple[UUID, httpx2.AsyncClient]:
    return await _person(stage, "sam@example.com", "support")


async def _acting(stage: Stage, sam: Any, ada: Any) -> httpx2.AsyncClient:
    answer = await _act(sam[1], ada[0])
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    return stage.client(Authorization=f"Bearer {answer.json()['access_token']}")


async def test_staff_act_as_the_owner_and_every_trace_says_so(stage: Stage, sam: Any, ada: Any) -> None:
    acting = await _acting(stage, sam, ada)
    made = await acting.post("/v1/tickets", json={"title": "x"})
    assert made.status_code == 201
    assert (await ada[1].get(made.headers["location"])).status_code == 200
    async with stage.database.reading(system("test")) as session:
        rows = (await session.execute(select(AUDIT).order_by(AUDIT.c.recorded_at, AUDIT.c.id))).all()
    began = next(row for row in rows if row.action == "user.impersonated")
    assert (began.principal_id, began.subject_id) == (sam[0], str(ada[0]))
    assert began.details == {"reason": "Ticket 4711", "minutes": 15}
    (created,) = [row for row in rows if row.subject_type == "tickets" and row.principal_id == ada[0]]
    assert created.details["acted_by"] == str(sam[0])


async def test_C06_the_owner_is_told_sees_it_and_ends_it(stage: Stage, sam: Any, ada: Any) -> None:
    acting = await _acting(stage, sam, ada)
    assert (await acting.get("/v1/tickets")).status_code == 200
    await stage.app.jobs.run_pending()
    letters = [path.read_text() for path in (stage.app.settings.var_dir / "mail").rglob("*.eml")]
    assert any("ada@example.com" in each and "Ticket 4711" in each for each in letters)
    (entry,) = [each for each in (await ada[1].get("/v1/auth/sessions")).json()["items"] if each["is_by_staff"]]
    assert (await ada[1].delete(f"/v1/auth/sessions/{entry['id']}")).status_code == 204
    assert (await acting.get("/v1/tickets")).status_code == 401


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/v1/auth/password", {"current_password": PASSWORD, "new_password": "another quarry lantern 7"}),
        ("POST", "/v1/auth/email", {"current_password": PASSWORD, "email": "eve@example.com"}),
        ("POST", "/v1/auth/api-keys", {"name": "mine now"}),
        ("GET", "/v1/auth/sessions", None),
        ("DELETE", "/v1/auth/sessions", None),
        ("PATCH", "/v1/users/me", {"full_name": "Eve"}),
        ("DELETE", "/v1/users/me", None),
        ("GET", "/v1/users/me/export", None),
    ],
)
async def test_what_protects_the_account_is_out_of_reach(
    stage: Stage, sam: Any, ada: Any, *, method: str, path: str, body: Any
) -> None:
    acting = await _acting(stage, sam, ada)
    assert (await acting.request(method, path, json=body)).status_code in (401, 403)


async def test_it_ends_by_itself_and_with_the_rights_of_whoever_acts(
    stage: Stage, sam: Any, ada: Any, hand: Hand
) -> None:
    acting = await _acting(stage, sam, ada)
    await _set_roles(stage, sam[0])
    assert (await acting.get("/v1/tickets")).status_code == 401
    await _set_roles(stage, sam[0], "support")
    acting = await _acting(stage, sam, ada)
    hand.at += timedelta(minutes=12)  # past the time of an ordinary token
    assert (await acting.get("/v1/tickets")).status_code == 200
    hand.at += timedelta(minutes=3, seconds=31)
    assert (await acting.get("/v1/tickets")).status_code == 401


async def test_nobody_acts_in_the_accounts_of_staff_or_without_the_right(stage: Stage, sam: Any, ada: Any) -> None:
    boss, _ = await _person(stage, "boss@example.com", "admin")
    for wanted in (boss, sam[0]):
        assert (await _act(sam[1], wanted)).status_code == 403
    assert (await _act(ada[1], sam[0])).status_code == 403
    assert (await _act(stage.client(), ada[0])).status_code == 401
    assert (await _act(sam[1], UUID(int=7))).status_code == 404
    assert (await _act(sam[1], ada[0], minutes=31)).status_code == 422
    assert (await _act(sam[1], ada[0], reason="")).status_code == 422
    acting = await _acting(stage, sam, ada)
    assert (await _act(acting, ada[0])).status_code == 403


async def test_Z07_nobody_gets_rights_by_acting_in_the_account_of_somebody_who_has_them(stage: Stage, sam: Any) -> None:
    guest = await _person(stage, "gus@example.com", "guest")
    tim = await _person(stage, "tim@example.com", "guest", "treasurer")
    refused = await _act(sam[1], tim[0])
    assert (refused.status_code, refused.json()["code"]) == (403, "identity.more_rights")
    acting = await _acting(stage, sam, guest)
    await _set_roles(stage, guest[0], "guest", "treasurer")
    assert (await acting.get("/v1/tickets")).status_code == 401, "its owner may do more by now"
    await _set_roles(stage, sam[0], "support", "treasurer")
    await _acting(stage, sam, tim)


def test_a_reach_that_takes_staff_in_stops_the_start() -> None:
    with pytest.raises(ConfigurationError, match="support"):
        Identity(
            user=Customer,
            roles=("support", "guest"),
            impersonation=Impersonation(roles=("support",), reaches=("guest", "support")),
        )


async def test_it_takes_a_log_in_of_the_last_five_minutes(stage: Stage, sam: Any, ada: Any, hand: Hand) -> None:
    hand.at += timedelta(minutes=5, seconds=1)
    answer = await _act(sam[1], ada[0])
    assert answer.status_code == 401
    assert "insufficient_user_authentication" in answer.headers["www-authenticate"]


async def test_without_a_declaration_there_is_no_such_operation() -> None:
    from freehold.web.identity import identity_router

    identity = Identity(user=Customer)
    assert not [route for route in identity_router(identity).routes if "impersonation" in getattr(route, "path", "")]
