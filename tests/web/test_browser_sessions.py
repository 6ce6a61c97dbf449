"""Log-ins by cookie, and what pages of others make a browser send (BEHAVIOURS C)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import httpx2
import pytest
from fastapi import Form, Request
from sqlalchemy import select
from sqlalchemy.orm import Mapped, mapped_column

from freehold import Access, Caller, Freehold, Identity, Resource, Router, UserMixin, allow, anyone, owner, signed_in
from freehold.identity import Cost
from freehold.identity.tables import BROWSER_SESSIONS, SESSIONS
from freehold.resource import clock
from freehold.resource.principal import system
from freehold.settings import Settings
from freehold.store.audit import AUDIT
from freehold.testing import Stage
from tests.bases import AccountBase as Base

pytestmark = pytest.mark.anyio

PASSWORD = "lantern quarry velvet 42"
SESSION, VISITOR = "__Host-fh_session", "__Host-fh_visitor"
DOOR = "/v1/auth/browser-session"
FOREIGN = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "https://testserver.evil.example"},
    {"Origin": "https://testserver:444"},
    {"Origin": "http://testserver"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": "https://testserver", "Sec-Fetch-Site": "cross-site"},
]


class Guest(UserMixin, Base):
    __tablename__ = "test_browser_guests"


class Page(Base):
    __tablename__ = "test_browser_pages"

    owner_id: Mapped[UUID] = mapped_column(index=True)
    title: Mapped[str]


def forms() -> Router:
    router = Router(prefix="/v1/forms")

    @router.post("", dependencies=[allow(signed_in)])
    async def post(request: Request, caller: Caller, title: Annotated[str, Form()]) -> dict[str, str]:
        return {"title": title, "by": str(caller.id)}

    @router.post("/open", dependencies=[allow(anyone)])
    async def open_to_all(caller: Caller) -> dict[str, bool]:
        return {"known": caller.id is not None}

    return router


@pytest.fixture(scope="module")
def app(module_database: str, tmp_path_factory: pytest.TempPathFactory) -> Freehold:
    settings = Settings(
        env="test", var_dir=tmp_path_factory.mktemp("var"), database_url=module_database, secret="s" * 40, limits="off"
    )
    pages = Resource(
        Page, name="pages", access=Access(read=owner("owner_id"), write=owner("owner_id"), create=signed_in)
    )
    identity = Identity(user=Guest, roles=("host", "admin"), cost=Cost(memory_kib=64, passes=1))
    return Freehold(pages, identity=identity, routers=[forms()], settings=settings)


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


class Browser:
    """A browser with a page of ours open: keeps cookies, and asks for its CSRF token."""

    def __init__(self, app: Freehold, *, agent: str = "") -> None:
        transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
        self.client = httpx2.AsyncClient(
            transport=transport, base_url="https://testserver", headers={"User-Agent": agent}
        )
        self.token = ""

    async def visit(self) -> dict[str, Any]:
        answer = await self.client.get(DOOR)
        assert answer.status_code == 200, answer.text
        self.token = answer.json()["csrf_token"]
        seen: dict[str, Any] = answer.json()
        return seen

    async def send(self, method: str, path: str, *, token: str | None = None, **more: Any) -> httpx2.Response:
        headers = {"X-CSRF-Token": self.token if token is None else token, **more.pop("headers", {})}
        return await self.client.request(
            method, path, headers={k: v.encode("latin-1") for k, v in headers.items() if v}, **more
        )

    async def log_in(self, email: str = "ada@example.com", password: str = PASSWORD, **more: Any) -> httpx2.Response:
        await self.visit()
        answer = await self.send("POST", DOOR, json={"email": email, "password": password}, **more)
        if answer.status_code == 201:
            self.token = answer.json()["csrf_token"]
        return answer

    @property
    def value(self) -> str:
        return self.client.cookies.get(SESSION) or ""

    def with_value(self, value: str) -> Browser:
        """Another browser that holds this session value and nothing else."""
        other = Browser(self.client._transport.app)  # type: ignore[attr-defined]
        other.client.cookies.set(SESSION, value, domain="testserver.local", path="/")
        return other


@pytest.fixture
async def stage(house: Any, hand: Hand) -> AsyncIterator[Stage]:
    async with house.stage() as found:
        yield found


async def _register(app: Freehold, email: str = "ada@example.com") -> UUID:
    body = {"email": email, "password": PASSWORD, "full_name": "Ada Lovelace"}
    answer = await Browser(app).client.post("/v1/users", json=body)
    assert answer.status_code == 201, answer.text
    return UUID(answer.json()["id"])


@pytest.fixture
async def ada(stage: Stage) -> Browser:
    await _register(stage.app)
    browser = Browser(stage.app)
    assert (await browser.log_in()).status_code == 201
    return browser


async def _is_known(browser: Browser) -> bool:
    return (await browser.client.get("/v1/users/me")).status_code == 200


def _cookie(answer: httpx2.Response, name: str = SESSION) -> tuple[str, set[str]]:
    (header,) = [each for each in answer.headers.get_list("set-cookie") if each.startswith(f"{name}=")]
    value, *attributes = header.split("; ")
    return value.partition("=")[2], {each.lower() for each in attributes}


class TestC01TheCookie:
    async def test_C01_it_is_a_host_cookie_that_no_script_reads(self, stage: Stage) -> None:
        await _register(stage.app)
        answer = await Browser(stage.app).log_in()
        value, attributes = _cookie(answer)
        assert attributes == {"httponly", "secure", "samesite=lax", "path=/"}
        assert len(value.removeprefix("fhs_")) >= 43, "256 bits"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["location"] == DOOR
        assert value not in answer.text

    async def test_C01_each_log_in_has_another_value_and_the_old_one_is_dead(self, ada: Browser) -> None:
        first = ada.value
        assert (await ada.log_in()).status_code == 201
        assert ada.value not in ("", first)
        assert await _is_known(ada)
        assert not await _is_known(ada.with_value(first))

    async def test_C01_T11_a_new_password_changes_the_value_and_ends_the_others(
        self, ada: Browser, stage: Stage
    ) -> None:
        other = Browser(stage.app)
        await other.log_in()
        first = ada.value
        body = {"current_password": PASSWORD, "new_password": "another quarry lantern 7"}
        answer = await ada.send("POST", "/v1/auth/password", json=body)
        assert answer.status_code == 204, answer.text
        assert ada.value not in ("", first)
        assert await _is_known(ada)
        assert not await _is_known(ada.with_value(first))
        assert not await _is_known(other)
        assert (await ada.send("POST", "/v1/pages", json={"title": "x"})).status_code == 403, "a token of the old value"
        await ada.visit()
        assert (await ada.send("POST", "/v1/pages", json={"title": "x"})).status_code == 201

    async def test_C01_a_change_of_rights_ends_the_value(self, ada: Browser, stage: Stage) -> None:
        accounts = stage.app.identity.parts.accounts  # type: ignore[union-attr]
        me = UUID((await ada.visit())["user_id"])
        for roles, stays in (([], True), (["host"], False)):
            async with stage.database.writing(system("test")) as unit:
                await accounts.set_roles(unit.session, me, roles)
            assert await _is_known(ada) is stays

    async def test_C01_of_two_renewals_at_once_one_has_its_way(self, ada: Browser, stage: Stage) -> None:
        sessions = stage.app.identity.parts.browser_sessions  # type: ignore[union-attr]

        async def renewed() -> Any:
            return await stage.database.run(system("test"), lambda unit: sessions.renew(unit.session, ada.value))

        found = [each for each in await asyncio.gather(*(renewed() for _ in range(5))) if each is not None]
        assert len(found) == 1
        assert not await _is_known(ada)
        assert await _is_known(ada.with_value(found[0].value))


class TestC02Fixation:
    async def test_C02_a_value_that_the_client_chose_is_not_taken_up(self, stage: Stage) -> None:
        await _register(stage.app)
        browser = Browser(stage.app)
        for chosen in ("chosen", "fhs_" + "A" * 43, "fhs_" + "x" * 5000):
            browser.client.cookies.set(SESSION, chosen, domain="testserver.local", path="/")
            assert not await _is_known(browser)
            assert not (await browser.visit())["is_signed_in"]
            assert (await browser.log_in()).status_code == 201
            assert browser.value != chosen
            assert not await _is_known(browser.with_value(chosen))

    async def test_C02_nor_is_a_visitor_value(self, stage: Stage) -> None:
        browser = Browser(stage.app)
        browser.client.cookies.set(VISITOR, "fhv_chosen.by-somebody", domain="testserver.local", path="/")
        answer = await browser.client.get(DOOR)
        given, attributes = _cookie(answer, VISITOR)
        assert given.startswith("fhv_")
        assert attributes == {"httponly", "secure", "samesite=lax", "path=/"}
        assert "set-cookie" not in (await browser.client.get(DOOR)).headers, "one that is ours stays"

    async def test_C02_half_an_hour_without_use_is_the_end(self, ada: Browser, hand: Hand) -> None:
        for _ in range(3):
            hand.forward(minutes=29)
            assert await _is_known(ada), "use goes on"
        hand.forward(minutes=30)
        assert not await _is_known(ada)

    async def test_C02_twelve_hours_are_the_end_of_any_use(self, ada: Browser, hand: Hand) -> None:
        for _ in range(28):
            hand.forward(minutes=25)
            assert await _is_known(ada)
        hand.forward(minutes=20)
        assert not await _is_known(ada)

    async def test_the_use_is_written_once_a_minute(self, ada: Browser, hand: Hand, stage: Stage) -> None:
        hand.forward(seconds=61)
        await ada.visit()
        stage.statements.clear()
        for _ in range(3):
            hand.forward(seconds=10)
            assert await _is_known(ada)
        assert not [each for each in stage.statements if each.lstrip().upper().startswith("UPDATE")]

    async def test_C02_T10_a_dump_of_the_database_holds_no_value(self, ada: Browser, stage: Stage) -> None:
        dump = b""
        async with stage.database.reading(system("test")) as session:
            for table in (BROWSER_SESSIONS, SESSIONS, AUDIT):
                for row in (await session.execute(select(table))).all():
                    dump += b"|".join(each if isinstance(each, bytes) else str(each).encode() for each in row)
        assert dump
        assert ada.value.removeprefix("fhs_").encode() not in dump
        assert ada.token.encode() not in dump


FORM = "application/x-www-form-urlencoded"


OVERRIDES = {"X-HTTP-Method-Override": "GET", "X-HTTP-Method": "GET"}
CHANGES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "json": ("POST", "/v1/pages", {"json": {"title": "x"}}),
    "form": ("POST", "/v1/forms", {"data": {"title": "x"}}),
    "multipart": ("POST", "/v1/forms", {"files": {"title": (None, "x")}}),
    "override": ("POST", "/v1/pages?_method=GET", {"json": {"title": "x"}, "headers": OVERRIDES}),
    "open": ("POST", "/v1/forms/open", {}),
    "account": ("POST", "/v1/auth/verification", {}),
    "log-out": ("DELETE", DOOR, {}),
    "log-in": ("POST", DOOR, {"json": {"email": "ada@example.com", "password": PASSWORD}}),
}


async def _try(browser: Browser, kind: str, *, token: str | None = None, **headers: str) -> httpx2.Response:
    """A change of one kind, with the browser's cookie."""
    method, path, how = CHANGES[kind]
    return await browser.send(method, path, token=token, **{**how, "headers": {**how.get("headers", {}), **headers}})


