"""What is read most: in SQL over an indexed counter, kept, and never older than the last commit that changed it."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from freehold import system
from freehold.testing import Person, Stage

from .shelves import lent, returned, title

pytestmark = pytest.mark.anyio


async def names(person: Person, which: str) -> list[str]:
    return [book["title"] for book in (await person.get(f"/v1/books/{which}")).json]


async def test_the_ten_most_borrowed_for_everybody_alike(
    ada: Person, ben: Person, librarian: Person, anonymous: Person
) -> None:
    books = [await title(librarian, title=f"Volume {number:02}") for number in range(12)]
    assert await names(anonymous, "popular") == []
    assert await names(anonymous, "new") == [f"Volume {number:02}" for number in range(11, 1, -1)]
    for book in books[:11]:
        await returned(ada, await lent(ada, book["id"]))
    await returned(ben, await lent(ben, books[3]["id"]))
    ranked = await names(anonymous, "popular")
    assert (len(ranked), ranked[0]) == (10, "Volume 03"), "seen by the first request after the commit"
    assert await names(ben, "popular") == await names(librarian, "popular") == ranked
    for _ in range(2):
        await returned(ben, await lent(ben, books[7]["id"]))
    assert (await names(anonymous, "popular"))[:2] == ["Volume 07", "Volume 03"]
    assert (await ada.get("/v1/books/popular?limit=1000000")).status == 422


async def test_is_one_walk_down_an_index(stage: Stage) -> None:
    asked = "SELECT * FROM books WHERE deleted_at IS NULL AND times_borrowed > 0 ORDER BY times_borrowed DESC, id DESC LIMIT 10"
    async with stage.database.reading(system("look at the plan")) as session:
        plan = [row[-1] for row in await session.execute(text(f"EXPLAIN QUERY PLAN {asked}"))]
    assert plan == ["SEARCH books USING INDEX ix_books_popular (times_borrowed>?)"]
