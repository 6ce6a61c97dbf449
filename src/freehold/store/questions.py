"""Statements that are asked for without a task that waits for each: one may bring what several have asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from freehold.store.fetched import Fetched


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


class Sent(Protocol):
    """A statement that was on its way when somebody left it."""

    async def may_be_done(self) -> bool:
        """Whether it was done all the same, or nobody knows. Waits for its end, however often who waits is cancelled."""
        ...


class Responder(Protocol):
    """Runs one statement for whoever asks, with others who ask for it at the same time where it can."""

    def ask(self, values: list[Any], answer: Answer) -> None:
        """Have a question answered, never before this returns. values: those of the statement, in order."""
        ...

    def leave(self, answer: Answer) -> Sent | None:
        """Nobody waits for it any more, and it says so: what runs for such answers alone is cut short.

        What took it along and may change something; None where nothing did.
        """
        ...

    def rows(self, found: Sequence[Sequence[Any]]) -> Fetched:
        """What was found, as SQLAlchemy gives it."""
        ...

    def fault(self, error: Exception) -> Exception | None:
        """What an error means to whoever asked; None where the question is as good as not asked."""
        ...


Question = tuple[Responder, list[Any]]
"""A statement, bound for a caller: whom to ask, and its values."""
