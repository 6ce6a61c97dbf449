"""`/v1/reviews`: what may be sent, and who may do what."""

from __future__ import annotations

from typing import Any

import pytest
from httpx2 import AsyncClient

from freehold.testing import Stage

from ..books.models import Book
from .people import People

pytestmark = pytest.mark.anyio
PATH = "/v1/reviews"


@pytest.fixture
async def draft(stage: Stage, people: People) -> dict[str, Any]:
    """What may be sent; what it points to is there."""
    book = await stage.make(Book, owner_id=people.me.id)
    return {
        "body": "Some text\nover two lines",
        "rating": 3,
        "book_id": str(book.id),
    }


async def made(person: AsyncClient, draft: dict[str, Any]) -> str:
    """The path of one that somebody has made."""
    answer = await person.post(PATH, json=draft)
    assert answer.status_code == 201, answer.text
    return f"{PATH}/{answer.json()['id']}"


async def count(person: AsyncClient) -> int:
    answer = await person.get(PATH)
    assert answer.status_code == 200, answer.text
    return len(answer.json()["items"])


async def test_what_is_sent_is_kept(me: AsyncClient, draft: dict[str, Any], people: People) -> None:
    kept = (await me.get(await made(me, draft))).json()
    assert {name: kept[name] for name in draft} == draft
    assert kept["owner_id"] == str(people.me.id)


async def test_a_review_of_a_draft_is_its_writers_alone(
    me: AsyncClient, stranger: AsyncClient, client: AsyncClient, draft: dict[str, Any]
) -> None:
    path = await made(me, draft)
    assert (await me.patch(path, json={"rating": 4})).json()["rating"] == 4
    for other in (stranger, client):
        assert (await other.get(path)).status_code == 404
        assert await count(other) == 0


async def test_a_review_of_a_published_book_is_for_everyone(
    me: AsyncClient, stranger: AsyncClient, client: AsyncClient, draft: dict[str, Any]
) -> None:
    path = await made(me, draft)
    assert (await me.put(f"/v1/books/{draft['book_id']}/publication")).status_code == 200
    assert (await client.get(f"/v1/books/{draft['book_id']}/reviews")).json()["items"][0]["rating"] == 3
    assert (await client.get(path, params={"expand": "book"})).json()["book"]["id"] == draft["book_id"]
    assert (await stranger.patch(path, json={"rating": 1})).status_code == 403


async def test_one_review_for_each_reader_and_book(me: AsyncClient, draft: dict[str, Any]) -> None:
    await made(me, draft)
    refused = await me.post(PATH, json=draft)
    assert (refused.status_code, refused.json()["code"]) == (409, "books.reviewed")


async def test_one_has_to_sign_in_to_make_one(client: AsyncClient, draft: dict[str, Any]) -> None:
    assert (await client.post(PATH, json=draft)).status_code == 401


async def test_what_is_deleted_is_gone(me: AsyncClient, draft: dict[str, Any]) -> None:
    path = await made(me, draft)
    assert (await me.delete(path)).status_code == 204
    assert (await me.get(path)).status_code == 404


@pytest.mark.parametrize(
    "wrong",
    [
        {"body": ""},
        {"rating": "three"},
        {"rating": 6},
        {"book_id": "0190b0a0-0000-7000-8000-000000000000"},
        {"id": "0190b0a0-0000-7000-8000-000000000000"},
    ],
)
async def test_what_does_not_fit_is_refused(me: AsyncClient, draft: dict[str, Any], wrong: dict[str, Any]) -> None:
    refused = await me.post(PATH, json=draft | wrong)
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == f"/{next(iter(wrong))}"