class TestC03Forgery:
    @pytest.mark.parametrize("kind", CHANGES)
    async def test_C03_a_change_needs_this_sessions_token_and_our_own_page(
        self, ada: Browser, stage: Stage, kind: str
    ) -> None:
        await _register(stage.app, "bob@example.com")
        bob, nobody = Browser(stage.app), Browser(stage.app)
        await bob.log_in("bob@example.com")
        await nobody.visit()
        altered = ada.token[:-1] + ("A" if ada.token[-1] != "A" else "B")
        for token in (
            "",
            "x",
            "\u00e9.\u00e9",
            bob.token,
            nobody.token,
            ada.token + "A",
            altered[1:],
            ada.value,
        ):
            answer = await _try(ada, kind, token=token)
            assert (answer.status_code, answer.json()["code"]) == (403, "auth.forged_request"), token
        for headers in FOREIGN:
            answer = await _try(ada, kind, **headers)
            assert (answer.status_code, answer.json()["code"]) == (403, "auth.forged_request"), headers
        assert (await ada.client.get("/v1/pages")).json()["items"] == []
        assert await _is_known(ada), "nothing has changed"

    @pytest.mark.parametrize("kind", sorted(CHANGES.keys() - {"override"}))
    async def test_C03_our_own_page_may(self, ada: Browser, kind: str) -> None:
        headers = {"Origin": "https://testserver", "Sec-Fetch-Site": "same-origin"}
        answer = await _try(ada, kind, **headers)
        assert answer.status_code in (200, 201, 202, 204), answer.text

    @pytest.mark.parametrize("kind", ["form", "multipart"])
    async def test_C03_a_form_may_bring_the_token_in_a_field(self, ada: Browser, kind: str) -> None:
        async def post(*tokens: str) -> int:
            fields = [("title", "x"), *(("csrf_token", token) for token in tokens)]
            if kind == "multipart":
                answer = await ada.client.post("/v1/forms", files=[(name, (None, value)) for name, value in fields])
            else:
                body = httpx2.QueryParams(fields)
                answer = await ada.client.post("/v1/forms", content=str(body), headers={"Content-Type": FORM})
            return answer.status_code

        assert await post(ada.token) == 200
        assert await post() == 403
        assert await post("x") == 403
        assert await post(ada.token, ada.token) == 403, "one of them may be somebody else's"

    async def test_C03_a_log_in_is_no_page_of_others_to_make(self, stage: Stage) -> None:
        await _register(stage.app)
        victim, attacker = Browser(stage.app), Browser(stage.app)
        await victim.visit()
        await attacker.visit()
        for token in ("", attacker.token):
            assert (await _try(victim, "log-in", token=token)).status_code == 403
        for headers in FOREIGN:
            assert (await _try(victim, "log-in", **headers)).status_code == 403
        assert victim.value == ""
        assert (await Browser(stage.app).send("POST", DOOR, json={}, token=victim.token)).status_code in (403, 422)

    async def test_C03_json_in_disguise_is_refused_too(self, ada: Browser) -> None:
        for kind in ("text/plain", "", "text/json"):
            answer = await ada.client.post("/v1/pages", content='{"title": "x"}', headers={"Content-Type": kind})
            assert answer.status_code in (403, 415)
        assert (await ada.client.get("/v1/pages")).json()["items"] == []

    async def test_C03_reading_needs_no_token(self, ada: Browser) -> None:
        for headers in FOREIGN:
            assert (await ada.client.get("/v1/pages", headers=headers)).status_code == 200

    async def test_no_two_tokens_look_alike(self, ada: Browser) -> None:
        seen = {(await ada.visit())["csrf_token"] for _ in range(5)}
        assert len(seen) == 5
        assert len({each.split(".")[1][:6] for each in seen}) == 5


