"""What an operation has to ask before it can answer, where that is one question."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from starlette.responses import Response
from starlette.types import Scope

from freehold.resource.principal import Principal
from freehold.store.read_path import Answer
from freehold.web.compiled.door import Door
from freehold.web.runtime import Runtime


class Asked(Protocol):
    """Who is asked a question, and told to whoever asked without a task that waits."""

    def ask(self, values: list[Any], answer: Answer, /) -> None:
        """Have it answered, never before this returns."""
        ...

    def leave(self, answer: Answer, /) -> asyncio.Task[Any] | None:
        """Nobody waits for the answer any more. What has to be over before anybody may be told of that."""
        ...

    def rows(self, found: Any, /) -> Any:
        """What was found, for what makes the answer of it."""
        ...

    def fault(self, error: Exception, /) -> Exception | None:
        """What an error means to whoever asked; None where the question is as good as not asked."""
        ...


Otherwise = Callable[[Exception | None], Awaitable[Response]]
"""Answers with waiting. Given the error of the question, where it was asked."""
DirectQuestion = tuple[Asked, list[Any], Callable[[Any], Response], Otherwise]
"""The question of one request: whom to ask, its values, what makes the answer of the rows or raises what the operation raises,
and what answers where the question was not."""


class DirectOperation(Protocol):
    """An operation that may have one question alone. body: of a request that came whole; empty where it has none."""

    door: Door

    def may_be_direct(self, parts: Runtime, scope: Scope, body: bytes) -> bool:
        """Whether it is worth asking for its question. May raise what is refused before anything is counted."""
        ...

    def question(self, parts: Runtime, scope: Scope, principal: Principal, body: bytes) -> DirectQuestion | Otherwise:
        """Its question, of a caller who was let in; what answers, where it takes more. Raises what the operation raises."""
        ...
