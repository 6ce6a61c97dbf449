"""Where a planned read goes when SQLAlchemy need not carry it: to the driver itself, with the rule in its text.

Who asks is among the values of the statement. What a path cannot do (objects, values that change the text, an error of the
driver) it leaves to SQLAlchemy's connection, which has the same rows, or the same error, to give.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from sqlalchemy import Row
from sqlalchemy.engine import Dialect

from freehold.resource.principal import Principal
from freehold.store.executor import Plan
from freehold.store.prepared import Prepared
from freehold.store.questions import Question

M = TypeVar("M")
Listeners = list[Callable[[str], None]]
"""Told of every statement that a path runs, for whoever counts them."""


class Unserved(Exception):
    """This path does not run that read: ask SQLAlchemy's connection."""


class ReadPath(Protocol):
    """Runs plans outside any transaction: each sees the newest commit that its server has."""

    async def fetch(
        self, plan: Plan, params: Mapping[str, Any], *, principal: Principal, dialect: Dialect
    ) -> Sequence[Row[Any]]:
        """All rows of a plan for a caller. dialect: of the caller's shape. Raises Unserved, DeadlineExceeded."""
        ...

    def question(
        self, plan: Plan, params: Mapping[str, Any], *, principal: Principal, dialect: Dialect
    ) -> Question | None:
        """The same, to be asked without waiting; None for what has to be fetched. Raises Unserved.

        It notes no tables (`touched`): whoever listens to what a caller has read waits for it in a task.
        """
        ...

    async def close(self) -> None:
        """Give its connections back."""
        ...


def kept_for(path: ReadPath, plan: Plan, dialect: Dialect, make: Callable[[Plan, Dialect], M | None]) -> M:
    """What a path makes of a plan for a shape. Raises Unserved where that is nothing.

    Made once, and kept with the plan: clients can make up any number of plans, and it is forgotten with its own.
    """
    place = path, dialect
    if place not in plan.kept:
        plan.kept[place] = make(plan, dialect)
    found: M | None = plan.kept[place]
    if found is None:
        raise Unserved
    return found


def bound_values(prepared: Prepared, params: Mapping[str, Any], principal: Principal) -> list[Any]:
    """The values of a statement. Raises Unserved for what their types refuse: SQLAlchemy says why."""
    try:
        return prepared.bind(params, principal)
    except Exception as error:
        raise Unserved from error
