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
from freehold.store.fetched import Fetched
from freehold.store.prepared import Prepared

M = TypeVar("M")
Listeners = list[Callable[[str], None]]
"""Told of every statement that a path runs, for whoever counts them."""


class Unserved(Exception):
    """This path does not run that read: ask SQLAlchemy's connection."""


class Answer(Protocol):
    """Who waits for rows, as the driver gives them: a future, or whoever answers with them at once."""

    def done(self) -> bool:
        """Whether nobody waits any more."""
        ...

    def set_result(self, found: Sequence[Sequence[Any]], /) -> None:
        """They are there. Raises nothing: others wait for the same statement."""
        ...

    def set_exception(self, error: Exception, /) -> None:
        """They will not come."""
        ...


class PlanReads(Protocol):
    """The reads of one plan in the text of one shape, whose rows come without a task that waits for them."""

    def ask(self, values: list[Any], answer: Answer) -> None:
        """Have a question answered, never before this returns. values: those of the statement, in order."""
        ...

    def leave(self, answer: Answer) -> None:
        """Nobody waits for it any more: what runs for this answer alone is cut short."""
        ...

    def rows(self, found: Sequence[Sequence[Any]]) -> Fetched:
        """What was found, as SQLAlchemy gives it."""
        ...

    def fault(self, error: Exception) -> Exception | None:
        """What an error means to whoever asked; None where the plan is to be fetched."""
        ...


Question = tuple[PlanReads, list[Any]]
"""A plan, bound for a caller: whom to ask, and its values."""


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
