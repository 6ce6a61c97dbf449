"""Refusals that commit: a unit returns them, for what it has written down is to stay."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TypeVar

from freehold.errors import Problem

T = TypeVar("T")


async def outcome_of(unit: Awaitable[T | Problem]) -> T:
    """What a unit gave, once it is committed. Raises the Problem that it returned."""
    found = await unit
    if isinstance(found, Problem):
        raise found
    return found
