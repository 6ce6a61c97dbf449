"""What bodies of requests have in common, and the change that is nothing but its moment."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from freehold.resource import clock
from freehold.resource.values import Prose, not_blank

INPUT: Final = ConfigDict(extra="forbid", strict=True)
"""The `model_config` of what clients send: no unknown field, no number out of text."""


class Reason(BaseModel):
    """Why it was decided so. The other side reads it."""

    model_config = INPUT

    reason: Annotated[Prose, Field(min_length=1, max_length=500), AfterValidator(not_blank)]


def stamped(column: str) -> Callable[..., Awaitable[Any]]:
    """The function of a state change that keeps when it first happened, as `action("reading", …)` of a notice does.

    column: an instant that may be NULL. Without effect on a row that has one.
    """

    async def stamp(_db: Any, _actor: Any, row: Any) -> Any:
        if getattr(row, column) is None:
            setattr(row, column, clock.now())
        return row

    return stamp
