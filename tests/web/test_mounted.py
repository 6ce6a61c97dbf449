"""A service below the path of another application, or behind a server that knows such a path: its addresses lead back to it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import MetaData, String
from sqlalchemy.orm import Mapped, mapped_column
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from freehold import (
    Access,
    Caller,
    Freehold,
    Identity,
    Principal,
    Queries,
    Resource,
    UserMixin,
    allow,
    anyone,
    signed_in,
)
from freehold.resource import NAMING
from freehold.resource.base import Base as FreeholdBase
from freehold.resource.base import new_id
from freehold.settings import Settings
from freehold.web.guard import principal_of

pytestmark = pytest.mark.anyio


class Base(FreeholdBase):
    __abstract__ = True
    metadata = MetaData(naming_convention=NAMING)


class Keeper(UserMixin, Base):
    __tablename__ = "mounted_keepers"


class Lamp(Base):
    __tablename__ = "mounted_lamps"
    name: Mapped[str] = mapped_column(String(40))


def make(folder: Path, url: str) -> Freehold:
    lamps = Resource(Lamp, access=Access(read=anyone, write=anyone), queries=Queries(sort=["created_at"]))
    lamps.history(access=anyone)
    given = Settings(env="test", var_dir=folder, database_url=url, secret="s" * 40, limits="off", log_level="error")
    return Freehold(lamps, identity=Identity(user=Keeper), settings=given)


@asynccontextmanager
async def served(app: Freehold, *, how: str) -> AsyncIterator[httpx2.AsyncClient]:
    """Below `/shop`: of an application that mounts it, of a server that says so, or of a proxy that takes the path off."""
    outer = Starlette(routes=[Mount("/shop", app=app)])
    transport = {
        "mounted": httpx2.ASGITransport(app=outer),
        "server": httpx2.ASGITransport(app=app, root_path="/shop"),
        "proxy": httpx2.ASGITransport(app=_taking_off("/shop", app), root_path="/shop"),
        "twice": httpx2.ASGITransport(app=Starlette(routes=[Mount("/mall", app=outer)])),
    }[how]
    base = "http://localhost/mall/shop" if how == "twice" else "http://localhost/shop"
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=transport, base_url=base) as client,
    ):
        yield client


def _taking_off(prefix: str, app: ASGIApp) -> ASGIApp:
    async def proxy(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"].removeprefix(prefix)
        await app({**scope, "path": path, "raw_path": path.encode()}, receive, send)

    return proxy


@pytest.mark.parametrize("how", ["mounted", "server", "proxy", "twice"])
async def test_what_an_answer_names_is_there(how: str, database_url: str, tmp_path: Path) -> None:
    async with served(make(tmp_path, database_url), how=how) as client:
        root = client.base_url.path.rstrip("/")
        made = [await client.post("/v1/mounted-lamps", json={"name": name}) for name in ("ada", "bob", "cyd")]
        assert made[0].status_code == 201, made[0].text
        place = made[0].headers["location"]
        assert place == f"{root}/v1/mounted-lamps/{made[0].json()['id']}"
        assert (await client.get(f"http://localhost{place}")).json()["name"] == "ada"
        names, address = [], "/v1/mounted-lamps?sort=created_at&limit=1"
        while address:
            page = await client.get(address)
            assert page.status_code == 200, address
            names += [each["name"] for each in page.json()["items"]]
            links = dict(re.findall(r'<([^>]+)>; rel="(\w+)"', page.headers["link"]))
            assert all(link.startswith(f"{root}/v1/mounted-lamps?") for link in links)
            address = next((f"http://localhost{link}" for link, kind in links.items() if kind == "next"), "")
        assert names == ["ada", "bob", "cyd"]
        told = await client.get(f"http://localhost{place}/history")
        assert f"<{place}/history>" in told.headers["link"]


async def test_the_address_of_a_retried_answer_is_the_same(tmp_path: Path) -> None:
    app = make(tmp_path, f"sqlite+aiosqlite:///{tmp_path}/m.db")
    async with served(app, how="mounted") as client:
        headers = {"Idempotency-Key": "lamp-1-of-the-first-order"}
        first, again = [await client.post("/v1/mounted-lamps", json={"name": "dot"}, headers=headers) for _ in range(2)]
        assert again.headers["idempotent-replayed"] == "true"
        assert again.headers["location"] == first.headers["location"]
        ada = {"email": "ada@example.com", "password": "lantern quarry velvet 42", "full_name": "Ada"}
        made = await client.post("/v1/users", json=ada)
        assert made.headers["location"] == f"/shop/v1/users/{made.json()['id']}"


class Known:
    """Whoever shows anything is this one person."""

    def __init__(self) -> None:
        self.person = Principal(id=new_id())

    async def authenticate(self, _: Sequence[str]) -> Principal:
        return self.person

    async def find(self, _: UUID) -> Principal:
        return self.person


async def test_an_application_below_another_asks_anew_who_calls(tmp_path: Path) -> None:
    """Whom the outer one knows is nobody here: accounts of two applications are not the same people."""
    authenticators, apps = [Known(), Known()], []
    for name, known in zip(("outer", "inner"), authenticators, strict=True):
        given = Settings(env="test", var_dir=tmp_path / name, secret="s" * 40, log_level="error")
        apps.append(Freehold(settings=given, authenticator=known))
    outer, inner = apps

    @inner.get("/me", dependencies=[allow(signed_in)])
    async def me(caller: Caller) -> str:
        return str(caller.id)

    @outer.middleware("http")
    async def look(request: Request, call_next: Any) -> Any:
        assert (await principal_of(request)).id == authenticators[0].person.id
        return await call_next(request)

    outer.mount("/shop", inner)
    async with (
        outer.router.lifespan_context(outer),
        inner.router.lifespan_context(inner),
        httpx2.AsyncClient(transport=httpx2.ASGITransport(app=outer), base_url="http://localhost/shop") as client,
    ):
        answer = await client.get("/me", headers={"Authorization": "Bearer anything"})
        assert (answer.status_code, answer.json()) == (200, str(authenticators[1].person.id))
