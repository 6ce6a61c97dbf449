"""What an operation has to ask before it can answer, where that is one question."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from starlette.responses import Response
from starlette.types import Scope

from freehold.resource.principal import Principal
from freehold.store.fetched import Fetched
from freehold.store.questions import Responder
from freehold.web.compiled.door import Door
from freehold.web.runtime import Runtime

Otherwise = Callable[[Exception | None], Awaitable[Response]]
"""Answers with waiting. Given the error of the question, where it was asked."""
DirectQuestion = tuple[Responder, list[Any], Callable[[Fetched], Response], Otherwise]
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
