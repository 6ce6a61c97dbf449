"""Writes that come whole need no task: nothing of their answers, records, quotas and deadlines is other than of those that have one."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from math import inf
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from pydantic import BaseModel, field_validator
from sqlalchemy import func, select, text
from sqlalchemy.orm import Mapped, mapped_column
from starlette.responses import PlainTextResponse

from freehold import Access, Freehold, Identity, Resource, Schemas, anyone, signed_in, system
from freehold.errors import DeadlineExceeded, Invalid
from freehold.observe.context import CURRENT
from freehold.settings import Settings
from freehold.store.at_once_postgresql import PostgresTurn, PostgresWay
from freehold.store.audit import AUDIT
from freehold.traffic import Limits, per_minute
from tests.waiting import until
from tests.web.served import address_of, started
from tests.web.signs import OPEN, QUICK, Base, Person, Site, Sites, kept_open, opened
from tests.web.test_edge_repeat import Line, lasting

pytestmark = pytest.mark.anyio
BUSY: ContextVar[str] = ContextVar("busy", default="nobody")
SEEN: list[tuple[str, str]] = []
LINES: list[Line] = []
_WAITING = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND query LIKE '%INSERT INTO posts%' AND wait_event_type = 'Lock'"
)


class Post(Base):
    """Everybody sees it, who is signed in puts one up."""

    text: Mapped[str]
    slug: Mapped[str | None] = mapped_column(unique=True)


class PostDraft(BaseModel):
    text: str
    slug: str | None = None

    @field_validator("text")
    @classmethod
    def is_noted(cls, value: str) -> str:
        SEEN.append((CURRENT.get().request_id, BUSY.get()))
        BUSY.set(value)
        return value


class Stamp(Base):
    """Anybody may put one up, with a key that says which."""

    text: Mapped[str]


def made(url: str, folder: Path, *, limits: Limits = OPEN, **settings: Any) -> Freehold:
    given = Settings(
        env="test", var_dir=folder, database_url=url, secret="x" * 40, log_level="error", limits="x1", **settings
    )
    posts = Resource(Post, access=Access(read=anyone, write=signed_in), schemas=Schemas(create=PostDraft))
    stamps = Resource(Stamp, access=Access(read=anyone, write=anyone), require_key=True)
    return Freehold(posts, stamps, identity=Identity(user=Person, cost=QUICK), settings=given, limits=limits)


@pytest.fixture(scope="module")
async def sites(module_database: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Sites]:
    async with kept_open(made(module_database, tmp_path_factory.mktemp("posts"))) as found:
        yield found


@pytest.fixture
async def site(sites: Sites) -> AsyncIterator[Site]:
    async with sites() as found:
        yield found


@pytest.fixture
async def hurried(postgres_url: str, tmp_path: Path) -> AsyncIterator[Site]:
    async with opened(made(postgres_url, tmp_path, deadline_seconds=3)) as found:
        yield found


@pytest.fixture(autouse=True)
async def lines() -> AsyncIterator[None]:
    yield
    while LINES:
        writer = LINES.pop().writer
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def line_to(site: Site) -> Line:
    return await line_of("127.0.0.1", site.direct.base_url.port)


async def line_of(host: str, port: int | None) -> Line:
    LINES.append(Line(*await asyncio.open_connection(host, port)))
    return LINES[-1]


def posting(body: Any, *fields: str, path: str = "/v1/posts", method: str = "POST") -> bytes:
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", "Content-Type: application/json", *fields]
    return "\r\n".join([*lines, f"Content-Length: {len(sent)}", "", ""]).encode() + sent


async def known(site: Site, name: str = "ada") -> str:
    """A field that says who calls, whom this second knows."""
    headers = (await site.person(name))[1]
    await site.direct.get("/v1/users/me", headers=headers)
    return f"Authorization: {headers['Authorization']}"


async def count(site: Site) -> int:
    async with site.app.database.reading(system("a test")) as db:
        return int(await db.scalar(select(func.count()).select_from(Post)) or 0)


@asynccontextmanager
async def held_by_a_stranger(url: str, table: str) -> AsyncIterator[None]:
    """Nobody else gets at the rows of a table meanwhile."""
    stranger = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        async with stranger.transaction():
            await stranger.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
            yield
    finally:
        await stranger.close()


async def row_waits(app: Freehold) -> bool:
    """Whether a new row waits for what somebody else holds."""
    async with app.database.reading(system("a test")) as db:
        return bool(await db.scalar(_WAITING))


def but_for_itself(answer: tuple[int, bytes, bytes]) -> tuple[int, bytes, bytes]:
    """An answer but for what is of one row alone."""
    status, head, body = lasting(answer)
    head = re.sub(rb"(location|etag|retry-after): [^\r]+", b"", head)
    return status, head, re.sub(rb'"(id|created_at|updated_at|slug)":"[^"]+"', b"", body)


@pytest.mark.parametrize(
    ("body", "fields", "status", "is_taken"),
    [
        ({"text": "Wet paint"}, [], 201, True),
        ({"text": "Wet paint"}, ["Origin: https://elsewhere.example"], 201, True),
        ({"text": "Wet paint"}, ["X-Request-ID: same"], 201, True),
        ({"text": "Wet paint"}, ["Idempotency-Key: {new}"], 201, True),
        ({"text": "Wet paint", "slug": "taken"}, [], 409, True),
        ({"text": 1}, [], 422, True),
        ({}, [], 422, True),
        (b"", [], 400, False),
        (b"{", [], 400, False),
        (b'{"text": "a", "text": "b"}', [], 400, False),
        ({"text": "Wet paint"}, ["Idempotency-Key: "], 400, False),
        ({"text": "Wet paint"}, ["Expect: 100-continue"], 100, False),
        ({"text": "Wet paint"}, ["Host: elsewhere.example"], 400, False),
        ({"text": "x" * 9_000}, [], 201, False),
    ],
)
async def test_what_comes_whole_is_answered_as_what_comes_in_pieces(
    site: Site, body: Any, fields: list[str], status: int, *, is_taken: bool
) -> None:
    line, caller = await line_to(site), await known(site)
    await line.ask(posting({"text": "first", "slug": "taken"}, caller))
    for _ in range(2):  # whose fields are new, and are known
        given = [each.format(new=uuid4()) for each in fields]
        head, _, rest = posting(body, caller, *given).partition(b"\r\n\r\n")
        site.seen.clear()
        whole = await line.ask(head + b"\r\n\r\n" + rest)
        assert (whole[0], site.seen) == (status, [is_taken])
        if status == 100:
            await line.hear()
        given = [each.format(new=uuid4()) for each in fields]
        head, _, rest = posting(body, caller, *given).partition(b"\r\n\r\n")
        apart = await line.ask(head + b"\r\n\r\n", rest)
        if status == 100:
            await line.hear()
        assert but_for_itself(whole) == but_for_itself(apart)


@pytest.mark.parametrize(
    "path", ["/v1/posts?a=b", "/v1/posts?access_token=a", "/v1/posts/", "/v1//posts", "/v1/p%6fsts"]
)
async def test_another_target_is_judged_as_ever(site: Site, path: str) -> None:
    line, caller = await line_to(site), await known(site)
    await line.ask(posting({"text": "first"}, caller))
    head, _, rest = posting({"text": "odd"}, caller, path=path).partition(b"\r\n\r\n")
    whole, apart = await line.ask(head + b"\r\n\r\n" + rest), await line.ask(head + b"\r\n\r\n", rest)
    assert but_for_itself(whole) == but_for_itself(apart)


async def test_who_may_not_write_is_told_before_what_is_wrong_with_it(site: Site) -> None:
    line = await line_to(site)
    for _ in range(2):
        assert (await line.ask(posting({"text": 1})))[0] == 401
        assert (await line.ask(posting(b"{")))[0] == 400
    assert await count(site) == 0


async def test_each_gets_what_it_has_written_and_a_record(site: Site) -> None:
    caller = await known(site)
    lines = [await line_to(site) for _ in range(12)]
    for turn in range(3):
        answers = await asyncio.gather(
            *(each.ask(posting({"text": f"{turn} {n}"}, caller)) for n, each in enumerate(lines))
        )
        for number, (status, head, body) in enumerate(answers):
            found = json.loads(body)
            assert (status, found["text"]) == (201, f"{turn} {number}")
            location = re.search(rb"location: (\S+)", head)
            assert location is not None
            assert location[1].decode() == f"/v1/posts/{found['id']}"
            request_id = re.search(rb"x-request-id: (\S+)", head)
            assert request_id is not None
            async with site.app.database.reading(system("a test")) as db:
                record = (await db.execute(select(AUDIT).where(AUDIT.c.subject_id == found["id"]))).one()
            assert (record.action, record.request_id) == ("posts.created", request_id[1].decode())
    assert set(site.seen[-24:]) == {True}


async def test_one_that_is_refused_is_refused_alone(site: Site) -> None:
    caller = await known(site)
    lines = [await line_to(site) for _ in range(9)]
    await lines[0].ask(posting({"text": "first"}, caller))
    met = site.app.database.at_once
    shared = list(met._together.values()) if isinstance(met, PostgresWay) else []
    for each in shared:
        each._apart_until, each._refused_at = 0.0, -inf  # whatever the test before has had refused
    answers = await asyncio.gather(
        *(each.ask(posting({"text": str(n), "slug": f"slug {n % 8}"}, caller)) for n, each in enumerate(lines))
    )
    assert sorted(status for status, _, _ in answers) == [201] * 8 + [409]
    assert not any(each.is_apart for each in shared), "it was refused once along with others, and then alone"
    assert await count(site) == 9


async def test_a_key_makes_a_second_request_the_first_one(site: Site) -> None:
    line = await line_to(site)
    asked = posting({"text": "Once"}, 'Idempotency-Key: "key"', path="/v1/stamps")
    first, second = await line.ask(asked), await line.ask(asked)
    assert (first[0], first[2]) == (second[0], second[2])
    assert b"idempotent-replayed: true" in second[1]
    assert (await line.ask(posting({"text": "None"}, path="/v1/stamps")))[0] == 400


async def test_every_write_counts_once_whatever_it_comes_to(database_url: str, tmp_path: Path) -> None:
    limits = Limits(read=per_minute(100), write=per_minute(6))
    async with opened(made(database_url, tmp_path, limits=limits)) as site:
        caller, line = await known(site), await line_to(site)
        asked = [posting({"text": "good"}, caller), posting({"text": 1}, caller), posting(b"{", caller)]
        # What is not JSON is refused before anything is counted.
        found = [(await line.ask(each))[0] for each in asked * 4]
        assert found == [201, 422, 400] * 3 + [429, 429, 400]
        assert site.app.edge.in_flight == 0


async def test_a_body_is_held_to_its_limit(database_url: str, tmp_path: Path) -> None:
    app = made(database_url, tmp_path)
    async with opened(app) as site:
        line, caller = await line_to(site), await known(site)
        assert (await line.ask(posting({"text": "x" * 100}, caller)))[0] == 201
        object.__setattr__(app.edge.options, "body_limit_bytes", 500)
        assert (await line.ask(posting({"text": "x" * 400}, caller)))[0] == 201
        assert (await line.ask(posting({"text": "x" * 600}, caller)))[0] == 413


async def test_what_an_application_has_a_say_in_finds_its_request_and_no_other(site: Site) -> None:
    caller, line = await known(site), await line_to(site)
    for number in range(3):
        SEEN.clear()
        await line.ask(posting({"text": str(number)}, caller, f"X-Request-ID: id-{number}"))
        assert [(f"id-{number}", "nobody")] == SEEN
    assert site.seen[-2:] == [True, True]


async def test_an_own_handler_of_an_error_answers(database_url: str, tmp_path: Path) -> None:
    app = made(database_url, tmp_path)
    app.add_exception_handler(Invalid, lambda *_: PlainTextResponse("gone fishing", 410, media_type="text/html"))
    async with opened(app) as site:
        caller, line = await known(site), await line_to(site)
        found = [await line.ask(posting({"text": each}, caller)) for each in ("a", 1, 2)]
        assert [each[0] for each in found] == [201, 410, 410]


async def test_F05_past_its_deadline_a_write_is_cut_short_and_refused(hurried: Site) -> None:
    site, app = hurried, hurried.app
    app.add_exception_handler(DeadlineExceeded, lambda *_: PlainTextResponse("the edge answers, not I"))
    line, caller = await line_to(site), await known(site)
    async with app.database.writing(system("holds the slug")) as unit:
        unit.session.add(Post(text="holder", slug="held"))
        await unit.session.flush()
        await line.tell(posting({"text": "waits", "slug": "held"}, caller))
        await until(lambda: app.edge.in_flight == 1)
        assert site.seen[-1] is True
        await until(lambda: row_waits(app))
        status, _, body = await line.hear()
        assert (status, json.loads(body)["code"]) == (503, "service.deadline_exceeded")
        assert app.edge.in_flight == 0
        assert not await row_waits(app), "what nobody waits for runs no more"
    assert await count(site) == 1
    assert (await (await line_to(site)).ask(posting({"text": "goes on"}, caller)))[0] == 201


@pytest.mark.parametrize("is_whole", [True, False])
async def test_who_was_taken_along_and_is_late_is_not_told_that_nothing_was_changed(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_whole: bool
) -> None:
    run, goes_on = PostgresTurn.run, asyncio.Event()

    async def slow(self: PostgresTurn, sql: str, values: Any) -> Any:
        await goes_on.wait()
        return await run(self, sql, values)

    async with opened(made(postgres_url, tmp_path)) as site:
        app, caller, lines = site.app, await known(site), [await line_to(site) for _ in range(2)]
        assert (await lines[0].ask(posting({"text": "first"}, caller)))[0] == 201
        head, _, rest = posting({"text": "together"}, caller).partition(b"\r\n\r\n")
        pieces = [head + b"\r\n\r\n" + rest] if is_whole else [head + b"\r\n\r\n", rest]
        monkeypatch.setattr(PostgresTurn, "run", slow)
        await asyncio.gather(*(each.tell(*pieces) for each in lines))
        assert isinstance(app.database.at_once, PostgresWay)
        (together,) = app.database.at_once._together.values()
        await until(lambda: [len(each.places) for each in together._sent_out] == [2])
        late = next(iter(app.edge.deadlines._running))
        late.met()
        late.passes()
        goes_on.set()
        answers = sorted([await each.hear() for each in lines])
        assert [status for status, _, _ in answers] == [201, 503]
        assert json.loads(answers[1][2])["code"] == "service.outcome_unknown"
        assert await count(site) == 3, "for it was done"


async def test_the_row_of_a_client_that_left_is_made_all_the_same(postgres_url: str, tmp_path: Path) -> None:
    async with opened(made(postgres_url, tmp_path)) as site:
        app, line, caller = site.app, await line_to(site), await known(site)
        async with held_by_a_stranger(postgres_url, "posts"):
            await line.tell(posting({"text": "left"}, caller))
            await until(lambda: row_waits(app))
            line.writer.transport.abort()
        await until(lambda: app.edge.in_flight == 0)
        assert await count(site) == 1
        assert (await (await line_to(site)).ask(posting({"text": "goes on"}, caller)))[0] == 201


async def test_past_its_patience_a_server_that_ends_refuses_what_it_has_begun(
    postgres_url: str, tmp_path: Path
) -> None:
    app = made(postgres_url, tmp_path)
    async with started(app, timeout_graceful_shutdown=1) as serving:
        line = await line_of(*address_of(serving))
        await line.ask(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
        async with held_by_a_stranger(postgres_url, "stamps"):  # whom the end of the service does not end
            await line.tell(posting({"text": "waits"}, f"Idempotency-Key: {uuid4()}", path="/v1/stamps"))
            await until(lambda: app.edge.in_flight == 1)
            serving.should_exit = True
            assert (await asyncio.wait_for(line.hear(), 20))[0] == 503
    assert app.edge.in_flight == 0
