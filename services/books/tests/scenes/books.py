"""Books for the proofs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from freehold.testing import NOBODY, Stage

from ...books.models import Book
from ..people import People


async def books(stage: Stage, people: People) -> Mapping[str, Sequence[Any]]:
    """A published book, which is no secret, and a draft of each owner, which is one to all others."""
    await stage.make(Book, owner_id=people.me.id, title="Emma", author="Jane Austen", year=1815, is_published=True)
    mine = await stage.make(Book, owner_id=people.me.id, title="Sanditon", author="Jane Austen", year=1817)
    theirs = await stage.make(Book, owner_id=people.them.id, title="Hyperion", author="John Keats", year=1819)
    return {"me": [theirs], "them": [mine], "stranger": [mine, theirs], NOBODY: [mine, theirs]}
