"""`/v1/books`: keeping, publishing and finding them."""

from __future__ import annotations

from typing import Any

import pytest
from httpx2 import AsyncClient

from freehold.testing import Clock

from .people import People

pytestmark = pytest.mark.anyio
PATH = "/v1/books"
DUNE = {"title": "Dune", "author": "Frank Herbert", "year": 1965}


async def kept(person: AsyncClient, **changes: Any) -> str:
    """The path of a book that somebody has written in."""
    answer = await person.post(PATH, json=DUNE | changes)
    assert answer.status_code == 201, answer.text
    return f"{PATH}/{answer.json()['id']}"


async def titles(person: AsyncClient, query: str = "") -> list[str]:
    answer = await person.get(f"{PATH}{query}")
    assert answer.status_code == 200, answer.text
    return [book["title"] for book in answer.json()["items"]]


async def test_whoever_writes_a_book_in_owns_it(me: AsyncClient, people: People) -> None:
    book = (await me.get(await kept(me))).json()
    assert (book["title"], book["owner_id"], book["is_published"]) == ("Dune", str(people.me.id), False)


async def test_one_has_to_sign_in_to_keep_books(client: AsyncClient) -> None:
    assert (await client.post(PATH, json=DUNE)).status_code == 401


async def test_a_draft_is_its_owners_alone(me: AsyncClient, stranger: AsyncClient, client: AsyncClient) -> None:
    path = await kept(me)
    for other in (stranger, client):
        assert (await other.get(path)).status_code == 404
        assert await titles(other) == []


async def test_everyone_sees_a_published_book_and_only_its_owner_changes_it(
    me: AsyncClient, stranger: AsyncClient, client: AsyncClient
) -> None:
    path = await kept(me)
    assert (await me.put(f"{path}/publication")).json()["is_published"] is True
    assert await titles(client) == ["Dune"]
    assert (await stranger.patch(path, json={"year": 1966})).status_code == 403
    assert (await me.patch(path, json={"year": 1966})).json()["year"] == 1966
    assert (await me.delete(f"{path}/publication")).status_code == 204
    assert await titles(client) == []


async def test_no_book_is_published_before_its_year(me: AsyncClient, clock: Clock) -> None:
    path = await kept(me, year=clock.now().year + 1)
    refused = await me.put(f"{path}/publication")
    assert (refused.status_code, refused.json()["code"]) == (409, "books.not_out_yet")
    clock.advance(days=366)
    assert (await me.put(f"{path}/publication")).status_code == 200


async def test_an_administrator_may_delete_a_book_and_not_rewrite_it(me: AsyncClient, admin: AsyncClient) -> None:
    path = await kept(me)
    assert (await admin.patch(path, json={"title": "Emma"})).status_code == 403
    assert (await admin.delete(path)).status_code == 204
    assert (await me.get(path)).status_code == 404


async def test_books_are_found_sorted_and_paged(me: AsyncClient) -> None:
    await kept(me)
    await kept(me, title="Emma", author="Jane Austen", year=1815)
    await kept(me, title="Persuasion", author="Jane Austen", year=1817)
    assert await titles(me, "?sort=year") == ["Emma", "Persuasion", "Dune"]
    assert await titles(me, "?author__contains=aust&year__gte=1816") == ["Persuasion"]
    assert await titles(me, "?q=herbert") == ["Dune"]
    page = (await me.get(f"{PATH}?sort=title&limit=2")).json()
    assert await titles(me, f"?sort=title&limit=2&cursor={page['next_cursor']}") == ["Persuasion"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"title": ""},
        {"title": None},
        {"year": "1965"},
        {"year": 9999},
        {"page_count": 0},
        {"owner_id": "somebody"},
        {"isbn": "x"},
    ],
)
async def test_what_does_not_fit_is_refused(me: AsyncClient, wrong: dict[str, Any]) -> None:
    refused = await me.post(PATH, json=DUNE | wrong)
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == f"/{next(iter(wrong))}"


async def test_the_same_key_twice_makes_one_book(me: AsyncClient) -> None:
    first, second = [await me.post(PATH, json=DUNE, headers={"Idempotency-Key": "once"}) for _ in range(2)]
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert await titles(me) == ["Dune"]
