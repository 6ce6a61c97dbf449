"""The faults of Bookly, the tutorial program whose five routes these are: each one absent here (FEATURES 5.1)."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from httpx2 import AsyncClient

from freehold import Freehold
from freehold.contract import compare, read

HOME = Path(__file__).parents[1]
PATH = "/v1/books"
EMMA: dict[str, Any] = {
    "title": "Emma",
    "author": "Jane Austen",
    "year": 1815,
    "publisher": "John Murray",
    "page_count": 474,
    "language": "en",
}


@pytest.fixture
async def emma(me: AsyncClient) -> dict[str, Any]:
    answer = await me.post(PATH, json=EMMA)
    assert answer.status_code == 201
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.anyio
class TestFaults:
    @pytest.mark.parametrize(("field", "value"), [("page_count", 480), ("year", 1816), ("language", None)])
    async def test_a_patch_is_partial(self, me: AsyncClient, emma: dict[str, Any], field: str, value: Any) -> None:
        """Theirs asked for every field and wrote them all; the date of publication could not be changed at all."""
        changed = (await me.patch(f"{PATH}/{emma['id']}", json={field: value})).json()
        assert {name: changed[name] for name in EMMA} == EMMA | {field: value}

    @pytest.mark.parametrize("year", ["1815", "yesterday", 1815.5, 10_000, True])
    async def test_a_date_is_no_text(self, me: AsyncClient, year: Any) -> None:
        refused = await me.post(PATH, json=EMMA | {"year": year})
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/year")

    @pytest.mark.parametrize("pages", [0, -1, 50_001, 10**30])
    async def test_pages_have_bounds(self, me: AsyncClient, pages: int) -> None:
        refused = await me.post(PATH, json=EMMA | {"page_count": pages})
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/page_count")

    async def test_a_list_has_an_end(self, me: AsyncClient) -> None:
        for number in range(21):
            assert (await me.post(PATH, json=EMMA | {"title": f"Emma {number}"})).status_code == 201
        page = (await me.get(PATH)).json()
        assert (len(page["items"]), page["next_cursor"] is None) == (20, False)
        assert (await me.get(PATH, params={"limit": 101})).status_code == 422

    async def test_an_id_is_never_used_again(self, me: AsyncClient, emma: dict[str, Any]) -> None:
        """Theirs was the highest plus one: what was deleted last lent its id to the next."""
        assert (await me.delete(f"{PATH}/{emma['id']}")).status_code == 204
        again = (await me.post(PATH, json=EMMA)).json()["id"]
        assert UUID(again).version == 7
        assert again > emma["id"]
        assert (await me.get(f"{PATH}/{emma['id']}")).status_code == 404

    async def test_the_statuses_are_those_of_the_contract(self, me: AsyncClient) -> None:
        """Their second generation answered 200 to a creation, and 200 with a body to a deletion."""
        made = await me.post(PATH, json=EMMA)
        assert (made.status_code, made.headers["location"]) == (201, f"{PATH}/{made.json()['id']}")
        gone = await me.delete(made.headers["location"])
        assert (gone.status_code, gone.content) == (204, b"")


def test_N05_the_frozen_contract_holds(app: Freehold) -> None:
    findings = compare(read(HOME / "contract.json"), app.openapi())
    assert [each.what for each in findings if each.fails] == []


def test_no_secret_and_no_database_lies_beside_the_code() -> None:
    found = {path.name for path in HOME.rglob("*") if path.suffix in {".db", ".sqlite3"} or path.name == ".env"}
    assert found == set()
