"""Several writes in one commit: bulk on one resource, batches over several. Never a way round a check."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from sqlalchemy import func, select
from tests.transfer.store import Item, Order, OrderLine
from tests.web.shelf import ADA, BOB, ByName, as_

from freehold import Access, Freehold, Resource, signed_in, system
from freehold.settings import Settings
from freehold.store import AUDIT
from freehold.testing import Stage, running
from freehold.traffic import Limits, per_minute

pytestmark = pytest.mark.anyio
SYSTEM = system("a test looks")


async def post(
    stage: Stage, path: str, body: Any, who: str | None = "staff", method: str = "POST", **headers: str
) -> httpx2.Response:
    async with stage.client() as client:
        return await client.request(method, path, json=body, headers=(as_(who) if who else {}) | headers)


async def count(stage: Stage, model: Any) -> int:
    async with stage.database.reading(SYSTEM) as session:
        return int(await session.scalar(select(func.count()).select_from(model)) or 0)


def items(*names: str) -> dict[str, Any]:
    return {"items": [{"sku": name, "title": name.title()} for name in names]}


class TestBulk:
    async def test_rows_are_created_and_changed_all_or_none(self, both: Stage) -> None:
        made = await post(both, "/v1/items/batch", items("a", "b"))
        assert made.status_code == 201, made.text
        assert [item["sku"] for item in made.json()["items"]] == ["a", "b"]
        first, second = made.json()["items"]
        async with both.client() as client:
            shown = await client.get(f"/v1/items/{first['id']}", headers=as_("staff"))
        assert (shown.json(), shown.headers["etag"]) == (first, made.json()["etags"][0])
        taken = await post(both, "/v1/items/batch", items("c", "a"))
        assert (taken.status_code, taken.json()["item"]) == (409, 1)
        assert await count(both, Item) == 2
        changes = [
            {"id": first["id"], "if_match": made.json()["etags"][0], "changes": {"title": "One"}},
            {"id": second["id"], "changes": {"title": "Two"}},
        ]
        changed = await post(both, "/v1/items/batch", {"items": changes}, method="PATCH")
        assert [item["title"] for item in changed.json()["items"]] == ["One", "Two"]
        stale = await post(both, "/v1/items/batch", {"items": [changes[1], changes[0]]}, method="PATCH")
        assert (stale.status_code, stale.json()["item"]) == (412, 1)
        async with both.database.reading(SYSTEM) as session:
            told = await session.execute(select(AUDIT.c.action, func.count()).group_by(AUDIT.c.action))
            assert dict(told.all()) == {"items.created": 2, "items.updated": 2}  # type: ignore[arg-type]

    async def test_every_fault_of_every_item_is_named(self, stage: Stage) -> None:
        body = {"items": [{"sku": "a", "title": 1}, {"sku": "b", "title": "B"}, {"title": "C", "colour": 1}]}
        refused = await post(stage, "/v1/items/batch", body)
        assert refused.status_code == 422
        assert [error["pointer"] for error in refused.json()["errors"]] == [
            "/items/0/title",
            "/items/2/sku",
            "/items/2/colour",
        ]
        for wrong in ({"items": []}, items(*"abcdef"), {"items": [1]}, {}, {"items": [], "more": 1}):
            assert (await post(stage, "/v1/items/batch", wrong)).status_code == 422
        change = {"items": [{"id": str(ADA), "changes": {"title": 1}}, {"changes": {}}]}
        refused = await post(stage, "/v1/items/batch", change, method="PATCH")
        assert [error["pointer"] for error in refused.json()["errors"]] == ["/items/1/id"]
        assert await count(stage, Item) == 0

    async def test_Z02_Z04_the_rules_of_rows_and_fields_hold(self, stage: Stage) -> None:
        assert (await post(stage, "/v1/items/batch", items("a"), None)).status_code == 401
        assert (await post(stage, "/v1/items/batch", items("a"), "ada")).status_code == 403
        sold = await post(stage, "/v1/items/batch", {"items": [{"sku": "a", "title": "A", "is_sold": True}]})
        assert (sold.status_code, sold.json()["errors"][0]["pointer"]) == (422, "/items/0/is_sold")
        mine = await stage.make(Order, buyer_id=ADA, label="mine")
        other = await stage.make(Order, buyer_id=BOB, label="other")
        hidden = [
            await post(stage, "/v1/orders/batch", {"items": [
                {"id": str(mine.id), "changes": {"label": "x"}}, {"id": key, "changes": {"label": "x"}}]}, "ada", "PATCH")
            for key in (str(other.id), str(uuid4()), "no-key")
        ]  # fmt: skip
        assert {answer.status_code for answer in hidden} == {404}
        bodies = [{k: v for k, v in answer.json().items() if k not in ("request_id", "instance")} for answer in hidden]
        assert bodies[0] == bodies[1] == bodies[2]
        async with stage.database.reading(SYSTEM) as session:
            assert set(await session.scalars(select(Order.label))) == {"mine", "other"}

    async def test_I02_a_retry_by_key_and_I08_a_right_that_was_lost(self, stage: Stage) -> None:
        key = {"Idempotency-Key": "once"}
        first = await post(stage, "/v1/items/batch", items("a", "b"), **key)
        again = await post(stage, "/v1/items/batch", items("a", "b"), **key)
        assert (again.status_code, again.content) == (201, first.content)
        assert again.headers["idempotent-replayed"] == "true"
        assert (await post(stage, "/v1/items/batch", items("a", "c"), **key)).status_code == 422
        order = await stage.make(Order, buyer_id=ADA, label="mine")
        change = {"items": [{"id": str(order.id), "changes": {"label": "new"}}]}
        assert (await post(stage, "/v1/orders/batch", change, "ada", "PATCH", **key)).status_code == 200
        async with stage.database.writing(SYSTEM) as unit:
            (await unit.session.get_one(Order, order.id)).buyer_id = BOB
        assert (await post(stage, "/v1/orders/batch", change, "ada", "PATCH", **key)).status_code == 404


def step(method: str, path: str, body: Any = None, **more: Any) -> dict[str, Any]:
    return {"method": method, "path": path, **({} if body is None else {"body": body}), **more}


class TestBatch:
    async def test_steps_of_several_resources_refer_to_each_other(self, both: Stage) -> None:
        item = await both.make(Item, sku="a", title="A", is_hidden=False)
        steps = [
            step("POST", "/v1/orders", {"label": "first"}, id="order"),
            step(
                "POST",
                "/v1/order-lines",
                {"order_id": {"$ref": "order#/id"}, "item_id": str(item.id), "count": 2},
                id="line",
            ),
            step("POST", "/v1/orders/{order#/id}/entries", {"item_id": {"$ref": "line#/item_id"}, "count": 1}),
            step("PATCH", "/v1/orders/{order#/id}", {"label": "second"}),
            step("POST", "/v1/orders/{order#/id}/payment", {"coins": 3}),
            step("DELETE", "/v1/order-lines/{line#/id}"),
        ]
        answer = await post(both, "/v1/batch", {"steps": steps}, "ada")
        assert answer.status_code == 200, answer.text
        told = answer.json()["steps"]
        assert [each["status"] for each in told] == [201, 201, 201, 200, 200, 204]
        assert told[0]["location"] == f"/v1/orders/{told[0]['body']['id']}" and told[5]["body"] is None
        assert (told[4]["body"]["label"], told[4]["body"]["is_paid"]) == ("second", True)
        async with both.client() as client:
            shown = await client.get(told[0]["location"], headers=as_("ada"))
        assert (shown.json(), shown.headers["etag"]) == (told[4]["body"], told[4]["etag"])
        assert (await count(both, Order), await count(both, OrderLine)) == (1, 1)

    async def test_a_refused_step_is_named_and_undoes_all(self, stage: Stage) -> None:
        item = await stage.make(Item, sku="a", title="A", is_hidden=False)
        order, paid = (
            step("POST", "/v1/orders", {"label": "x"}, id="order"),
            step("POST", "/v1/orders/{order#/id}/payment", {"coins": 1}),
        )
        line = step("POST", "/v1/orders/{order#/id}/entries", {"item_id": str(item.id), "count": 1})
        tried: list[tuple[list[Any], int, Any, str]] = [
            ([order, paid, paid | {"id": "again"}], 409, "again", ""),
            ([order, line, line, line, line], 409, 4, ""),
            ([order, step("POST", "/v1/orders", {"label": 1})], 422, 1, "/steps/1/body/label"),
            ([order, step("POST", "/v1/orders", {"label": {"$ref": "nobody#/id"}})], 422, 1, "/steps/1/body/label"),
            ([order, line | {"body": {"item_id": str(uuid4()), "count": 1}}], 422, 1, "/steps/1/body/item_id"),
            (
                [order, line | {"body": {"item_id": str(item.id), "count": {"$ref": "order#/nothing"}}}],
                422,
                1,
                "/steps/1/body/count",
            ),
            ([order, step("DELETE", "/v1/orders/{order#/id}", if_match='"9-0"')], 412, 1, ""),
            ([order, step("POST", "/v1/items", {"sku": "b", "title": "B"})], 403, 1, ""),
            ([order, step("POST", "/v1/orders")], 422, 1, "/steps/1/body"),
        ]
        for steps, status, at, pointer in tried:
            answer = await post(stage, "/v1/batch", {"steps": steps}, "ada")
            assert (answer.status_code, answer.json()["step"]) == (status, at), answer.text
            assert not pointer or [error["pointer"] for error in answer.json()["errors"]] == [pointer]
            assert (await count(stage, Order), await count(stage, OrderLine)) == (0, 0)

    async def test_Z02_Z04_Z08_it_is_no_way_round(self, stage: Stage) -> None:
        other = await stage.make(Order, buyer_id=BOB, label="other")
        mine = await stage.make(Order, buyer_id=ADA, label="mine")
        hidden = [
            await post(stage, "/v1/batch", {"steps": [step(method, f"/v1/orders/{key}{below}", body)]}, "ada")
            for key in (other.id, uuid4())
            for method, below, body in (
                ("PATCH", "", {"label": "x"}),
                ("DELETE", "", None),
                ("POST", "/payment", {"coins": 1}),
            )
        ]
        assert {answer.status_code for answer in hidden} == {404}
        texts = [{k: v for k, v in answer.json().items() if k not in ("request_id", "instance")} for answer in hidden]
        assert all(text == texts[0] for text in texts)
        for body in ({"buyer_id": str(BOB)}, {"is_paid": True, "id": str(uuid4())}):
            forged = await post(stage, "/v1/batch", {"steps": [step("PATCH", f"/v1/orders/{mine.id}", body)]}, "ada")
            assert forged.status_code == 422
        for path in (
            f"/v1//orders/{mine.id}", f"/v1/./orders/{mine.id}", f"/v1/orders/{mine.id}/", f"/V1/orders/{mine.id}",
            f"/v1/orders/%2e%2e/orders/{mine.id}", f"/v1/orders;x/{mine.id}", f"/v1/orders/{mine.id}?x=1", "/v1/batch",
            f"http://elsewhere/v1/orders/{mine.id}", "/v1/auth/token", "/v1/orders/{mine#/id}{x#/id}",
        ):  # fmt: skip
            answer = await post(stage, "/v1/batch", {"steps": [step("PATCH", path, {"label": "x"})]}, "ada")
            assert answer.status_code == 422, path
            assert answer.json()["errors"][0]["pointer"] == "/steps/0/path"
        assert (
            await post(stage, "/v1/batch", {"steps": [step("POST", "/v1/orders", {"label": "x"})]}, None)
        ).status_code == 401
        grant = [
            step("POST", f"/v1/orders/{mine.id}/payment", {"coins": 1}),
            step("PATCH", f"/v1/orders/{other.id}", {"label": "x"}),
        ]
        assert (await post(stage, "/v1/batch", {"steps": grant}, "ada")).status_code == 404, (
            "an action lends its rule to no other step"
        )
        async with stage.database.reading(SYSTEM) as session:
            assert set(await session.scalars(select(Order.label))) == {"mine", "other"}

    async def test_limits_and_forms(self, stage: Stage) -> None:
        one = step("POST", "/v1/orders", {"label": "x"})
        for wrong in (
            {"steps": []}, {"steps": [one] * 51}, {"steps": [one | {"id": "a"}, one | {"id": "a"}]}, {"steps": [one | {"id": "a b"}]},
            {"steps": [one | {"method": "GET"}]}, {"steps": [one | {"more": 1}]}, {}, {"steps": [one], "atomic": False},
        ):  # fmt: skip
            assert (await post(stage, "/v1/batch", wrong, "ada")).status_code == 422, wrong
        assert (await post(stage, "/v1/batch?x=1", {"steps": [one]}, "ada")).status_code == 422
        async with stage.client() as client:
            assert (
                await client.post("/v1/batch", content=b"{", headers=as_("ada") | {"content-type": "application/json"})
            ).status_code == 400
            document = (await client.get("/openapi.json")).json()
        assert document["paths"]["/v1/batch"]["post"]["requestBody"]["required"]
        assert {"412", "428"} <= document["paths"]["/v1/batch"]["post"]["responses"].keys()
        assert "#/$defs" not in str(document), "every schema is where it is looked for"
        assert "/v1/items/batch" in document["paths"]

    async def test_I02_I08_a_batch_is_retried_as_a_whole(self, stage: Stage) -> None:
        steps = [
            step("POST", "/v1/orders", {"label": "x"}, id="o"),
            step("POST", "/v1/orders/{o#/id}/payment", {"coins": 1}),
        ]
        key = {"Idempotency-Key": "whole"}
        first = await post(stage, "/v1/batch", {"steps": steps}, "ada", **key)
        again = await post(stage, "/v1/batch", {"steps": steps}, "ada", **key)
        assert (first.status_code, again.content, again.headers["idempotent-replayed"]) == (200, first.content, "true")
        assert await count(stage, Order) == 1
        async with stage.database.writing(SYSTEM) as unit:
            (await unit.session.scalars(select(Order))).one().buyer_id = BOB
        lost = await post(stage, "/v1/batch", {"steps": steps}, "ada", **key)
        assert lost.status_code == 404


async def test_R07_each_row_and_each_step_costs_as_one_request(tmp_path: Path) -> None:
    settings = Settings(
        env="test",
        var_dir=tmp_path,
        database_url=f"sqlite+aiosqlite:///{tmp_path}/store.db",
        secret="x" * 40,
        limits="on",
    )
    orders = Resource(
        Order, owner="buyer_id", access=Access(read=signed_in, create=signed_in), limits=Limits(write=per_minute(4))
    )
    app = Freehold(orders.bulk(), settings=settings, authenticator=ByName(), batch=True)
    rows = [{"label": str(number)} for number in range(5)]
    steps = [step("POST", "/v1/orders", row) for row in rows]
    async with running(app) as stage:
        assert (await post(stage, "/v1/orders/batch", {"items": rows[:3]}, "ada")).status_code == 201
        for path, body in (("/v1/orders/batch", {"items": rows[:2]}), ("/v1/batch", {"steps": steps[:2]})):
            refused = await post(stage, path, body, "ada")
            assert (refused.status_code, refused.json()["violated-policies"]) == (429, ["orders-write"])
        assert (await post(stage, "/v1/batch", {"steps": steps[:1]}, "ada")).status_code == 200
        assert (await post(stage, "/v1/batch", {"steps": steps[:1]}, "ada")).status_code == 429
        assert (await post(stage, "/v1/orders/batch", {"items": rows}, "bob")).status_code == 201, (
            "more than there is: all of it"
        )
        assert (await post(stage, "/v1/orders", rows[0], "bob")).status_code == 429
        assert await count(stage, Order) == 9
