"""Reviews for the proofs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from freehold import Principal
from freehold.testing import NOBODY, Stage

from ...books.models import Book
from ...reviews.models import Review
from ..people import People


async def reviews(stage: Stage, people: People) -> Mapping[str, Sequence[Any]]:
    """One of each owner, a secret to all others."""

    async def one(of: Principal) -> Review:
        book = await stage.make(Book, owner_id=of.id)
        return await stage.make(
            Review,
            owner_id=of.id,
            book_id=book.id,
            rating=4,
        )

    mine, theirs = await one(people.me), await one(people.them)
    return {"me": [theirs], "them": [mine], "stranger": [mine, theirs], NOBODY: [mine, theirs]}
