"""The protocol of declared resources, on both databases (groups X, I, V, Z, N)."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest
from sqlalchemy import func, select

from freehold import Freehold, system
from freehold.resource.principal import Principal
from freehold.store.audit import AUDIT
from freehold.store.idempotency import IDEMPOTENCY, Claim
from tests.web.shelf import BOB, Shelf, as_, make

pytestmark = pytest.mark.anyio
Client = httpx2.AsyncClient


@pytest.fixture(scope="module")
def app(module_database: str, tmp_path_factory: pytest.TempPathFactory) -> Freehold:
    return make(module_database, tmp_path_factory.mktemp("var"))


async def add(client: Client, name: str = "first", *, by: str = "ada", **more: Any) -> httpx2.Response:
    answer = await client.post("/v1/shelves", json={"name": name, **more}, headers=as_(by))
    assert answer.status_code == 201, answer.text
    return answer


async def count(app: Freehold, table: Any = Shelf) -> int:
    async with app.database.reading(system("count in a test")) as session:
        return int(await session.scalar(select(func.count()).select_from(table)) or 0)


class TestCreate:
    async def test_N04_201_has_a_location_that_reads_back_byte_for_byte(self, client: Client) -> None:
        made = await add(client, note="quiet")
        read = await client.get(made.headers["location"], headers=as_("ada"))
        assert read.status_code == 200
        assert (read.content, read.headers["etag"]) == (made.content, made.headers["etag"])

    async def test_the_owner_is_set_by_the_server(self, client: Client) -> None:
        refused = await client.post(
            "/v1/shelves", json={"name": "x", "owner_id": "01a1fd92-9cbf-7151-8e01-dc9ad8489d6d"}, headers=as_("ada")
        )
        assert refused.status_code == 422
        assert refused.json()["errors"][0]["pointer"] == "/owner_id"

    async def test_Z04_a_field_that_the_caller_may_not_set_is_422_and_never_stored(
        self, client: Client, app: Freehold
    ) -> None:
        for field in ("price", "locked", "id", "row_version", "created_at", "role"):
            refused = await client.post("/v1/shelves", json={"name": "x", field: 1}, headers=as_("ada"))
            assert refused.status_code == 422, field
            assert refused.json()["errors"][0]["pointer"] == f"/{field}"
        assert await count(app) == 0
        assert (await add(client, by="staff", price=7)).json()["price"] == 7

    async def test_Z09_a_row_cannot_be_hung_on_another_owners(self, client: Client) -> None:
        shelf = (await add(client)).json()["id"]
        planted = await client.post("/v1/things", json={"shelf_id": shelf, "title": "t"}, headers=as_("bob"))
        never = {"shelf_id": "01a1fd92-9cbf-7151-8e01-dc9ad8489d6d", "title": "t"}
        guessed = await client.post("/v1/things", json=never, headers=as_("bob"))
        assert planted.status_code == guessed.status_code == 422
        assert planted.json()["errors"] == guessed.json()["errors"]

    async def test_Z09_nor_on_a_public_row_that_may_be_read_and_not_written(self, client: Client) -> None:
        shelf = (await add(client, is_public=True)).json()["id"]
        planted = await client.post("/v1/things", json={"shelf_id": shelf, "title": "t"}, headers=as_("bob"))
        assert planted.status_code == 403


class TestOrderOfChecks:
    async def test_400_and_415_come_before_401(self, client: Client) -> None:
        malformed = await client.post("/v1/shelves", content=b"{", headers={"Content-Type": "application/json"})
        assert malformed.status_code == 400
        assert (await client.post("/v1/shelves", content=b"{}")).status_code == 415

    async def test_401_before_422_and_403_before_404(self, client: Client) -> None:
        assert (await client.post("/v1/shelves", json={"nonsense": 1})).status_code == 401
        missing = "/v1/own/names"
        assert (await client.get(missing, headers=as_("ada"))).status_code == 403

    async def test_422_before_404_before_412(self, client: Client) -> None:
        never = "/v1/shelves/01a1fd92-9cbf-7151-8e01-dc9ad8489d6d"
        stale = as_("ada", If_Match='"9-x"')
        assert (await client.patch(never, json={"nonsense": 1}, headers=stale)).status_code == 422
        assert (await client.patch(never, json={"name": "x"}, headers=stale)).status_code == 404

    async def test_Z02_a_hidden_row_and_one_that_never_was_are_the_same_answer(self, client: Client) -> None:
        hidden = (await add(client)).headers["location"]
        never = "/v1/shelves/01a1fd92-9cbf-7151-8e01-dc9ad8489d6d"
        for method, path, body in (
            ("GET", "", None),
            ("PATCH", "", {"name": "x"}),
            ("DELETE", "", None),
            ("POST", "/lock", {"reason": "x"}),
            ("GET", "/size", None),
            ("GET", "/things", None),
            ("POST", "/things", {"title": "x"}),
        ):
            headers = as_("bob", X_Request_ID="same")
            one = await client.request(method, hidden + path, json=body, headers=headers)
            two = await client.request(method, never + path, json=body, headers=headers)
            assert one.status_code == two.status_code == 404, (method, path)
            assert one.content == two.content

    async def test_403_where_the_row_may_be_read_and_this_not_done(self, client: Client) -> None:
        public = (await add(client, is_public=True)).headers["location"]
        assert (await client.get(public, headers=as_("bob"))).status_code == 200
        assert (await client.patch(public, json={"name": "x"}, headers=as_("bob"))).status_code == 403
        assert (await client.delete(public, headers=as_("bob"))).status_code == 403
        assert (await client.post(public + "/lock", json={"reason": "x"}, headers=as_("bob"))).status_code == 403


class TestFieldRules:
    async def test_Z05_a_field_is_shown_row_by_row_as_its_rule_says(self, client: Client) -> None:
        public = await add(client, note="mine", is_public=True)
        assert public.json()["note"] == "mine"
        assert "note" not in (await client.get(public.headers["location"], headers=as_("bob"))).json()
        assert "note" not in (await client.get(public.headers["location"])).json()
        await add(client, by="bob", note="his")
        listed = (await client.get("/v1/shelves?sort=created_at", headers=as_("bob"))).json()["items"]
        assert [item.get("note") for item in listed] == [None, "his"]

    async def test_Z05_a_filter_on_it_is_422_for_whom_it_may_be_hidden(self, client: Client) -> None:
        assert (await client.get("/v1/shelves?note=mine", headers=as_("bob"))).status_code == 422
        assert (await client.get("/v1/shelves?note=mine", headers=as_("staff"))).status_code == 200


class TestConditional:
    async def test_X01_if_none_match_is_304_without_a_body(self, client: Client) -> None:
        made = await add(client)
        tag, path = made.headers["etag"], made.headers["location"]
        for header in (tag, f"W/{tag}", f'"x", {tag}', "*"):
            answer = await client.get(path, headers=as_("ada", If_None_Match=header))
            assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", tag), header
            assert "Authorization" in answer.headers["vary"]
            assert "cache-control" in answer.headers
        assert (await client.get(path, headers=as_("ada", If_None_Match='"x"'))).status_code == 200

    async def test_X02_a_stale_or_weak_if_match_is_412_and_changes_nothing(self, client: Client) -> None:
        made = await add(client)
        path, tag = made.headers["location"], made.headers["etag"]
        assert (await client.patch(path, json={"name": "two"}, headers=as_("ada", If_Match=tag))).status_code == 200
        for header in (tag, 'W/"2-x"', '"99-x"'):
            answer = await client.patch(path, json={"name": "three"}, headers=as_("ada", If_Match=header))
            assert answer.status_code == 412, header
        assert (await client.get(path, headers=as_("ada"))).json()["name"] == "two"
        assert (await client.patch(path, json={"name": "four"}, headers=as_("ada", If_Match="*"))).status_code == 200
        assert (await client.patch(path, json={}, headers=as_("ada", If_Match="rubbish"))).status_code == 400

    async def test_X02_a_missing_if_match_is_428_where_it_is_asked_for(self, client: Client) -> None:
        shelf = (await add(client)).headers["location"]
        thing = await client.post(shelf + "/things", json={"title": "t"}, headers=as_("ada"))
        path = thing.headers["location"]
        assert (await client.patch(path, json={"title": "u"}, headers=as_("ada"))).status_code == 428
        assert (await client.delete(path, headers=as_("ada"))).status_code == 428
        good = as_("ada", If_Match=thing.headers["etag"])
        assert (await client.delete(path, headers=good)).status_code == 204

    async def test_X03_of_many_writers_with_one_tag_exactly_one_wins(self, real_client: Client) -> None:
        made = await add(real_client)
        headers = as_("ada", If_Match=made.headers["etag"])
        answers = await asyncio.gather(
            *(real_client.patch(made.headers["location"], json={"name": f"n{i}"}, headers=headers) for i in range(50))
        )
        codes = [answer.status_code for answer in answers]
        assert (codes.count(200), codes.count(412)) == (1, 49)


class TestMergePatch:
    async def test_X04_null_removes_absent_keeps_required_stays(self, client: Client) -> None:
        path = (await add(client, note="n")).headers["location"]
        kept = await client.patch(path, json={"name": "two"}, headers=as_("ada"))
        assert (kept.json()["name"], kept.json()["note"]) == ("two", "n")
        removed = await client.patch(
            path, content=b'{"note":null}', headers=as_("ada", Content_Type="application/merge-patch+json")
        )
        assert removed.json()["note"] is None
        refused = await client.patch(path, json={"name": None}, headers=as_("ada"))
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/name")


class TestIdempotency:
    @pytest.fixture
    def client(self, real_client: Client) -> Client:
        """A key is held by a lock and kept by a commit: by real ones here."""
        return real_client

    async def test_I01_a_key_is_taken_bare_and_quoted_and_malformed_ones_are_400(self, client: Client) -> None:
        for key in ("", '""', "x" * 256, "with space", '"open'):
            headers = as_("ada", Idempotency_Key=key)
            answer = await client.post("/v1/shelves", json={"name": "x"}, headers=headers)
            assert answer.status_code == 400, key
        bare = await client.post("/v1/shelves", json={"name": "x"}, headers=as_("ada", Idempotency_Key="k"))
        quoted = await client.post("/v1/shelves", json={"name": "x"}, headers=as_("ada", Idempotency_Key='"k"'))
        assert bare.content == quoted.content

    async def test_I02_the_same_request_gives_the_same_answer_and_no_second_effect(
        self, client: Client, app: Freehold
    ) -> None:
        headers = as_("ada", Idempotency_Key="once")
        first = await client.post("/v1/shelves", json={"name": "x", "note": "y"}, headers=headers)
        again = await client.post(
            "/v1/shelves", content=b'{ "note":"y","name":"x" }', headers={**headers, "Content-Type": "application/json"}
        )
        assert (first.status_code, first.content) == (again.status_code, again.content)
        assert first.headers["location"] == again.headers["location"]
        assert first.headers["etag"] == again.headers["etag"]
        assert again.headers["idempotent-replayed"] == "true" and "idempotent-replayed" not in first.headers
        assert await count(app) == 1
        assert await count(app, AUDIT) == 1

    async def test_I03_the_same_key_for_another_request_is_422(self, client: Client, app: Freehold) -> None:
        headers = as_("ada", Idempotency_Key="once")
        await client.post("/v1/shelves", json={"name": "x"}, headers=headers)
        other = await client.post("/v1/shelves", json={"name": "y"}, headers=headers)
        assert (other.status_code, other.json()["code"]) == (422, "idempotency.key_reused")
        assert await count(app) == 1

    async def test_I04_fifty_at_once_have_one_effect_and_the_rest_is_told_at_once(
        self, client: Client, app: Freehold
    ) -> None:
        path = (await add(client)).headers["location"]
        headers = as_("ada", Idempotency_Key="slow")
        answers = await asyncio.gather(*(client.post(path + "/slow-lock", headers=headers) for _ in range(50)))
        codes = [answer.status_code for answer in answers]
        assert set(codes) <= {200, 409} and 200 in codes
        assert len({answer.content for answer in answers if answer.status_code == 200}) == 1
        waiting = [answer for answer in answers if answer.status_code == 409]
        assert all(answer.json()["code"] == "idempotency.in_flight" for answer in waiting)
        assert all("retry-after" in answer.headers for answer in waiting)
        assert await count(app, IDEMPOTENCY) == 1

    async def test_I05_two_callers_with_one_key_do_not_meet(self, client: Client, app: Freehold) -> None:
        for name in ("ada", "bob"):
            answer = await client.post("/v1/shelves", json={"name": name}, headers=as_(name, Idempotency_Key="k"))
            assert answer.status_code == 201
            assert answer.json()["name"] == name
        assert await count(app) == 2

    def test_I05_an_application_and_whom_it_acts_for_do_not_meet(self) -> None:
        person, clients = uuid4(), (None, uuid4(), uuid4())
        claims = [Claim("k", Principal(id=person, client_id=client), b"f" * 32) for client in clients]
        assert len({claim.id for claim in claims}) == 3

    async def test_I06_a_refusal_leaves_the_key_free(self, client: Client) -> None:
        headers = as_("ada", Idempotency_Key="k")
        assert (await client.post("/v1/shelves", json={"name": 1}, headers=headers)).status_code == 422
        assert (await client.post("/v1/shelves", json={"name": "x"}, headers=headers)).status_code == 201
        path = (await add(client)).headers["location"]
        locked = as_("ada", Idempotency_Key="l")
        await client.post(path + "/lock", json={"reason": "x"}, headers=as_("ada"))
        assert (await client.post(path + "/lock", json={"reason": "x"}, headers=locked)).status_code == 409
        assert (await client.post(path + "/lock", json={"reason": "y"}, headers=locked)).status_code == 409

    async def test_I08_a_caller_who_lost_the_row_does_not_get_the_stored_answer(
        self, client: Client, app: Freehold
    ) -> None:
        headers = as_("ada", Idempotency_Key="k")
        made = await client.post("/v1/shelves", json={"name": "x"}, headers=headers)
        async with app.database.writing(system("the row goes to another")) as unit:
            shelf = await unit.session.get(Shelf, UUID(made.json()["id"]))
            assert shelf is not None
            shelf.owner_id = BOB
        again = await client.post("/v1/shelves", json={"name": "x"}, headers=headers)
        assert again.status_code == 404

    async def test_I09_a_stored_answer_cannot_be_read_from_a_dump(self, client: Client, app: Freehold) -> None:
        headers = as_("ada", Idempotency_Key="the-key-itself")
        await client.post("/v1/shelves", json={"name": "secret-name"}, headers=headers)
        async with app.database.reading(system("a dump")) as session:
            row = (await session.execute(select(IDEMPOTENCY))).one()
        assert b"secret-name" not in row.sealed and b"the-key-itself" not in row.id + row.sealed


class TestUnitOfWork:
    @pytest.fixture
    def client(self, real_client: Client) -> Client:
        """What is rolled back here is a transaction, not a part of one."""
        return real_client

    async def test_a_failure_leaves_nothing_behind_and_tells_nothing(self, client: Client, app: Freehold) -> None:
        made = await add(client)
        failed = await client.post(made.headers["location"] + "/failure", headers=as_("ada"))
        assert failed.status_code == 500
        assert "broke" not in failed.text and "half" not in failed.text
        assert (await client.get(made.headers["location"], headers=as_("ada"))).content == made.content

    async def test_a_returned_refusal_rolls_back_as_an_exception_does(self, client: Client, app: Freehold) -> None:
        for answer, kept in ((409, 0), (500, 0), (201, 1)):
            sent = await client.post("/v1/own/shelves", json={"name": "x", "answer": answer}, headers=as_("ada"))
            assert sent.status_code == answer
            assert await count(app) == kept
            assert await count(app, AUDIT) == 2 * kept, "its own record, and that of the row"

    async def test_own_endpoints_honour_the_key(self, client: Client, app: Freehold) -> None:
        headers = as_("ada", Idempotency_Key="k")
        first = await client.post("/v1/own/shelves", json={"name": "x"}, headers=headers)
        again = await client.post("/v1/own/shelves", json={"name": "x"}, headers=headers)
        assert first.content == again.content and again.headers["idempotent-replayed"] == "true"
        assert await count(app) == 1

    async def test_Z02_an_own_endpoint_that_finds_no_row_is_404(self, client: Client) -> None:
        shelf = (await add(client)).json()["id"]
        assert (await client.get(f"/v1/own/shelves/{shelf}", headers=as_("ada"))).json() == "first"
        hidden = await client.get(f"/v1/own/shelves/{shelf}", headers=as_("bob"))
        never = await client.get("/v1/own/shelves/01a1fd92-9cbf-7151-8e01-dc9ad8489d6d", headers=as_("bob"))
        assert hidden.status_code == never.status_code == 404

    async def test_Z06_an_own_endpoint_that_forgets_the_rule_is_narrowed(self, client: Client) -> None:
        await add(client, "one")
        assert (await client.get("/v1/own/names", headers=as_("staff"))).json() == ["one"]


class TestNestedAndExpanded:
    async def test_a_nested_collection_takes_its_parent_from_the_path(self, client: Client) -> None:
        shelf = await add(client)
        path = shelf.headers["location"] + "/things"
        made = await client.post(path, json={"title": "one"}, headers=as_("ada"))
        assert made.status_code == 201
        assert made.json()["shelf_id"] == shelf.json()["id"]
        given = await client.post(path, json={"title": "one", "shelf_id": shelf.json()["id"]}, headers=as_("ada"))
        assert given.status_code == 422
        assert [thing["title"] for thing in (await client.get(path, headers=as_("ada"))).json()["items"]] == ["one"]

    async def test_relations_are_expanded_both_ways_under_their_own_rules(self, client: Client) -> None:
        shelf = await add(client, is_public=True)
        path = shelf.headers["location"]
        made = await client.post(path + "/things", json={"title": "one"}, headers=as_("ada"))
        own = (await client.get(path + "?expand=things", headers=as_("ada"))).json()
        assert [thing["title"] for thing in own["things"]] == ["one"]
        assert (await client.get(path + "?expand=things", headers=as_("bob"))).json()["things"] == []
        thing = (await client.get(made.headers["location"] + "?expand=shelf", headers=as_("ada"))).json()
        assert thing["shelf"]["name"] == "first"

    async def test_a_view_below_a_row(self, client: Client) -> None:
        shelf = (await add(client)).headers["location"]
        await client.post(shelf + "/things", json={"title": "one"}, headers=as_("ada"))
        assert (await client.get(shelf + "/size", headers=as_("ada"))).json() == {"things": 1}


class TestInput:
    async def test_V06_unknown_parameters_are_422_everywhere(self, client: Client) -> None:
        path = (await add(client)).headers["location"]
        for method, address, body in (
            ("GET", "/v1/shelves?nonsense=1", None),
            ("GET", path + "?nonsense=1", None),
            ("PATCH", path + "?nonsense=1", {"name": "x"}),
            ("POST", "/v1/shelves?nonsense=1", {"name": "x"}),
            ("POST", path + "/lock?nonsense=1", {"reason": "x"}),
            ("GET", path + "/size?nonsense=1", None),
            ("DELETE", path + "?nonsense=1", None),
        ):
            answer = await client.request(method, address, json=body, headers=as_("ada"))
            assert answer.status_code == 422, (method, address)
            assert answer.json()["errors"][0]["parameter"] == "nonsense"

    async def test_V05_a_key_that_is_none_is_404(self, client: Client) -> None:
        for key in ("1", "x", "01a1fd92", "%00", "🙂", "a" * 500, "01A1FD92-9CBF-7151-8E01-DC9AD8489D6D "):
            assert (await client.get(f"/v1/shelves/{key}", headers=as_("ada"))).status_code == 404, key

    async def test_N04_delete_twice_is_204_then_404(self, client: Client) -> None:
        path = (await add(client)).headers["location"]
        assert [(await client.delete(path, headers=as_("ada"))).status_code for _ in range(2)] == [204, 404]

    async def test_an_action_without_a_body_refuses_one(self, client: Client) -> None:
        path = (await add(client)).headers["location"]
        assert (await client.post(path + "/failure", json={"x": 1}, headers=as_("ada"))).status_code == 422
