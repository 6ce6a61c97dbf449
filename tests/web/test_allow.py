"""`allow` holds wherever FastAPI takes a dependency: on its own routes, too, which do not know what it is (Z01)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import httpx2
import pytest
from fastapi import APIRouter, FastAPI, Form, WebSocket
from fastapi.responses import StreamingResponse
from sqlalchemy import MetaData
from sqlalchemy.ext.asyncio import create_async_engine

from freehold import Caller, Freehold, Identity, Router, UserMixin, allow, anyone, install, role, signed_in
from freehold.errors import ConfigurationError
from freehold.resource.base import NAMING
from freehold.resource.base import Base as FreeholdBase
from freehold.resource.principal import ANONYMOUS, Principal
from freehold.settings import Settings
from freehold.traffic import Cache, per_minute
from freehold.web.credentials import CredentialChain
from tests.web.shelf import ByName, as_

pytestmark = pytest.mark.anyio
MEMBERS = [allow(signed_in)]


class Base(FreeholdBase):
    __abstract__ = True
    metadata = MetaData(naming_convention=NAMING)


class Guest(UserMixin, Base):
    __tablename__ = "allow_guests"


def settings(folder: Path) -> Settings:
    url = f"sqlite+aiosqlite:///{folder}/allow.db"
    return Settings(env="test", var_dir=folder, database_url=url, secret="s" * 40, limits="off", log_level="error")


@asynccontextmanager
async def served(app: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=transport, base_url="https://localhost") as client,
    ):
        yield client


def add_paths(app: FastAPI) -> None:
    """Paths as FastAPI alone makes them."""
    plain = APIRouter(prefix="/plain", dependencies=MEMBERS)

    @app.get("/own", dependencies=MEMBERS)
    async def own(caller: Caller) -> bool:
        return caller.id is not None

    @plain.post("/both", dependencies=[allow(role("admin"))])
    async def both() -> str:
        return "for administrators"

    @app.get("/stream", dependencies=MEMBERS, response_class=StreamingResponse)
    async def stream() -> AsyncIterator[bytes]:
        yield b"piece"

    @app.get("/open", dependencies=[allow(anyone)])
    async def everyone() -> str:
        return "welcome"

    app.include_router(plain)


async def test_Z01_a_path_of_the_application_itself_is_closed_as_it_says(tmp_path: Path) -> None:
    app = Freehold(settings=settings(tmp_path), authenticator=ByName())
    add_paths(app)
    async with served(app) as client:
        for path in ("/own", "/stream"):
            assert (await client.get(path)).status_code == 401, path
            assert (await client.get(path, headers=as_("ada"))).status_code == 200, path
        assert (await client.post("/plain/both")).status_code == 401
        assert (await client.post("/plain/both", headers=as_("ada"))).status_code == 403
        assert (await client.get("/open", headers={"Authorization": "nonsense"})).status_code == 200


async def test_a_path_that_came_after_install_is_closed_as_it_says(tmp_path: Path) -> None:
    app, given = FastAPI(), settings(tmp_path)
    install(app, create_async_engine(given.database_url), identity=Identity(user=Guest), settings=given)
    add_paths(app)
    async with served(app) as client:
        assert [(await client.get(path)).status_code for path in ("/own", "/stream", "/open")] == [401, 401, 200]
        assert (await client.post("/plain/both")).status_code == 401


async def test_an_application_without_freehold_lets_nobody_in(tmp_path: Path) -> None:
    app = FastAPI()
    add_paths(app)
    async with served(app) as client:
        assert (await client.get("/own")).status_code == 500
        assert (await client.get("/open")).status_code == 200


async def test_a_plain_application_below_another_is_judged_by_the_accounts_above(tmp_path: Path) -> None:
    above, below, deeper = Freehold(settings=settings(tmp_path), authenticator=ByName()), FastAPI(), FastAPI()
    add_paths(below)
    add_paths(deeper)
    below.mount("/deeper", deeper)
    above.mount("/below", below)
    async with served(above) as client:
        for prefix in ("/below", "/below/deeper"):
            for path in ("/own", "/stream"):
                refused = await client.get(prefix + path)
                assert (refused.status_code, refused.json()["code"]) == (401, "auth.unauthenticated"), path
                assert (await client.get(prefix + path, headers=as_("ada"))).status_code == 200, path
            assert (await client.post(f"{prefix}/plain/both", headers=as_("ada"))).status_code == 403
        assert (await client.get("/below/nowhere")).json() == {"detail": "Not Found"}, "all else is FastAPI's"


async def test_accounts_of_an_installed_application_judge_what_is_mounted_below(tmp_path: Path) -> None:
    above, below, given = FastAPI(), FastAPI(), settings(tmp_path)
    add_paths(below)
    above.mount("/below", below)
    install(above, create_async_engine(given.database_url), identity=Identity(user=Guest), settings=given)
    async with served(above) as client:
        person = {"email": "ada@example.com", "password": "lantern quarry velvet 42", "full_name": "Ada"}
        assert (await client.post("/v1/users", json=person)).status_code == 201
        form = {"grant_type": "password", "username": "ada@example.com", "password": person["password"]}
        token = (await client.post("/v1/auth/token", data=form)).json()["access_token"]
        assert (await client.get("/below/own")).status_code == 401
        assert (await client.get("/below/own", headers={"Authorization": f"Bearer {token}"})).status_code == 200


async def test_an_application_below_two_with_different_accounts_stops_the_start(tmp_path: Path) -> None:
    below = FastAPI(title="Shared")
    for number in range(2):
        above = Freehold(settings=settings(tmp_path / str(number)), authenticator=ByName())
        above.mount("/below", below)
        if number:
            with pytest.raises(ConfigurationError, match="'Shared' is mounted below two"):
                above.build_middleware_stack()
        else:
            above.build_middleware_stack()


def test_a_reader_of_no_header_field_would_never_be_asked() -> None:
    class OfAddress:
        source = "query token"

        def is_given(self, _connection: Any) -> bool:
            return True

        async def read(self, _connection: Any) -> Principal:
            return ANONYMOUS

    with pytest.raises(ConfigurationError, match="'query token' would never be asked"):
        CredentialChain([OfAddress()])


async def test_both_rules_hold_where_a_router_and_its_path_have_one(tmp_path: Path) -> None:
    router = Router(prefix="/staff", dependencies=MEMBERS)

    @router.get("/list", dependencies=[allow(role("admin"))])
    async def listed() -> str:
        return "for administrators"

    @router.get("/kept", dependencies=[allow(signed_in, cache=Cache(seconds=60))])
    async def kept() -> str:
        return "for members"

    async with served(Freehold(settings=settings(tmp_path), authenticator=ByName(), routers=[router])) as client:
        assert (await client.get("/staff/list", headers=as_("ada"))).status_code == 403
        for _ in range(2):
            assert (await client.get("/staff/kept", headers=as_("ada"))).status_code == 200
        assert (await client.get("/staff/kept")).status_code == 401


async def test_a_quota_that_nobody_would_keep_stops_the_start(tmp_path: Path) -> None:
    app = Freehold(settings=settings(tmp_path), authenticator=ByName())

    @app.get("/rare", dependencies=[allow(anyone, quota=per_minute(3))])
    async def rare() -> str:
        return "three times a minute"

    with pytest.raises(ConfigurationError, match="limits or cache= on /rare"):
        async with app.router.lifespan_context(app):
            pass


async def test_C03_a_form_of_a_path_of_fastapi_s_own_is_judged_by_its_hidden_field(tmp_path: Path) -> None:
    app, given, door = FastAPI(), settings(tmp_path), "/v1/auth/browser-session"
    install(app, create_async_engine(given.database_url), identity=Identity(user=Guest), settings=given)

    @app.post("/guest-book", dependencies=MEMBERS)
    async def sign(line: Annotated[str, Form()]) -> str:
        return line

    proof: dict[str, Any] = {"email": "ada@example.com", "password": "lantern quarry velvet 42"}
    async with served(app) as client:
        await client.post("/v1/users", json={**proof, "full_name": "Ada"})
        token = (await client.get(door)).json()["csrf_token"]
        opened = await client.post(door, json=proof, headers={"X-CSRF-Token": token})
        assert (await client.post("/guest-book", data={"line": "hello"})).status_code == 403
        form = {"line": "hello", "csrf_token": opened.json()["csrf_token"]}
        signed = await client.post("/guest-book", data=form)
        assert (signed.status_code, signed.json()) == (200, "hello")


async def test_what_a_path_says_of_limits_counts_below_a_router_with_a_rule(tmp_path: Path) -> None:
    router = Router(prefix="/staff", dependencies=[allow(signed_in, at_once=9)])

    @router.get("/rare", dependencies=[allow(signed_in, quota=per_minute(3))])
    async def rare() -> str:
        return "three times a minute"

    given = settings(tmp_path).model_copy(update={"limits": "on"})
    async with served(Freehold(settings=given, authenticator=ByName(), routers=[router])) as client:
        assert [(await client.get("/staff/rare", headers=as_("ada"))).status_code for _ in range(4)] == [200] * 3 + [
            429
        ]


class Changing(ByName):
    """Everyone has these roles, for now."""

    roles: frozenset[str] = frozenset({"staff"})

    async def authenticate(self, authorization: Sequence[str]) -> Principal:
        return replace(await super().authenticate(authorization), roles=self.roles)


@pytest.mark.parametrize("says_so", ["router", "path", "inclusion"])
async def test_I08_no_answer_is_given_again_past_a_rule_of_whatever_stands_round_the_path(
    tmp_path: Path, says_so: str
) -> None:
    def rules(place: str) -> list[Any]:
        return [allow(role("staff")) if place == says_so else allow(signed_in)]

    router, people = Router(dependencies=rules("router")), Changing()

    @router.post("/payroll", dependencies=rules("path"))
    async def payroll() -> str:
        return "what everyone earns"

    app = Freehold(settings=settings(tmp_path), authenticator=people)
    app.include_router(router, dependencies=rules("inclusion"))
    retried = {**as_("ada"), "Idempotency-Key": "one"}
    async with served(app) as client:
        for _ in range(2):
            assert (await client.post("/payroll", headers=retried)).status_code == 200
        people.roles = frozenset()
        assert (await client.post("/payroll", headers=retried)).status_code == 403


async def test_a_router_that_is_included_twice_is_closed_where_it_says(tmp_path: Path) -> None:
    router, app = Router(), Freehold(settings=settings(tmp_path), authenticator=ByName())

    @router.get("/thing")
    async def thing() -> str:
        return "thing"

    app.include_router(router, prefix="/open", dependencies=[allow(anyone)])
    app.include_router(router, prefix="/closed", dependencies=MEMBERS)
    async with served(app) as client:
        assert [(await client.get(f"/{each}/thing")).status_code for each in ("open", "closed")] == [200, 401]


@pytest.mark.parametrize("prefix", ["", "/included"])
async def test_Z01_a_websocket_without_a_rule_stops_the_start(tmp_path: Path, prefix: str) -> None:
    app, router = Freehold(settings=settings(tmp_path), authenticator=ByName()), APIRouter()

    @router.websocket("/closed", dependencies=MEMBERS)
    async def closed(websocket: WebSocket) -> None:
        await websocket.accept()

    @(router if prefix else app).websocket("/whispers")
    async def whispers(websocket: WebSocket) -> None:
        await websocket.accept()

    app.include_router(router, prefix=prefix)
    with pytest.raises(ConfigurationError, match=rf"no access rule on: WebSocket {prefix}/whispers\."):
        async with app.router.lifespan_context(app):
            pass
