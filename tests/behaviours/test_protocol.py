"""The protocol of resources where one request is not enough to show it, on both databases (groups X, I, Z, N, V)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from services.imba.tests.conftest import postgres
from tests.waiting import PATIENCE_SECONDS
from tests.web.shelf import as_, make, served

from freehold import Freehold
from freehold.resource import clock

pytestmark = pytest.mark.anyio
Client = httpx2.AsyncClient
NEVER = "/v1/shelves/01a1fd92-9cbf-7151-8e01-dc9ad8489d6d"


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def app(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Freehold]:
    folder = tmp_path_factory.mktemp("protocol")
    if request.param == "sqlite":
        yield make(f"sqlite+aiosqlite:///{folder}/shelves.db", folder)
        return
    with postgres() as url:
        yield make(url, folder)


@pytest.fixture(scope="module")
async def client(app: Freehold) -> AsyncIterator[Client]:
    async with served(app) as found:
        yield found


@pytest.fixture
def later() -> Iterator[Any]:
    """Moves the clock of the process."""

    def move(**by: float) -> None:
        at = clock.now() + timedelta(**by)
        clock.set_source(lambda: at)

    yield move
    clock.set_source(None)


async def add(client: Client, name: str = "first", *, by: str = "ada", **more: Any) -> httpx2.Response:
    answer = await client.post("/v1/shelves", json={"name": name, **more}, headers=as_(by))
    assert answer.status_code == 201, answer.text
    return answer


def links(answer: httpx2.Response) -> dict[str, str]:
    return {rel: address for address, rel in re.findall(r'<([^>]+)>; rel="(\w+)"', answer.headers.get("link", ""))}


class TestPages:
    async def test_N02_rows_that_stay_appear_once_while_others_come_and_go(self, client: Client) -> None:
        run = uuid4().hex[:12]
        made = [(await add(client, f"{run} {n:02}")).json()["id"] for n in range(12)]
        address = "/v1/shelves?sort=created_at&limit=3"
        seen: list[str] = []
        turned = []
        while address:
            page = await client.get(address, headers=as_("ada"))
            assert page.status_code == 200, page.text
            seen += [row["id"] for row in page.json()["items"] if row["name"].startswith(run)]
            turned.append(page)
            found = links(page)
            assert found["first"].startswith(("/", "http")) and ("prev" in found) == (len(turned) > 1)
            assert ("next" in found) == (page.json()["next_cursor"] is not None)
            address = found.get("next", "")
            if len(turned) == 2:  # one that was shown and one that was not go, and one comes
                for gone in (made[0], made[9]):
                    await client.delete(f"/v1/shelves/{gone}", headers=as_("ada"))
                made.append((await add(client, f"{run} new")).json()["id"])
        stayed = [key for key in made if key not in (made[0], made[9])]
        assert [key for key in seen if key in stayed] == stayed
        assert len(seen) == len(set(seen))
        back = await client.get(links(turned[2])["prev"], headers=as_("ada"))
        assert back.status_code == 200
        assert {row["id"] for row in back.json()["items"]} & {row["id"] for row in turned[1].json()["items"]}
        first = await client.get(links(turned[-1])["first"], headers=as_("ada"))
        assert "prev" not in links(first) and first.status_code == 200

    async def test_Z03_a_cursor_of_one_caller_is_useless_to_another(self, client: Client) -> None:
        for n in range(3):
            await add(client, f"p{n}", is_public=True)
        address = links(await client.get("/v1/shelves?limit=1", headers=as_("ada")))["next"]
        assert (await client.get(address, headers=as_("ada"))).status_code == 200
        for other in ({}, as_("bob"), as_("staff")):
            assert (await client.get(address, headers=other)).status_code == 400


class TestConditions:
    async def test_X01_the_tag_changes_with_the_representation_and_only_with_it(self, client: Client) -> None:
        made = await add(client, note="n")
        path, tag = made.headers["location"], made.headers["etag"]
        await client.post(path + "/things", json={"title": "beside it"}, headers=as_("ada"))
        assert [(await client.get(path, headers=as_("ada"))).headers["etag"] for _ in range(3)] == [tag] * 3
        assert (await client.get(path, headers=as_("staff"))).headers["etag"] == tag, "the same view"
        changed = await client.patch(path, json={"name": "second"}, headers=as_("ada"))
        assert changed.headers["etag"] != tag and not changed.headers["etag"].startswith("W/")

    async def test_X01_the_tag_is_the_same_from_every_worker(self, client: Client, app: Freehold) -> None:
        made = await add(client)
        other = make(app.settings.database_url, app.settings.var_dir)
        async with served(other) as elsewhere:
            read = await elsewhere.get(made.headers["location"], headers=as_("ada"))
        assert (read.headers["etag"], read.content) == (made.headers["etag"], made.content)

    async def test_X02_a_star_on_nothing_changes_nothing(self, client: Client) -> None:
        for method in ("PATCH", "DELETE"):
            body: dict[str, Any] = {"json": {"name": "x"}} if method == "PATCH" else {}
            answer = await client.request(method, NEVER, headers=as_("ada", If_Match="*"), **body)
            # 404 before 412 (ARCHITECTURE 5): a caller who may not know of a row learns nothing from a precondition.
            assert answer.status_code == 404

    async def test_X03_a_precondition_is_judged_after_the_right_and_the_input(self, client: Client) -> None:
        path = (await add(client, is_public=True)).headers["location"]
        for headers, body, status in (
            ({"If-Match": '"9-x"'}, {"name": "x"}, 401),
            (as_("ada", If_Match='"9-x"'), {"name": 5}, 422),
            (as_("bob", If_Match='"9-x"'), {"name": "x"}, 403),
            (as_("ada", If_Match='"9-x"'), {"name": "x"}, 412),
        ):
            assert (await client.patch(path, json=body, headers=headers)).status_code == status


class TestKeys:
    async def test_I01_a_resource_may_ask_for_a_key(self, app: Freehold) -> None:
        strict = make(app.settings.database_url, app.settings.var_dir, require_key=True)
        async with served(strict) as client:
            missing = await client.post("/v1/shelves", json={"name": "x"}, headers=as_("ada"))
            given = await client.post(
                "/v1/shelves", json={"name": "x"}, headers=as_("ada", Idempotency_Key=uuid4().hex)
            )
        assert (missing.status_code, missing.json()["code"]) == (400, "idempotency.key_required")
        assert given.status_code == 201

    async def test_I02_an_answer_is_kept_for_a_day(self, client: Client, later: Any) -> None:
        headers = as_("ada", Idempotency_Key=uuid4().hex)
        first = await client.post("/v1/shelves", json={"name": "x"}, headers=headers)
        later(hours=23, minutes=59)
        again = await client.post("/v1/shelves", json={"name": "x"}, headers=headers)
        assert (again.content, again.headers["idempotent-replayed"]) == (first.content, "true")

    async def test_I03_another_path_body_or_query_is_another_request(self, client: Client) -> None:
        one, two = (await add(client)).headers["location"], (await add(client)).headers["location"]
        headers = as_("ada", Idempotency_Key=uuid4().hex)
        assert (await client.patch(one, json={"name": "x"}, headers=headers)).status_code == 200
        for path, body in ((two, {"name": "x"}), (one, {"name": "y"}), (one + "?a=1", {"name": "x"})):
            assert (await client.patch(path, json=body, headers=headers)).status_code == 422
        assert (await client.get(two, headers=as_("ada"))).json()["name"] == "first"

    async def test_I06_every_refusal_leaves_the_key_free(self, client: Client) -> None:
        path = (await add(client, is_public=True)).headers["location"]
        key = uuid4().hex
        late = uuid4().hex
        json_type = {"Content-Type": "application/json"}
        refusals: list[tuple[int, str, str, dict[str, Any]]] = [
            (400, "POST", "/v1/shelves", {"content": b"{", "headers": as_("ada", Idempotency_Key=key) | json_type}),
            (401, "PATCH", path, {"json": {"name": "x"}, "headers": {"Idempotency-Key": key}}),
            (403, "GET", "/v1/own/names", {"headers": as_("ada", Idempotency_Key=key)}),
            (403, "PATCH", path, {"json": {"name": "x"}, "headers": as_("bob", Idempotency_Key=key)}),
            (404, "PATCH", NEVER, {"json": {"name": "x"}, "headers": as_("ada", Idempotency_Key=key)}),
            (412, "PATCH", path, {"json": {"name": "x"}, "headers": as_("ada", Idempotency_Key=key, If_Match='"9-x"')}),
            (413, "PATCH", path, {"content": b" " * 1_100_000, "headers": as_("ada", Idempotency_Key=key) | json_type}),
            (415, "PATCH", path, {"content": b"x", "headers": as_("ada", Idempotency_Key=key)}),
            (422, "PATCH", path, {"json": {"name": 1}, "headers": as_("ada", Idempotency_Key=key)}),
            (500, "POST", path + "/failure", {"headers": as_("ada", Idempotency_Key=key)}),
        ]
        for status, method, address, sent in refusals:
            assert (await client.request(method, address, **sent)).status_code == status, (status, method)
        for caller in ("ada", "bob"):
            made = await client.post("/v1/shelves", json={"name": late}, headers=as_(caller, Idempotency_Key=key))
            assert (made.status_code, made.json()["name"]) == (201, late)
            assert "idempotent-replayed" not in made.headers


class TestAccess:
    async def test_Z07_who_what_and_hidden_have_their_own_answers(self, client: Client) -> None:
        path = (await add(client)).headers["location"]
        nobody = await client.patch(path, json={"name": "x"})
        wrong = await client.patch(path, json={"name": "x"}, headers=as_("eve"))
        assert (nobody.status_code, wrong.status_code) == (401, 401)
        assert "error" not in nobody.headers["www-authenticate"]
        assert 'error="invalid_token"' in wrong.headers["www-authenticate"]
        role = await client.get("/v1/own/names", headers=as_("ada"))
        assert (role.status_code, role.json()["code"]) == (403, "auth.forbidden")
        assert (await client.patch(path, json={"name": "x"}, headers=as_("bob"))).status_code == 404

    async def test_Z08_another_spelling_is_the_same_rule_or_nothing(self, client: Client) -> None:
        path = (await add(client)).headers["location"]
        key = path.rpartition("/")[2]
        spellings = [
            f"//v1/shelves/{key}", f"/v1//shelves/{key}", f"/v1/./shelves/{key}", f"/v1/x/../shelves/{key}",
            f"/v1/%2e/shelves/{key}", f"/v1/x/%2e%2e/shelves/{key}", f"/v1/shelves%2f{key}", f"/V1/shelves/{key}",
            f"/v1/Shelves/{key}", f"/v1/shelves;x/{key}", f"/v1/shelves/{key};x", f"/v1/shelves/{key}/", f"{path}//",
            f"/v1/shelves/{key.upper()}", f"/v1/shelves/{key}%00", f"/v1/shelves/{key}%20", f"/v1/shelves\\{key}",
            f"/v1/%73helves/{key}", f"/v1/shelves/{key}.json", "/v1/shelves/../own/names", "/v1/own%2fnames",
            "/v1/own/names/", "//v1/own/names", "/v1/OWN/names", "/v1/own/./names", "/v1/own/names;a=b",
        ]  # fmt: skip
        for spelling in spellings:
            for caller in ({}, as_("bob")):
                for method in ("GET", "DELETE", "PATCH"):
                    body: dict[str, Any] = {"json": {"name": "taken"}} if method == "PATCH" else {}
                    url = httpx2.URL("http://localhost", raw_path=spelling.encode())
                    answer = await client.request(method, url, headers=caller, **body)
                    assert answer.status_code in (400, 401, 403, 404, 405), (method, spelling, answer.text)
        assert (await client.get(path, headers=as_("ada"))).json()["name"] == "first"


class TestInput:
    async def test_V04_json_is_sent_whatever_is_accepted(self, client: Client) -> None:
        path = (await add(client)).headers["location"]
        for accepted in ("text/html", "image/png;q=0.1", "application/xml, */*;q=0", "rubbish"):
            answer = await client.get(path, headers=as_("ada", Accept=accepted))
            assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json"), accepted

    async def test_V07_a_page_has_bounds_and_a_cursor_is_whole(self, client: Client) -> None:
        for limit in ("0", "-1", "101", str(10**12), "1.0", "x", ""):
            assert (await client.get(f"/v1/shelves?limit={limit}", headers=as_("ada"))).status_code == 422, limit
        for cursor in ("x", "a" * 500, "%00"):
            assert (await client.get(f"/v1/shelves?cursor={cursor}", headers=as_("ada"))).status_code == 400, cursor
        for query in ("sort=price", "sort=-owner_id", "owner_id=x", "name__gt=x"):
            assert (await client.get(f"/v1/shelves?{query}", headers=as_("ada"))).status_code == 422, query

    async def test_V08_no_long_input_takes_long(self, client: Client) -> None:
        texts = ("a" * 64_000, "%" * 64_000, "a+" * 32_000, "[" * 64_000, "\\" * 64_000, '"' * 64_000, "é" * 32_000)
        for text in texts:
            async with asyncio.timeout(PATIENCE_SECONDS):  # what tries every way to read it takes for ever
                answer = await client.post("/v1/shelves", json={"name": text, "note": text}, headers=as_("ada"))
                read = await client.get("/v1/shelves", params={"name": text[:7_000]}, headers=as_("ada"))
            assert answer.status_code == 422
            assert read.status_code in (200, 414, 422)

    async def test_V09_numbers_stay_whole(self, client: Client) -> None:
        for number in ("9223372036854775808", "1.5", "1.0", "1e3", "-9223372036854775809", '"7"', "true", "1" * 90):
            content = f'{{"name": "x", "price": {number}}}'.encode()
            answer = await client.post(
                "/v1/shelves", content=content, headers=as_("staff", Content_Type="application/json")
            )
            assert answer.status_code == 422, number
        for price in (-(2**31), 0, 2**31 - 1):
            assert (await add(client, by="staff", price=price)).json()["price"] == price

    async def test_V04_head_answers_as_get_without_a_body(self, client: Client) -> None:
        path = (await add(client)).headers["location"]
        got, asked = [await client.request(method, path, headers=as_("ada")) for method in ("GET", "HEAD")]
        assert (asked.status_code, asked.content) == (200, b"")
        assert asked.headers["etag"] == got.headers["etag"]
        assert asked.headers["content-length"] == got.headers["content-length"]


async def test_I04_the_answers_of_fifty_at_once_are_identical(client: Client) -> None:
    headers = as_("ada", Idempotency_Key=uuid4().hex)
    answers = await asyncio.gather(
        *(client.post("/v1/shelves", json={"name": "once"}, headers=headers) for _ in range(50))
    )
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.content for answer in answers if answer.status_code == 201}) == 1
