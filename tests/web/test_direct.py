"""Requests for a row or a list that need no task: nothing of their answers, quotas and deadlines is other than of those that have one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from starlette.responses import PlainTextResponse

from freehold import Freehold, NotFound, system
from freehold.errors import DeadlineExceeded
from freehold.observe.context import CURRENT
from freehold.traffic import Limits, per_minute
from tests.waiting import until
from tests.web.served import address_of, by_server, started
from tests.web.signs import Diary, Sign, Site, Sites, kept_open, made, opened

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
async def sites(module_database: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Sites]:
    async with kept_open(made(module_database, tmp_path_factory.mktemp("signs"))) as found:
        yield found


@pytest.fixture
async def site(sites: Sites) -> AsyncIterator[Site]:
    async with sites() as found:
        yield found


@pytest.fixture
async def on_postgresql(postgres_url: str, tmp_path: Path) -> AsyncIterator[Site]:
    async with opened(made(postgres_url, tmp_path, deadline_seconds=1)) as found:
        yield found


async def test_a_row_is_answered_directly_as_it_is_by_the_way_of_all(site: Site) -> None:
    path = await site.add(Sign(text="Wet paint"))
    found = await site.both(path)
    for headers in (
        {"If-None-Match": found.headers["etag"]},
        {"If-None-Match": "*"},
        {"If-None-Match": "broken"},
        {"Origin": "https://elsewhere.example"},
        {"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"},
        {"Accept": "text/html"},
    ):
        await site.both(path, headers)
    await site.both(path, {"Cookie": "a=b"}, taken=False)
    assert (await site.both(f"/v1/signs/{uuid4()}")).status_code == 404


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("{}?a=b", {}),
        ("/v1/signs?access_token=none", {}),
        ("/v1/signs?a=%ff", {}),
        ("{}/", {}),
        ("{}", {"Host": "elsewhere.example"}),
        ("{}", {"Host": "not a host"}),
        ("{}", {"Authorization": "Bearer none"}),
        ("{}", {"Authorization": "Basic x"}),
        ("/v1/signs/%30", {}),
        ("/v1/signs/ABC", {}),
    ],
)
async def test_what_is_out_of_the_ordinary_goes_the_way_of_all(site: Site, path: str, headers: dict[str, str]) -> None:
    await site.both(path.format(await site.add(Sign(text="Mind the step"))), headers, taken=False)


async def test_a_list_is_answered_directly_as_it_is_by_the_way_of_all(site: Site) -> None:
    for number in range(5):
        await site.add(Sign(text=str(number)))
    page, number = (await site.both("/v1/signs?limit=2")).json(), 2
    while page["next_cursor"]:
        page = (await site.both(f"/v1/signs?limit=2&cursor={page['next_cursor']}")).json()
        number += len(page["items"])
    assert number == 5
    await site.both("/v1/signs")
    for question in ("count=true", "limit=0", "cursor=none", "none=1"):
        await site.both(f"/v1/signs?{question}")  # begun, and gone on with in a task


async def test_lists_that_meet_are_each_their_own_callers(site: Site) -> None:
    callers = [await site.person(name) for name in ("ada", "bob", "cleo")]
    for owner_id, _ in callers:
        for _ in range(3):
            await site.add(Diary(text=str(owner_id), owner_id=owner_id))
    for _ in range(6):
        found = await asyncio.gather(*(site.direct.get("/v1/diaries", headers=each) for _, each in callers * 8))
        for (owner_id, _), answer in zip(callers * 8, found, strict=True):
            assert [each["text"] for each in answer.json()["items"]] == [str(owner_id)] * 3


async def test_nobody_sees_what_they_may_not(site: Site) -> None:
    (ada, as_ada), (_, as_bob) = await site.person("ada"), await site.person("bob")
    path = await site.add(Diary(text="Dear diary", owner_id=ada))
    for headers, status in ((as_ada, 200), (as_bob, 404), ({}, 401)):
        await site.direct.get(path, headers=headers)  # who is known by then is known at once
        assert (await site.both(path, headers)).status_code == status
    answers = await asyncio.gather(*(site.direct.get(path, headers=each) for each in (as_ada, as_bob, {}) * 20))
    assert [each.status_code for each in answers] == [200, 404, 401] * 20


async def test_a_caller_reads_the_own_account(site: Site) -> None:
    _, headers = await site.person("ada")
    await site.direct.get("/v1/users/me", headers=headers)
    assert (await site.both("/v1/users/me", headers)).json()["email"] == "ada@example.com"
    assert (await site.direct.delete("/v1/auth/sessions", headers=headers)).status_code == 204
    assert (await site.both("/v1/users/me", headers, taken=False)).status_code == 401


async def test_every_request_counts_once_whatever_it_comes_to(database_url: str, tmp_path: Path) -> None:
    async with opened(made(database_url, tmp_path, limits=Limits(read=per_minute(7)))) as site:
        path, none = await site.add(Sign(text="No entry")), f"/v1/signs/{uuid4()}"
        found = [await site.direct.get(each) for each in (path, none) * 4]
        assert [each.status_code for each in found] == [200, 404, 200, 404, 200, 404, 200, 429]
        assert [each.headers["ratelimit"].partition(";r=")[2][:1] for each in found[:7]] == list("6543210")
        assert site.seen == [True] * 8
        assert site.app.edge.in_flight == 0


async def test_a_place_is_taken_and_given_back(site: Site) -> None:
    path = await site.add(Sign(text="Full"))
    load = site.app.edge.load
    found = await asyncio.gather(*(site.direct.get(path) for _ in range(30)))
    assert {each.status_code for each in found} == {200}
    await until(lambda: load.in_flight == load.working == 0)


class Held:
    """Holds back what the connections of reads find, or fails it. Of the driver itself, which has read by then."""

    def __init__(self, app: Freehold) -> None:
        self.go, self.asked, self.running = asyncio.Event(), 0, 0
        self.fails: list[Exception] = []
        lanes = app.database.read_path_of(system("a test")).lanes
        self._fetch = lanes.fetch
        lanes.fetch = self.fetch

    async def fetch(self, *given: Any) -> Any:
        self.asked += 1
        self.running += 1
        try:
            found = await self._fetch(*given)
            if self.fails:
                raise self.fails.pop()
            await self.go.wait()
        finally:
            self.running -= 1
        return found


async def test_F05_past_its_deadline_a_request_is_refused_and_its_row_is_nobodys(
    postgres_url: str, tmp_path: Path
) -> None:
    app = made(postgres_url, tmp_path, deadline_seconds=1)
    app.add_exception_handler(DeadlineExceeded, lambda *_: PlainTextResponse("the edge answers, not I"))
    async with opened(app) as site:
        path = await site.add(Sign(text="Slow"))
        held = Held(app)
        refused = await site.direct.get(path)
        assert (refused.status_code, refused.json()["code"]) == (503, "service.deadline_exceeded")
        assert site.seen == [True]
        held.go.set()
        assert (await site.direct.get(path)).json()["text"] == "Slow"
        assert app.edge.in_flight == 0


async def test_what_fails_is_read_again_by_other_means(on_postgresql: Site) -> None:
    site = on_postgresql
    path = await site.add(Sign(text="Again"))
    held = Held(site.app)
    held.go.set()
    held.fails = [asyncpg.PostgresError("of no kind that was met"), OSError()]
    assert (await site.direct.get(path)).json()["text"] == "Again"
    assert site.seen == [True]
    held.fails = [asyncpg.QueryCanceledError("too long")]
    asked = held.asked
    assert (await site.direct.get(path)).json()["code"] == "service.deadline_exceeded"
    assert held.asked == asked + 1, "to ask again would take as long again"


async def test_a_client_that_left_leaves_nothing_behind(on_postgresql: Site) -> None:
    site = on_postgresql
    path = await site.add(Sign(text="Gone"))
    held = Held(site.app)
    _, writer = await asyncio.open_connection("127.0.0.1", site.direct.base_url.port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    await until(lambda: held.asked == 1)
    writer.transport.abort()
    await asyncio.sleep(0.05)
    held.go.set()
    await until(lambda: site.app.edge.in_flight == 0)
    assert (await site.direct.get(path)).status_code == 200


async def test_requests_that_were_sent_on_without_waiting_are_answered_in_order(site: Site) -> None:
    paths = [await site.add(Sign(text=str(number))) for number in range(5)]
    reader, writer = await asyncio.open_connection("127.0.0.1", site.direct.base_url.port)
    asked = [f"GET {each} HTTP/1.1\r\nHost: localhost\r\n\r\n" for each in (*paths, "/v1/signs/none")]
    writer.write("".join(asked).encode())
    got = []
    for _ in asked:
        head = await reader.readuntil(b"\r\n\r\n")
        size = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        got.append((int(head[9:12]), await reader.readexactly(size)))
    assert [status for status, _ in got] == [200] * 5 + [404]
    assert [f'"text":"{number}"'.encode() in body for number, (_, body) in enumerate(got[:5])] == [True] * 5
    writer.close()


@pytest.mark.parametrize("version", ["1.0", "1.1"])
async def test_a_connection_is_closed_where_the_client_wants_it(site: Site, version: str) -> None:
    path = await site.add(Sign(text="Last"))
    reader, writer = await asyncio.open_connection("127.0.0.1", site.direct.base_url.port)
    writer.write(f"GET {path} HTTP/{version}\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    assert b'"text":"Last"' in await asyncio.wait_for(reader.read(), 10)
    writer.close()


async def test_a_middleware_of_the_application_sees_every_request(database_url: str, tmp_path: Path) -> None:
    app = made(database_url, tmp_path)

    @app.middleware("http")
    async def mark(request: Any, call_next: Any) -> Any:
        response = await call_next(request)
        response.headers["X-Mark"] = "seen"
        return response

    async with app.router.lifespan_context(app), by_server(app) as client:
        assert (await client.get(f"/v1/signs/{uuid4()}")).headers["x-mark"] == "seen"
        assert app.edge.direct is None


async def test_an_own_handler_of_an_error_answers(database_url: str, tmp_path: Path) -> None:
    app = made(database_url, tmp_path)
    app.add_exception_handler(NotFound, lambda *_: PlainTextResponse("gone fishing", 410, media_type="text/html"))
    async with opened(app) as site:
        assert (await site.both(f"/v1/signs/{uuid4()}")).text == "gone fishing"


async def test_the_client_is_whom_a_listed_proxy_names(database_url: str, tmp_path: Path) -> None:
    async with opened(
        made(database_url, tmp_path, trusted_proxies="127.0.0.1", limits=Limits(read=per_minute(2)))
    ) as site:
        path = await site.add(Sign(text="By name"))
        for client in ("192.0.2.1", "192.0.2.2"):
            headers = {"X-Forwarded-For": client, "X-Forwarded-Proto": "https"}
            found = [await site.direct.get(path, headers=headers) for _ in range(3)]
            assert [each.status_code for each in found] == [200, 200, 429]
            assert "strict-transport-security" in found[0].headers
        assert set(site.seen) == {True}


@pytest.mark.parametrize("wraps", ["class", "stack", "proxy"])
async def test_whatever_stands_around_the_application_sees_every_request(
    database_url: str, tmp_path: Path, wraps: str
) -> None:
    seen: list[str] = []

    class Around:
        """As agents that watch applications stand around one: all else is its own."""

        def __init__(self, inner: Any, rest: Any) -> None:
            self._inner, self._rest = inner, rest

        def __getattr__(self, name: str) -> Any:
            return getattr(self._rest, name)

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] == "http":
                seen.append(scope["path"])
            await self._inner(scope, receive, send)

    class Own(Freehold):
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            await Around(super().__call__, None)(scope, receive, send)

    app = made(database_url, tmp_path, kind=Own if wraps == "class" else Freehold)
    if wraps == "stack":
        build = app.build_middleware_stack
        app.build_middleware_stack = lambda: Around(build(), None)
    async with app.router.lifespan_context(app), by_server(Around(app, app) if wraps == "proxy" else app) as client:
        paths = ["/health/live", "/v1/signs", f"/v1/signs/{uuid4()}"]
        for path in paths:
            await client.get(path)
    assert seen == paths


async def test_addresses_stand_below_the_path_that_a_proxy_takes_off(database_url: str, tmp_path: Path) -> None:
    app = made(database_url, tmp_path)
    app.root_path = "/api"
    async with opened(app) as site:
        found = await site.both("/v1/signs", taken=False)
        assert "</api/v1/signs>" in found.headers["link"]


@pytest.mark.parametrize(("headers", "status"), [({"Host": "elsewhere.example"}, 421), ({}, 429)])
async def test_nothing_is_made_ready_for_who_is_refused(
    database_url: str, tmp_path: Path, headers: dict[str, str], status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(made(database_url, tmp_path, limits=Limits(read=per_minute(1)))) as site:
        await site.direct.get("/v1/signs", headers=headers)
        monkeypatch.setattr("freehold.web.reads.parse", lambda *_, **__: pytest.fail("it was looked at"))
        assert (await site.direct.get("/v1/signs?sort=-text", headers=headers)).status_code == status


async def test_past_its_patience_a_server_that_ends_refuses_what_it_has_begun(
    postgres_url: str, tmp_path: Path
) -> None:
    app = made(postgres_url, tmp_path)
    async with started(app, timeout_graceful_shutdown=1) as serving:
        reader, writer = await asyncio.open_connection(*address_of(serving))
        writer.write(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await reader.read(2_000)
        held = Held(app)
        writer.write(b"GET /v1/signs HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await until(lambda: held.asked == 1)
        serving.should_exit = True
        assert b"HTTP/1.1 503 " in await asyncio.wait_for(reader.read(), 20)
        writer.close()
    assert app.edge.in_flight == 0


async def test_a_list_that_nobody_waits_for_is_cut_short(postgres_url: str, tmp_path: Path) -> None:
    async with opened(made(postgres_url, tmp_path, deadline_seconds=1)) as site:
        held = Held(site.app)
        refused = await asyncio.gather(*(site.direct.get("/v1/signs") for _ in range(8)))
        assert {each.status_code for each in refused} == {503}
        await until(lambda: held.running == 1)  # the look at the plan, which is of no list
        held.go.set()


async def test_log_lines_and_listeners_know_the_request_that_they_are_of(database_url: str, tmp_path: Path) -> None:
    app = made(database_url, tmp_path)
    told: list[tuple[str, str]] = []
    signs = next(each for each in app.resources if each.model is Sign)
    signs.on_read(lambda seen: told.append((seen.headers["x-request-id"], CURRENT.get().request_id)))
    async with opened(app) as site:
        path = await site.add(Sign(text="Listen"))
        await asyncio.gather(*(site.direct.get(path, headers={"X-Request-ID": f"id-{n}"}) for n in range(9)))
    assert sorted(told) == [(f"id-{n}", f"id-{n}") for n in range(9)]