class TestC04Bearer:
    async def test_C04_a_bearer_token_needs_no_csrf_token_and_gets_no_cookie(self, stage: Stage) -> None:
        await _register(stage.app)
        client = Browser(stage.app).client
        form = {"grant_type": "password", "username": "ada@example.com", "password": PASSWORD}
        token = await client.post("/v1/auth/token", data=form)
        headers = {"Authorization": f"Bearer {token.json()['access_token']}"}
        made = await client.post("/v1/pages", json={"title": "x"}, headers=headers)
        assert made.status_code == 201
        assert "set-cookie" not in token.headers
        assert "set-cookie" not in made.headers
        for method in ("POST", "DELETE"):
            answer = await client.request(method, DOOR, json={"email": "a@b.example", "password": "x"}, headers=headers)
            assert answer.status_code == 400
            assert SESSION not in answer.headers.get("set-cookie", "")

    async def test_C04_both_are_400(self, ada: Browser, stage: Stage) -> None:
        form = {"grant_type": "password", "username": "ada@example.com", "password": PASSWORD}
        token = (await Browser(stage.app).client.post("/v1/auth/token", data=form)).json()["access_token"]
        for path in ("/v1/pages", "/v1/users/me", "/v1/auth/sessions", DOOR):
            answer = await ada.client.get(path, headers={"Authorization": f"Bearer {token}"})
            assert (answer.status_code, answer.json()["code"]) == (400, "auth.several_credentials")

    async def test_H01_what_a_cookie_shows_is_private(self, ada: Browser) -> None:
        answer = await ada.client.get("/v1/pages")
        assert answer.headers["cache-control"].startswith("private")
        assert {"Authorization", "Cookie"} <= set(answer.headers["vary"].split(", "))


