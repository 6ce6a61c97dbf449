"""Kept answers over HTTP: made once, dropped by the commit that makes them old, never one caller's to another (H01-H05)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from unittest import mock

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.requests import Request

from freehold import Access, Freehold, Principal, Resource, Router, allow, anyone, owner, signed_in
from freehold.errors import ConfigurationError
from freehold.observe import logs
from freehold.testing import House, Stage, opened
from freehold.traffic import Cache
from freehold.web.remembering import Remembered
from freehold.web.unguarded import warn_of_unkept
from tests.web.kiosk import KIOSK, Maker, Told, Ware, make
from tests.web.shelf import ADA, BOB, as_

pytestmark = pytest.mark.anyio
Client = httpx2.AsyncClient


@pytest.fixture(scope="module")
async def sqlite_house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    folder = tmp_path_factory.mktemp("kiosk")
    async with opened(make(f"sqlite+aiosqlite:///{folder}/kiosk.db", folder)) as found:
        yield found


@pytest.fixture
async def stage(sqlite_house: House) -> AsyncIterator[Stage]:
    KIOSK.clear()
    async with sqlite_house.stage() as found:
        yield found


@pytest.fixture
async def client(stage: Stage) -> AsyncIterator[Client]:
    async with stage.client() as found:
        yield found


async def ware(client: Client, name: str, who: str = "ada", **values: Any) -> str:
    answer = await client.post("/v1/kiosk-wares", json={"name": name, **values}, headers=as_(who))
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def names(client: Client, path: str, who: str | None = None, **headers: str) -> Any:
    answer = await client.get(path, headers=(as_(who) if who else {}) | headers)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    return told["names"] if "names" in told else [item["name"] for item in told["items"]]


DEAR, LIST = "/v1/kiosk-wares/dear", "/v1/kiosk-wares"


async def test_H02_a_write_is_seen_at_once_by_everyone_and_nothing_is_made_twice(client: Client) -> None:
    await ware(client, "lamp", is_public=True)
    for _ in range(3):
        assert await names(client, DEAR) == ["lamp"]
    assert KIOSK.made == ["dear"]
    key = await ware(client, "vase", is_public=True)
    assert await names(client, DEAR) == ["lamp", "vase"]
    assert (await client.patch(f"{LIST}/{key}", json={"name": "urn"}, headers=as_("ada"))).status_code == 200
    assert await names(client, DEAR) == ["lamp", "urn"]
    assert (await client.delete(f"{LIST}/{key}", headers=as_("ada"))).status_code == 204
    assert await names(client, DEAR) == ["lamp"]
    assert KIOSK.made == ["dear"] * 4


async def test_H02_what_changes_another_table_leaves_an_answer_alone(client: Client, stage: Stage) -> None:
    await ware(client, "lamp", is_public=True)
    await names(client, DEAR)
    await stage.make(Maker, name="Ada")
    await names(client, DEAR)
    assert KIOSK.made == ["dear"]


async def test_H02_a_deletion_that_changes_other_rows_is_seen_there(client: Client, stage: Stage) -> None:
    maker = await stage.make(Maker, name="Ada")
    key = await ware(client, "lamp", is_public=True, maker_id=str(maker.id))
    shown = await client.get(f"{LIST}/{key}?expand=maker", headers=as_("ada"))
    assert shown.json()["maker"]["name"] == "Ada"
    gone = await client.delete(f"/v1/kiosk-makers/{maker.id}", headers=as_("staff"))
    assert gone.status_code == 204, gone.text
    assert (await client.get(f"{LIST}/{key}", headers=as_("ada"))).json()["maker_id"] is None


async def test_H02_a_failed_write_drops_nothing(client: Client) -> None:
    await ware(client, "lamp", is_public=True)
    await names(client, DEAR)
    assert (await client.post(LIST, json={"name": "x" * 99}, headers=as_("ada"))).status_code == 422
    await names(client, DEAR)
    assert KIOSK.made == ["dear"]


async def test_H02_sql_as_text_drops_everything(client: Client) -> None:
    key = await ware(client, "lamp", is_public=True)
    assert (await client.get("/v1/kiosk-makers/count", headers=as_("ada"))).status_code == 200
    assert (await client.post(f"{LIST}/{key}/raw", headers=as_("ada"))).status_code == 200
    assert (await client.get("/v1/kiosk-makers/count", headers=as_("ada"))).status_code == 200
    assert KIOSK.made == ["count", "count"]


async def test_tags_are_dropped_by_name_and_an_answer_may_ignore_writes(client: Client) -> None:
    key = await ware(client, "lamp", is_public=True)
    for path in ("rates", "busy"):
        await client.get(f"{LIST}/{path}")
    assert (await client.get(f"{LIST}/busy")).json()["total"] == 1
    await ware(client, "vase", is_public=True)
    assert (await client.get(f"{LIST}/busy")).json()["total"] == 1, "for its whole time, whatever is written"
    await client.get(f"{LIST}/rates")
    assert KIOSK.made == ["rates", "busy"]
    assert (await client.post(f"{LIST}/{key}/rates", headers=as_("ada"))).status_code == 200
    await client.get(f"{LIST}/rates")
    assert KIOSK.made == ["rates", "busy", "rates"]


async def test_H03_a_thousand_requests_at_once_make_one(client: Client) -> None:
    await ware(client, "lamp", is_public=True)
    answers = await asyncio.gather(*(client.get(DEAR) for _ in range(1000)))
    assert {(answer.status_code, answer.content) for answer in answers} == {(200, b'{"names":["lamp"],"total":0}')}
    assert KIOSK.made == ["dear"]


async def test_H03_a_failing_loader_is_told_to_all_and_not_kept(client: Client) -> None:
    KIOSK.fails = True
    answers = await asyncio.gather(*(client.get(DEAR) for _ in range(20)))
    assert [answer.status_code for answer in answers] == [409] * 20
    assert KIOSK.made == ["dear"]
    KIOSK.fails = False
    assert await names(client, DEAR) == []
    assert KIOSK.made == ["dear", "dear"]


async def test_H03_stale_is_given_where_allowed_while_it_is_made_anew(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("freehold.traffic.cache.REST_SECONDS", 600)
    path = f"{LIST}/brief"
    assert await names(client, path) == ["1"]
    await asyncio.sleep(0.25)
    KIOSK.fails = True
    assert await names(client, path) == ["1"], "its time is over, and the maker fails"
    await asyncio.sleep(0.01)
    assert await names(client, path) == ["1"], "after a failure nobody tries at once again"
    assert KIOSK.made == ["brief", "brief"]
    await ware(client, "vase", is_public=True)


async def test_a_client_that_leaves_does_not_stop_what_others_wait_for(client: Client) -> None:
    KIOSK.gate = asyncio.Event()
    first = asyncio.create_task(client.get(DEAR))
    await KIOSK.began.wait()
    second = asyncio.create_task(client.get(DEAR))
    await asyncio.sleep(0)
    first.cancel()
    KIOSK.gate.set()
    assert (await second).status_code == 200
    assert KIOSK.made == ["dear"]


async def test_H01_each_caller_gets_what_it_may_see_and_equals_share(client: Client) -> None:
    await ware(client, "open", is_public=True, who="bob")
    await ware(client, "hers")
    await ware(client, "his", who="bob")
    for _ in range(2):
        assert sorted(await names(client, LIST)) == ["open"]
        assert sorted(await names(client, LIST, "ada")) == ["hers", "open"]
        assert sorted(await names(client, LIST, "bob")) == ["his", "open"]
        assert sorted(await names(client, LIST, "staff")) == ["hers", "his", "open"]
        assert await names(client, DEAR) == ["open"]
        assert await names(client, DEAR, "ada") == ["hers", "open"]
    assert KIOSK.made == ["dear", "dear"]


async def test_H01_fields_that_few_may_read_are_kept_apart(client: Client, stage: Stage) -> None:
    key = str((await stage.make(Ware, owner_id=ADA, name="lamp", is_public=True, price=99)).id)
    for _ in range(2):
        for who, sees in ((None, False), ("bob", False), ("ada", True), ("staff", True)):
            shown = await client.get(f"{LIST}/{key}", headers=as_(who) if who else {})
            assert ("price" in shown.json()) is sees, who


async def test_H01_a_rule_met_only_when_reading_tells_callers_apart(client: Client) -> None:
    await ware(client, "hers")
    path = "/v1/kiosk-makers/stock"
    assert (await client.get(path, headers=as_("bob"))).status_code == 404
    assert await names(client, path, "ada") == ["hers"]
    assert (await client.get(path, headers=as_("bob"))).status_code == 404
    assert await names(client, path, "ada") == ["hers"]


async def test_H01_one_answer_per_person_where_declared_so(client: Client) -> None:
    for _ in range(2):
        assert await names(client, f"{LIST}/mine", "ada") == [str(ADA)]
        assert await names(client, f"{LIST}/mine", "bob") == [str(BOB)]
        assert await names(client, f"{LIST}/mine") == ["None"]
    assert KIOSK.made == ["mine"] * 3


async def test_H02_a_change_of_rights_is_seen_at_once(client: Client) -> None:
    await ware(client, "hers")
    assert await names(client, LIST, "bob") == []
    assert await names(client, LIST, "staff") == ["hers"]
    for _ in range(2):
        assert await names(client, f"{LIST}/rates", "staff") == ["staff"]
        assert await names(client, f"{LIST}/rates", "bob") == []


async def test_H01_answers_say_who_may_keep_them(client: Client) -> None:
    await ware(client, "lamp", is_public=True)
    anonymous, signed = await client.get(LIST), await client.get(LIST, headers=as_("ada"))
    assert (anonymous.headers["cache-control"], signed.headers["cache-control"]) == ("no-cache", "private, no-cache")
    assert "Authorization" in anonymous.headers["vary"]
    hours = [await client.get("/v1/own/hours", headers=each) for each in ({}, as_("ada"), {"cookie": "a=b"})]
    assert [each.headers["cache-control"].split(", ")[0] for each in hours] == ["public", "private", "private"]
    for each in hours:
        assert {"Authorization", "Cookie", "Origin"} <= set(each.headers["vary"].split(", "))
        assert 18 <= int(each.headers["cache-control"].rpartition("=")[2]) <= 20
    told = ["ratelimit" in (await client.get(f"{LIST}/hours", headers=each)).headers for each in ({}, as_("ada"))]
    assert told == [False, True], "what a shared cache may keep tells of nobody's quota"
    shop = await client.get("/v1/own/shop", headers=as_("staff"))
    assert shop.headers["cache-control"].startswith("private, max-age=")
    assert shop.json() == ["staff"]
    assert (await client.get("/v1/own/shop")).status_code == 401


async def test_304_comes_from_what_is_kept(client: Client) -> None:
    await ware(client, "lamp", is_public=True)
    tag = (await client.get(DEAR)).headers["etag"]
    for sent, status in ((tag, 304), (f'"x", W/{tag}', 304), ("*", 304), ('"0-0"', 200)):
        answer = await client.get(DEAR, headers={"If-None-Match": sent})
        assert (answer.status_code, answer.headers["etag"]) == (status, tag)
        assert (answer.content == b"") is (status == 304)
    assert KIOSK.made == ["dear"]
    page = await client.get(LIST)
    assert (await client.get(LIST, headers={"If-None-Match": page.headers["etag"]})).status_code == 304
    head = await client.head(DEAR)
    assert (head.status_code, head.content, head.headers["etag"]) == (200, b"", tag)


async def test_H04_headers_that_are_no_part_of_the_key_are_not_seen(client: Client) -> None:
    odd = {"x-forwarded-host": "evil.example", "x-original-url": "/admin", "x-http-method-override": "DELETE"}
    first = (await client.get("/v1/own/wares", headers=odd)).json()
    assert first["forwarded"] == ""
    assert first["host"] is None
    assert first["url"] == "/v1/own/wares"
    assert (await client.get("/v1/own/wares")).json() == first
    assert KIOSK.made == ["own"]
    german = await client.get("/v1/own/wares", headers={"accept-language": "de"})
    assert german.json()["language"] == "de"
    assert "Accept-Language" in german.headers["vary"]
    assert (await client.get("/v1/own/wares")).json()["language"] == ""
    assert (await client.get("/v1/own/wares/x.css")).status_code == 404


async def test_H05_cookies_and_refusals_are_neither_kept_nor_shared(client: Client) -> None:
    KIOSK.gate = asyncio.Event()
    asked = [asyncio.create_task(client.get("/v1/own/cookie")) for _ in range(3)]
    await KIOSK.began.wait()
    KIOSK.gate.set()
    answers = await asyncio.gather(*asked)
    assert len({answer.headers["set-cookie"] for answer in answers}) == 3
    assert all(answer.headers["cache-control"] == "no-store" for answer in answers)
    KIOSK.clear()
    for _ in range(2):
        assert (await client.get("/v1/own/refusal")).status_code == 404
    assert KIOSK.made == ["refusal"] * 2
    for _ in range(2):
        assert (await client.get(f"{LIST}/01890000-0000-7000-8000-000000000000/label")).status_code == 404


async def test_a_question_is_judged_before_it_is_kept(client: Client) -> None:
    assert (await client.get(f"{LIST}?limit=0")).status_code == 422
    assert (await client.get(f"{LIST}?price=3")).status_code == 422
    assert (await client.get(f"{DEAR}?colour=red")).status_code == 422
    await ware(client, "one", is_public=True)
    await ware(client, "two", is_public=True)
    page = (await client.get(f"{LIST}?limit=1")).json()
    rest = (await client.get(f"{LIST}?limit=1&cursor={page['next_cursor']}")).json()
    assert {page["items"][0]["name"], rest["items"][0]["name"]} == {"one", "two"}


@pytest.mark.slow
@settings(max_examples=8)
@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["ada", "bob", "staff", None]), st.sampled_from(["read", "make", "open", "drop"])),
        min_size=2,
        max_size=8,
    )
)
async def test_H01_kept_answers_are_the_answers_that_would_be_made(
    sqlite_house: House, steps: list[tuple[str | None, str]]
) -> None:
    """Whoever does what in whatever order: each answer is what a service that keeps nothing gives."""
    async with sqlite_house.stage() as stage, stage.client() as client:
        keys: list[tuple[str, str]] = []
        for who, what in steps:
            if what == "make" and who is not None:
                keys.append((who, await ware(client, f"ware {len(keys)}", who=who)))
            elif keys and what == "open":
                await client.patch(f"{LIST}/{keys[-1][1]}", json={"is_public": True}, headers=as_(keys[-1][0]))
            elif keys and what == "drop":
                maker, key = keys.pop(0)
                await client.delete(f"{LIST}/{key}", headers=as_(maker))
            else:
                await _same_without_cache(stage, client, who, [key for _, key in keys])


async def test_H01_a_key_without_the_caller_would_be_caught(stage: Stage, client: Client) -> None:
    await ware(client, "hers")
    whole = Remembered._key

    def shared_by_all(self: Remembered, request: Request, viewer: Principal) -> str:
        return whole(self, request, Principal())

    with mock.patch.object(Remembered, "_key", shared_by_all):
        await _same_without_cache(stage, client, "ada", [])
        with pytest.raises(AssertionError):
            await _same_without_cache(stage, client, "bob", [])


async def _same_without_cache(stage: Stage, client: Client, who: str | None, keys: list[str]) -> None:
    headers = as_(who) if who else {}
    paths = [f"{LIST}?count=true", DEAR, "/v1/own/wares", *(f"{LIST}/{key}" for key in keys[:1])]
    kept = [await client.get(path, headers=headers) for path in paths]
    traffic = stage.app.state.freehold.traffic
    answers, traffic.answers = traffic.answers, None
    try:
        made = [await client.get(path, headers=headers) for path in paths]
    finally:
        traffic.answers = answers
    for path, one, other in zip(paths, kept, made, strict=True):
        shown, true = one.json(), other.json()
        for told in (shown, true):
            told.pop("next_cursor", None)  # of a shared page it is everyone's
            told.pop("request_id", None)
            told.pop("instance", None)
            told.pop("caller", None)  # an endpoint of one's own is told of a caller without an id
        assert (one.status_code, shown) == (other.status_code, true), (who, path)


async def test_no_answer_from_before_a_commit_is_given_after_it(database_url: str, tmp_path: Path) -> None:
    """A reader that began before a commit ends after it: what it read is told to it, and to nobody who came later."""
    KIOSK.clear()
    async with (
        opened(make(database_url, tmp_path)) as house,
        house.stage(isolate=False) as stage,
        stage.client() as client,
    ):
        await ware(client, "lamp", is_public=True)
        KIOSK.gate = asyncio.Event()
        early = asyncio.create_task(client.get(DEAR))
        await KIOSK.began.wait()
        await ware(client, "vase", is_public=True)
        late = asyncio.create_task(client.get(DEAR))
        await asyncio.sleep(0.01)
        KIOSK.gate.set()
        assert (await early).json()["names"] == ["lamp"]
        assert (await late).json()["names"] == ["lamp", "vase"]
        assert await names(client, DEAR) == ["lamp", "vase"]
        writers = [ware(client, f"w{number}", is_public=True) for number in range(5)]
        readers = [_never_behind(client, number) for number in range(2)]
        await asyncio.gather(*writers, *readers)


async def _never_behind(client: Client, number: int) -> None:
    for step in range(3):
        name = f"r{number}-{step}"
        await ware(client, name, is_public=True)
        assert name in (await client.get(f"{LIST}?limit=100")).text


async def needs_ada(db: Any, actor: Maker) -> Told:
    return Told(names=[])


async def test_wrong_declarations_stop_the_start(tmp_path: Path) -> None:
    def built(resource: Resource) -> Freehold:
        settings = make(f"sqlite+aiosqlite:///{tmp_path}/t.db", tmp_path).settings
        return Freehold(resource, settings=settings)

    everyone = Access(read=anyone)
    shared = Resource(Maker, access=everyone)
    shared.overview("x", needs_ada, returns=Told, cache=Cache(seconds=5))
    with pytest.raises(ConfigurationError, match=r"kiosk-makers: 'x'.*per_caller"):
        built(shared)
    rowless = Resource(Maker, access=everyone)
    rowless.overview("x", needs_ada, returns=Told, access=owner("id"))
    with pytest.raises(ConfigurationError, match="no single row"):
        built(rowless)
    for wrong in ({"seconds": 0}, {"seconds": 5, "client_seconds": 9}, {"seconds": 5, "vary": ["Cookie"]}):
        with pytest.raises(ConfigurationError, match="Cache"):
            Cache(**wrong)
    router = Router()
    with pytest.raises(ConfigurationError, match="of a GET can be kept"):
        router.post("/x", dependencies=[allow(signed_in, cache=Cache(seconds=5))])(lambda: None)


async def test_H02_several_processes_keep_no_answers_and_say_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    app = make("postgresql+asyncpg://nobody@127.0.0.1:1/nothing", tmp_path, workers=2)
    assert app.traffic.answers is None
    logs.configure(style="json", level="warning")
    warn_of_unkept(app.mounted, app.settings)
    logs._State.sink.flush()
    assert "answers_not_kept" in capsys.readouterr().err
