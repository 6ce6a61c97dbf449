"""Compiled reads give the answers of FastAPI and SQLAlchemy, byte for byte, and leave to them what they cannot do."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter
from sqlalchemy import (
    JSON,
    BigInteger,
    Double,
    LargeBinary,
    MetaData,
    Numeric,
    String,
    delete,
    literal_column,
    select,
    update,
)
from sqlalchemy.orm import Mapped, foreign, mapped_column, relationship

from freehold import (
    Access,
    Freehold,
    Principal,
    Queries,
    Resource,
    anyone,
    owner,
    recent,
    role,
    signed_in,
    system,
    where,
)
from freehold.identity import Identity, UserMixin
from freehold.resource import clock
from freehold.resource.base import NAMING
from freehold.resource.base import Base as FreeholdBase
from freehold.settings import Settings
from freehold.testing.budget import Statements
from freehold.testing.house import played
from freehold.web.compiled.table import table_of
from tests.web.served import by_server, fields_of
from tests.web.shelf import ADA, BOB, ByName, as_

CALLERS: tuple[dict[str, str], ...] = ({}, as_("ada"), as_("bob"), as_("staff"))


class Base(FreeholdBase):
    __abstract__ = True
    metadata = MetaData(naming_convention=NAMING)


class Tint(Enum):
    RED = "red"
    BLUE = "blue"


class Sheet(Base):
    """Columns that orjson writes as Pydantic does."""

    owner_id: Mapped[UUID] = mapped_column(index=True)
    is_public: Mapped[bool] = mapped_column(default=False)
    text: Mapped[str | None] = mapped_column(String(60))
    number: Mapped[int | None] = mapped_column(BigInteger)
    share: Mapped[float | None] = mapped_column(Double)
    money: Mapped[Decimal | None] = mapped_column(Numeric(12, 2))
    other_id: Mapped[UUID | None]
    on: Mapped[date | None]
    at: Mapped[datetime | None]
    tint: Mapped[Tint | None]


class Crate(Base):
    """Columns that Pydantic writes."""

    owner_id: Mapped[UUID] = mapped_column(index=True)
    is_public: Mapped[bool] = mapped_column(default=False)
    clock: Mapped[time | None]
    raw: Mapped[bytes | None] = mapped_column(LargeBinary)
    sheet_id: Mapped[UUID | None] = mapped_column(index=True)
    extra: Mapped[Any] = mapped_column(JSON, nullable=True)
    sheet: Mapped[Sheet | None] = relationship(primaryjoin=lambda: foreign(Crate.sheet_id) == Sheet.id, viewonly=True)


def declared() -> list[Resource]:
    def access(model: Any, **more: Any) -> Access:
        read = owner("owner_id") | where(lambda: model.is_public) | role("staff")
        return Access(read=read, create=signed_in, update=owner("owner_id"), **more)

    sheets = Resource(
        Sheet,
        access=access(Sheet, read_fields={"money": owner("owner_id") | role("staff")}),
        queries=Queries(filters=["is_public", "number__gte", "tint", "tint__in", "number__in"], sort=["created_at"]),
    )
    crates = Resource(
        Crate,
        access=access(Crate),
        queries=Queries(filters=["is_public", "id__in"], sort=["created_at"], expand=["sheet"]),
    )
    sheets.nested("crates", crates, by="sheet_id")
    fresh = Resource(Secret, access=Access(read=recent(minutes=5), create=signed_in))
    return [sheets, crates, Resource(Coin, access=Access(read=anyone, create=anyone)), fresh]


class Secret(Base):
    """For who has just logged in."""

    word: Mapped[str] = mapped_column(String(20))


class Coin(Base):
    """Everybody sees it."""

    worth: Mapped[int]


def quiet(url: str, folder: Path, *, compiled: str) -> Settings:
    """Settings of a service that is compiled or not, and says nothing."""
    return Settings(
        env="test",
        var_dir=folder,
        database_url=url,
        secret="x" * 40,
        limits="off",
        log_level="error",
        compiled=compiled,
    )


def make(url: str, folder: Path, *, compiled: str = "on", **options: Any) -> Freehold:
    settings = quiet(url, folder, compiled=compiled)
    return Freehold(*declared(), title="Sheets", settings=settings, authenticator=ByName(), **options)


def client_of(app: Freehold) -> httpx2.AsyncClient:
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    return httpx2.AsyncClient(transport=transport, base_url="http://localhost")


@dataclass
class Pair:
    """One database, served twice."""

    runner: asyncio.Runner
    app: Freehold
    compiled: httpx2.AsyncClient
    plain: httpx2.AsyncClient

    async def same(
        self, path: str, headers: dict[str, str] | None = None, *, method: str = "GET", **sent: Any
    ) -> httpx2.Response:
        """What both answer, but for the id of the request."""
        found, expected = [
            await each.request(method, path, headers={**(headers or {}), "X-Request-ID": "same"}, **sent)
            for each in (self.compiled, self.plain)
        ]
        assert found.status_code == expected.status_code, (path, found.text, expected.text)
        assert fields_of(found) == fields_of(expected), path
        assert found.content == expected.content, path
        return found

    async def fill(self, model: Any, rows: list[dict[str, Any]]) -> list[Any]:
        """Put these rows in place of what was there; their ids."""
        async with self.app.database.writing(system("rows of a test")) as unit:
            await unit.session.execute(delete(model))
            made = [model(**row) for row in rows]
            unit.session.add_all(made)
            await unit.session.flush()
            return [each.id for each in made]


@pytest.fixture(scope="module")
def pair(module_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    folder = tmp_path_factory.mktemp("pair")
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()

        async def opened() -> Pair:
            apps = [make(module_database, folder), make(module_database, folder, compiled="off")]
            for each in apps:
                await stack.enter_async_context(each.router.lifespan_context(each))
            compiled = await stack.enter_async_context(by_server(apps[0]))
            return Pair(runner, apps[0], compiled, await stack.enter_async_context(client_of(apps[1])))

        yield runner.run(opened())
        runner.run(stack.aclose())


PLAIN = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=8)
INSTANTS = st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001
SHEETS = st.fixed_dictionaries(
    {
        "owner_id": st.sampled_from([ADA, BOB]),
        "is_public": st.booleans(),
        "text": st.none() | PLAIN,
        "number": st.none() | st.integers(-(2**63), 2**63 - 1),
        "share": st.none() | st.floats(allow_nan=False),
        "money": st.none() | st.decimals(-(10**8), 10**8, places=2),
        "other_id": st.none() | st.uuids(),
        "on": st.none() | st.dates(),
        "at": st.none() | INSTANTS,
        "tint": st.none() | st.sampled_from(Tint),
    }
)
JSONS = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | PLAIN,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(PLAIN, inner, max_size=3),
    max_leaves=4,
)
CRATES = st.fixed_dictionaries(
    {
        "owner_id": st.sampled_from([ADA, BOB]),
        "is_public": st.booleans(),
        "clock": st.none() | st.times(),
        "raw": st.none() | st.binary(max_size=8),
        "extra": JSONS,
    }
)
QUESTIONS = st.lists(
    st.sampled_from(
        [
            "limit=2",
            "is_public=true",
            "sort=-created_at",
            "number__gte=0",
            "tint=red",
            "count=true",
            "tint__in=red,blue",
            "number__in=0,1,-1",
        ]
    ),
    unique=True,
    max_size=3,
).map("&".join)
FEW = settings(max_examples=4)


class TestSameAnswers:
    @FEW
    @given(rows=st.lists(SHEETS, min_size=1, max_size=5), question=QUESTIONS)
    def test_rows_of_every_exact_type(self, pair: Pair, rows: list[dict[str, Any]], question: str) -> None:
        async def compare() -> None:
            ids = await pair.fill(Sheet, rows)
            for caller in CALLERS:
                page = await pair.same(f"/v1/sheets?{question}", caller)
                if (cursor := page.json()["next_cursor"]) is not None:
                    await pair.same(f"/v1/sheets?{question}&cursor={cursor}", caller)
                for key in ids:
                    found = await pair.same(f"/v1/sheets/{key}", caller)
                    if found.status_code == 200:
                        again = await pair.same(f"/v1/sheets/{key}", {**caller, "If-None-Match": found.headers["etag"]})
                        assert again.status_code == 304

        pair.runner.run(compare())

    @FEW
    @given(rows=st.lists(CRATES, min_size=1, max_size=4))
    def test_rows_that_pydantic_writes(self, pair: Pair, rows: list[dict[str, Any]]) -> None:
        async def compare() -> None:
            ids = await pair.fill(Crate, rows)
            for caller in CALLERS[:2]:
                await pair.same("/v1/crates", caller)
                for key in ids:
                    await pair.same(f"/v1/crates/{key}", caller)

        pair.runner.run(compare())

    @FEW
    @given(rows=st.lists(SHEETS, min_size=1, max_size=4))
    def test_the_bytes_are_those_of_the_schema_itself(self, pair: Pair, rows: list[dict[str, Any]]) -> None:
        schema = next(each.read_schema for each in pair.app.mounted.bounds if each.model is Sheet)
        adapter: TypeAdapter[Any] = TypeAdapter(schema)

        async def compare() -> None:
            ids = await pair.fill(Sheet, rows)
            for key in ids:
                found = await pair.compiled.get(f"/v1/sheets/{key}", headers=as_("staff"))
                async with pair.app.database.reading(system("what FastAPI would have sent")) as session:
                    row = await session.get(Sheet, key)
                    expected = adapter.dump_json(adapter.validate_python(row, from_attributes=True), by_alias=True)
                assert found.content == expected

        pair.runner.run(compare())

    @FEW
    @given(
        rows=st.lists(SHEETS, min_size=1, max_size=2),
        below=st.lists(CRATES, min_size=1, max_size=5),
        question=QUESTIONS,
    )
    def test_rows_below_a_row(
        self, pair: Pair, rows: list[dict[str, Any]], below: list[dict[str, Any]], question: str
    ) -> None:
        assert table_of(pair.app, pair.app.mounted).reason("GET", "/v1/sheets/{id}/crates") == ""

        async def compare() -> None:
            ids = await pair.fill(Sheet, rows)
            await pair.fill(Crate, [{**row, "sheet_id": ids[place % len(ids)]} for place, row in enumerate(below)])
            for caller in CALLERS:
                await pair.same("/v1/crates?expand=sheet&limit=3", caller)
                for key in (*ids, uuid4(), "nobody", str(ids[0]).upper()):
                    page = await pair.same(f"/v1/sheets/{key}/crates?{question}", caller)
                    if page.status_code == 200 and (cursor := page.json()["next_cursor"]) is not None:
                        await pair.same(f"/v1/sheets/{key}/crates?{question}&cursor={cursor}", caller)

        pair.runner.run(compare())

    def test_lists_of_values_and_what_is_expanded_go_to_the_driver_too(self, pair: Pair) -> None:
        async def compare() -> None:
            sheets = await pair.fill(Sheet, [{"owner_id": ADA, "is_public": place > 0} for place in range(4)])
            crates = await pair.fill(
                Crate, [{"owner_id": ADA, "is_public": True, "sheet_id": sheets[place % 4]} for place in range(6)]
            )
            ran: list[str] = []
            pair.app.database.listeners.append(ran.append)
            try:
                for number in (1, 2, 3, 6):
                    wanted = ",".join(str(each) for each in crates[:number])
                    for caller in CALLERS:
                        ran.clear()
                        page = await pair.same(f"/v1/crates?id__in={wanted}&expand=sheet", caller)
                        assert len(page.json()["items"]) == number
                        assert len([each for each in ran if "crates" in each or "sheets" in each]) == 2
                hidden = [
                    each["sheet"] is None for each in (await pair.same("/v1/crates?expand=sheet")).json()["items"]
                ]
                assert sum(hidden) == 2
                await pair.same("/v1/crates?id__in=&expand=sheet")
                await pair.same("/v1/crates?id__in=" + ",".join(str(uuid4()) for _ in range(101)))
            finally:
                pair.app.database.listeners.remove(ran.append)

        pair.runner.run(compare())

    @pytest.mark.parametrize("module_database", ["postgresql"], indirect=True)
    def test_an_instant_beyond_time(self, pair: Pair) -> None:
        """PostgreSQL knows one that only SQL as text can write; its driver gives it without a zone."""

        async def compare() -> None:
            (key,) = await pair.fill(Coin, [{"worth": 3}])
            async with pair.app.database.writing(system("what no schema lets in")) as unit:
                await unit.session.execute(update(Coin).values(updated_at=literal_column("'infinity'::timestamptz")))
            found = await pair.same(f"/v1/coins/{key}")
            assert found.json()["updated_at"] == "9999-12-31T23:59:59.999999Z"
            await pair.same("/v1/coins")

        pair.runner.run(compare())

    def test_spellings_of_a_path(self, pair: Pair) -> None:
        async def compare() -> None:
            (key,) = await pair.fill(Coin, [{"worth": 3}])
            text = str(key)
            names = [
                text, text.upper(), f"{{{text}}}", f"urn:uuid:{text}", text.replace("-", ""), f"{text}/", f"{text}//",
                f"/{text}", f"./{text}", f"../coins/{text}", f"{text};x", f"{text}%20", f"{text}%00", f"{text}?", f"{text}?a=1",
                f"{text}?expand=x", "1", "x", "", f"{text}%2F", f"%7B{text}%7D", "batch", "export", "null", "%F0%9F",
            ]  # fmt: skip
            for method in ("GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE", "PATCH"):
                for name in names:
                    await pair.same(f"/v1/coins/{name}", method=method)
                await pair.same("/v1/coins", method=method)
            for headers in (
                {"If-None-Match": "*"},
                {"If-None-Match": "broken"},
                {"Authorization": "Basic x"},
                as_("ada"),
            ):
                await pair.same(f"/v1/coins/{text}", headers)
            await pair.same(f"/v1/coins/{uuid4()}")
            await pair.same("/v1/coins?colour=red")

        pair.runner.run(compare())


@asynccontextmanager
async def served(app: Freehold) -> AsyncIterator[httpx2.AsyncClient]:
    async with app.router.lifespan_context(app), client_of(app) as client:
        yield client


def is_compiled(app: Freehold, model: str = "coins") -> bool:
    return table_of(app, app.mounted).reason("GET", f"/v1/{model}/{{id}}") == ""


@pytest.mark.anyio
class TestWhatStandsInFront:
    @pytest.fixture
    def url(self, tmp_path: Path) -> str:
        return f"sqlite+aiosqlite:///{tmp_path}/t.db"

    async def test_a_middleware_of_the_application_stays_around_every_answer(self, url: str, tmp_path: Path) -> None:
        app = make(url, tmp_path)

        @app.middleware("http")
        async def mark(request: Any, call_next: Any) -> Any:
            response = await call_next(request)
            response.headers["X-Mark"] = "seen"
            return response

        async with served(app) as client:
            made = await client.post("/v1/coins", json={"worth": 1}, headers=as_("ada"))
            for path in (made.headers["location"], "/v1/coins", f"/v1/coins/{uuid4()}"):
                assert (await client.get(path)).headers["x-mark"] == "seen"

    async def test_a_route_of_the_application_that_stands_before_wins(self, url: str, tmp_path: Path) -> None:
        app = make(url, tmp_path)
        app.router.routes.insert(0, _earlier("/v1/coins/{id}"))
        async with served(app) as client:
            assert (await client.get(f"/v1/coins/{uuid4()}")).text == "mine"
            assert (await client.get("/v1/coins")).status_code == 200
        assert not is_compiled(app)

    async def test_dependencies_of_the_application_run(self, url: str, tmp_path: Path) -> None:
        from fastapi import Depends, HTTPException

        def closed() -> None:
            raise HTTPException(403)

        app = make(url, tmp_path, dependencies=[Depends(closed)])
        async with served(app) as client:
            assert (await client.get("/v1/coins")).status_code == 403

    async def test_overridden_dependencies_switch_it_off_at_once(self, url: str, tmp_path: Path) -> None:
        app = make(url, tmp_path)
        async with served(app) as client:
            assert (await client.get("/v1/coins")).status_code == 200
            probe = {"type": "http", "method": "GET", "path": "/v1/coins", "query_string": b""}
            assert table_of(app, app.mounted).find(probe) is not None
            app.dependency_overrides[_earlier] = _earlier
            assert table_of(app, app.mounted).find(probe) is None

    async def test_an_own_handler_of_an_error_answers(self, url: str, tmp_path: Path) -> None:
        from starlette.responses import PlainTextResponse

        from freehold import NotFound

        app = make(url, tmp_path)
        app.add_exception_handler(NotFound, lambda *_: PlainTextResponse("gone fishing", 410, media_type="text/html"))
        async with served(app) as client:
            assert (await client.get(f"/v1/coins/{uuid4()}")).text == "gone fishing"

    async def test_an_application_under_a_path_of_another(self, url: str, tmp_path: Path) -> None:
        from starlette.applications import Starlette
        from starlette.routing import Mount

        app = make(url, tmp_path)
        async with app.router.lifespan_context(app):
            outer = Starlette(routes=[Mount("/shop", app=app)])
            transport = httpx2.ASGITransport(app=outer)
            async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
                made = await client.post("/shop/v1/coins", json={"worth": 1}, headers=as_("ada"))
                assert made.status_code == 201
                key = made.json()["id"]
                assert (await client.get(f"/shop/v1/coins/{key}")).json()["id"] == key
                assert [each["id"] for each in (await client.get("/shop/v1/coins")).json()["items"]] == [key]


def _earlier(path: str) -> Any:
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route

    async def mine(_: Any) -> PlainTextResponse:
        return PlainTextResponse("mine")

    return Route(path, mine)


class Guest(UserMixin, Base):
    phone: Mapped[str | None] = mapped_column(String(20))


@pytest.mark.anyio
async def test_the_own_account_is_answered_as_by_its_path_operation(database_url: str, tmp_path: Path) -> None:
    apps = [make(database_url, tmp_path, compiled=each, identity=Identity(user=Guest)) for each in ("on", "off")]
    async with served(apps[0]) as compiled, served(apps[1]) as plain:
        async with apps[0].database.writing(system("an account")) as unit:
            ada = Guest(id=ADA, full_name="Ada Lovelace", roles=["host"])
            ada.set_email("ada@example.com")
            unit.session.add(ada)
        assert table_of(apps[0], apps[0].mounted).reason("GET", "/v1/users/me") == ""
        tag = (await compiled.get("/v1/users/me", headers=as_("ada"))).headers["etag"]
        asked: list[dict[str, str]] = [
            as_("ada"), {}, as_("bob"), as_("nobody"), as_("ada", If_None_Match=tag), as_("ada", If_None_Match="W/" + tag),
            as_("ada", Idempotency_Key="a b"), as_("ada", Idempotency_Key="x" * 300), as_("ada", Cookie="x=y"),
            as_("ada", If_None_Match="broken"),
        ]  # fmt: skip
        for method in ("GET", "HEAD"):
            for headers in asked:
                found, expected = [
                    await each.request(method, "/v1/users/me", headers={**headers, "X-Request-ID": "same"})
                    for each in (compiled, plain)
                ]
                assert (found.status_code, found.content) == (expected.status_code, expected.content), headers
                assert found.headers.multi_items() == expected.headers.multi_items(), headers
        assert (await compiled.get("/v1/users/me", headers=as_("ada"))).json()["full_name"] == "Ada Lovelace"


@pytest.mark.anyio
async def test_telemetry_that_is_set_up_later_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = make(f"sqlite+aiosqlite:///{tmp_path}/t.db", tmp_path)
    async with served(app) as client:
        monkeypatch.setattr("freehold.web.compiled.entrance.ASKED_AGAIN_SECONDS", 0.0)
        assert (await client.get("/v1/coins")).status_code == 200
        asked: list[bool] = []
        monkeypatch.setattr(app._native_telemetry, "enabled", lambda: asked.append(True))
        assert (await client.get("/v1/coins")).status_code == 200
        assert asked


@pytest.mark.anyio
async def test_a_log_in_that_grows_old_is_noticed(database_url: str, tmp_path: Path) -> None:
    """What a rule said of a kind of caller is remembered, unless it asks for more than roles and scopes."""
    app = make(database_url, tmp_path)
    async with app.router.lifespan_context(app):
        stage = played(app, Statements())
        now = clock.now()
        young = Principal(id=ADA, authenticated_at=now - timedelta(minutes=1), amr=frozenset({"pwd"}))
        old = replace(young, authenticated_at=now - timedelta(minutes=9))
        async with app.database.writing(system("a row of a test")) as unit:
            unit.session.add(row := Secret(word="x"))
        for who, status in ((young, 200), (old, 401), (young, 200), (Principal(id=ADA), 401)):
            async with stage.client(who) as client:
                for path in ("/v1/secrets", f"/v1/secrets/{row.id}"):
                    assert (await client.get(path)).status_code == status


@pytest.mark.anyio
async def test_a_write_is_seen_by_the_read_that_follows(database_url: str, tmp_path: Path) -> None:
    app = make(database_url, tmp_path)
    async with served(app) as client:
        key = (await client.post("/v1/coins", json={"worth": 0}, headers=as_("ada"))).json()["id"]
        for worth in range(1, 20):
            async with app.database.writing(system("a write of a test")) as unit:
                await unit.session.execute(update(Coin).where(Coin.id == UUID(key)).values(worth=worth))
            found = await asyncio.gather(*(client.get(f"/v1/coins/{key}") for _ in range(8)))
            assert {json.loads(each.content)["worth"] for each in found} == {worth}
        async with app.database.reading(system("count")) as session:
            assert len((await session.scalars(select(Coin.id))).all()) >= 1
