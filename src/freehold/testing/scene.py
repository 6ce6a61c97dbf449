"""What a proof plays with: people, rows, and who may not know of what."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from sqlalchemy import select

from freehold.resource.principal import ANONYMOUS, Principal, system
from freehold.testing.stage import Stage

if TYPE_CHECKING:
    from freehold.web.bound import Bound

NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Scene:
    """Made by a seed. Say what is secret from the domain, not from the rules: the rules are what is on trial.

    callers: by name; `nobody`, who is not signed in, is there without being named.
    secrets: name of a caller -> rows that it may not know of. Rows that point to them have to be named as well.
    cells: name of a caller -> (row, attribute) pairs: rows that it may read, save this field.
    """

    callers: Mapping[str, Principal]
    secrets: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    cells: Mapping[str, Sequence[tuple[Any, str]]] = field(default_factory=dict)

    def caller(self, name: str) -> Principal:
        """The principal of a name. Raises KeyError for one that the scene does not have."""
        return ANONYMOUS if name == NOBODY else self.callers[name]


Seed: TypeAlias = Callable[[Stage], Awaitable[Scene]]


@dataclass(frozen=True, slots=True)
class Rows:
    """Every row of every resource, read past all rules."""

    by_bound: Mapping[Any, Sequence[Any]]

    def of(self, bound: Bound) -> Sequence[Any]:
        """The rows of one resource, oldest key first."""
        return self.by_bound[bound]


async def read_rows(stage: Stage) -> Rows:
    """Read them, as they stand now."""
    found: dict[Any, Sequence[Any]] = {}
    async with stage.database.reading(system("a proof looks at everything")) as session:
        for bound in stage.app.mounted.bounds:
            found[bound] = (await session.scalars(select(bound.model).order_by(bound.key))).all()
    return Rows(found)
