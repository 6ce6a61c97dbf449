"""What an operation has to ask before it can answer, where that is one question."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from sqlalchemy import Row
from starlette.types import Scope

from freehold.resource.principal import Principal
from freehold.store.read_path import PlanReads
from freehold.web.answer import Ready
from freehold.web.compiled.door import Door
from freehold.web.runtime import Runtime

DirectQuestion = tuple[PlanReads, list[Any], Callable[[Sequence[Row[Any]]], Ready]]
"""The question of one request (whom to ask, and its values), and what makes the answer of its rows, or raises what the
operation raises."""


class DirectOperation(Protocol):
    """An operation that may have one question alone."""

    door: Door

    def may_be_direct(self, parts: Runtime, scope: Scope) -> bool:
        """Whether it is worth asking for its question: what is refused before anything is counted has none."""
        ...

    def question(self, parts: Runtime, scope: Scope, principal: Principal) -> DirectQuestion | None:
        """Its question, of a caller who was let in; None where it takes more. Raises what `read` raises."""
        ...

    async def read(self, parts: Runtime, scope: Scope, principal: Principal) -> Ready:
        """The answer for a caller who was let in, whatever that takes."""
        ...
