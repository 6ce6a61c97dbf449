"""What is on the shelves in a test, and what happens to it. All over HTTP, save the jobs."""

from __future__ import annotations

from itertools import count
from typing import Any

from freehold import system
from freehold.testing import Person, Stage

Json = dict[str, Any]
DUNE: Json = {"title": "Dune", "author": "Frank Herbert", "year": 1965, "language": "eng"}
_numbers = count(30112000000000)


async def title(librarian: Person, *, copies: int = 1, **changes: Any) -> Json:
    """A title, and so many copies of it on the shelf."""
    book = await librarian.made("/v1/books", DUNE | changes)
    for _ in range(copies):
        await a_copy(librarian, book["id"])
    return book


async def a_copy(librarian: Person, book_id: str, **changes: Any) -> Json:
    return await librarian.made("/v1/copies", {"book_id": book_id, "barcode": str(next(_numbers))} | changes)


async def rule(librarian: Person, **settings: Any) -> Json:
    return await librarian.made("/v1/circulation-rules", settings)


async def lent(patron: Person, book_id: str) -> Json:
    return await patron.made("/v1/loans", {"book_id": book_id})


async def held(patron: Person, book_id: str, **more: Any) -> Json:
    return await patron.made("/v1/holds", {"book_id": book_id} | more)


async def returned(patron: Person, loan: Json) -> Json:
    return await patron.made(f"/v1/loans/{loan['id']}/return")


async def run(stage: Stage, job: Any, **arguments: Any) -> None:
    """Run a job here and now, as the workers would."""
    async with stage.database.writing(system("a job of the tests")) as unit:
        await job(unit.session, **arguments)


async def letters(stage: Stage, address: str) -> list[str]:
    """The subjects of the letters that are owed to an address, in order."""
    from sqlalchemy import select

    from freehold.jobs import JOBS

    asked = select(JOBS.c.payload).where(JOBS.c.name == "freehold.mail.send").order_by(JOBS.c.id)
    async with stage.database.reading(system("read the letters")) as session:
        found = [row.payload for row in (await session.execute(asked)).all()]
    return [mail["subject"] for mail in found if mail["to"] == address]
