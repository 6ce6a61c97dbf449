"""A wall: one object of the schema that keeps one rule, and the seal that shows whether it is still the one built."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Table

from freehold.resource.invariants import Invariant

_SEAL = re.compile(r"fh:(?P<rule>fh_[^:\s]+):(?P<declared>[0-9a-f]{12}):(?P<body>[0-9a-f]{12})")
# Raised only when what a rule of this declaration means changes, so that an upgrade of the library asks for nothing.
FORMAT = 1


@dataclass(frozen=True, slots=True, eq=False)
class Bound:
    """An invariant of a table, under its name."""

    invariant: Invariant
    table: Table
    name: str

    @property
    def order_name(self) -> str:
        """What a `no_overlap` raises for a range whose end is not after its start."""
        return f"{self.name}_order"


@dataclass(frozen=True, slots=True)
class Seal:
    """rule: whose wall it is. declared: the declaration it was built from. body: the text it was built with."""

    rule: str
    declared: str
    body: str

    def __str__(self) -> str:
        return f"fh:{self.rule}:{self.declared}:{self.body}"


@dataclass(frozen=True, slots=True)
class Wall:
    """One object of the schema.

    A `touch` is none: it is a statement that sends the rows that are there through the walls.
    create, drop: statements, in order. optional: its absence is no fault where the database cannot have it.
    """

    kind: Literal["trigger", "function", "index", "constraint", "touch"]
    name: str
    table: str
    create: tuple[str, ...]
    drop: tuple[str, ...]
    seal: Seal
    optional: bool = False


def digest(text: str) -> str:
    """Twelve hex digits of a text, whitespace and seals apart."""
    plain = _SEAL.sub("", text)
    return hashlib.sha256("".join(plain.split()).encode()).hexdigest()[:12]


def read_seal(text: str | None) -> Seal | None:
    """The seal in a comment or a stored statement; None when there is none."""
    found = _SEAL.search(text or "")
    return Seal(found["rule"], found["declared"], found["body"]) if found else None
