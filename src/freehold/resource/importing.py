"""How files become rows of a resource, as `Resource.imports` declares it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from freehold.resource.access import Rule, nobody
from freehold.resource.record import Record


@dataclass(frozen=True, slots=True)
class Importing:
    """How files become rows; see `Resource.imports`."""

    key: Sequence[str] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    clean: Callable[[Record], Mapping[str, Any] | None] | None = None
    ignore_others: bool = False
    access: Rule = nobody
    max_bytes: int = 64 * 1024 * 1024
