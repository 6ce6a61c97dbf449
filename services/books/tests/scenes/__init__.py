"""What the proofs play with. Each feature adds a part: its rows, and from whom they are secret."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from freehold.testing import Scene, Stage

from ..people import People, gather
from .books import books
from .reviews import reviews

Secrets = Mapping[str, Sequence[Any]]

PARTS: list[Callable[[Stage, People], Awaitable[Secrets]]] = [
    books,
    reviews,
    # freehold:scenes  (`freehold add resource` writes above this line)
]


async def seed(stage: Stage) -> Scene:
    """Everybody, everything, and what each may not know of. Say it from the domain: the rules are on trial."""
    people = await gather(stage)
    secrets: dict[str, list[Any]] = {}
    for part in PARTS:
        for name, rows in (await part(stage, people)).items():
            secrets.setdefault(name, []).extend(rows)
    callers = {"me": people.me, "them": people.them, "stranger": people.stranger, "admin": people.admin}
    return Scene(callers=callers, secrets=secrets)