class TestC06List:
    async def test_C06_log_ins_are_shown_with_their_device_and_ended(
        self, ada: Browser, stage: Stage, hand: Hand
    ) -> None:
        agent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
        other = Browser(stage.app, agent=agent)
        hand.forward(minutes=5)
        await other.log_in()
        listed = (await ada.client.get("/v1/auth/sessions")).json()["items"]
        assert [(each["kind"], each["device"], each["is_current"]) for each in listed].count(
            ("browser", "Firefox on Linux", False)
        ) == 1
        assert [each["is_current"] for each in listed].count(True) == 1
        text = str(listed)
        assert ada.value not in text
        assert other.value not in text
        (foreign,) = [each["id"] for each in listed if not each["is_current"]]
        assert (await ada.send("DELETE", f"/v1/auth/sessions/{foreign}")).status_code == 204
        assert not await _is_known(other)
        assert await _is_known(ada)
        assert (await ada.send("DELETE", "/v1/auth/sessions")).status_code == 204
        assert not await _is_known(ada)

    async def test_C06_one_that_has_been_idle_too_long_is_not_shown(
        self, ada: Browser, stage: Stage, hand: Hand
    ) -> None:
        hand.forward(minutes=31)
        again = Browser(stage.app)
        await again.log_in()
        assert len((await again.client.get("/v1/auth/sessions")).json()["items"]) == 1

    async def test_logging_out_takes_the_cookie_and_the_session(self, ada: Browser) -> None:
        value = ada.value
        answer = await ada.send("DELETE", DOOR)
        assert answer.status_code == 204
        assert ada.value == ""
        assert not await _is_known(ada.with_value(value))
        assert (await ada.send("DELETE", DOOR)).status_code == 204

    async def test_A14_a_closed_account_is_out(self, ada: Browser, stage: Stage) -> None:
        me = UUID((await ada.visit())["user_id"])
        async with stage.database.writing(system("test")) as unit:
            await stage.app.identity.parts.accounts.disable(unit.session, me)  # type: ignore[union-attr]
        assert not await _is_known(ada)
        assert (await ada.log_in()).status_code == 401


async def test_A01_nothing_tells_an_unknown_account_from_a_wrong_password(stage: Stage) -> None:
    await _register(stage.app)
    answers = [
        await Browser(stage.app).log_in("ada@example.com", "wrong quarry velvet 42"),
        await Browser(stage.app).log_in("bob@example.com", "wrong quarry velvet 42"),
        await Browser(stage.app).log_in("no address", "wrong quarry velvet 42"),
    ]
    plain = {"request_id", "instance"}
    assert len({str({k: v for k, v in each.json().items() if k not in plain}) for each in answers}) == 1
    assert {each.status_code for each in answers} == {401}
    assert not any("set-cookie" in each.headers for each in answers)


def test_var_folder_is_the_tests_own(app: Freehold) -> None:
    assert Path("var").absolute() != app.settings.var_dir
