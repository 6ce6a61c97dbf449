"""Invariants: what must always hold, declared on the resource and enforced by the database.

Nothing here executes anything: `store` turns a declaration into triggers, indexes and constraints, so that SQL
written by hand obeys it too. A breach is a 409 that names the rule.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from sqlalchemy import ColumnElement

# PostgreSQL keeps 63 bytes of a name; the walls of a rule add suffixes of up to 12.
_LONGEST = 50


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Invariant:
    """A rule over the rows of one table. Made by `no_overlap`, `unique_while`, `at_most` and `never_below`.

    when: the rows that the rule is about; None: all. code: the public code of the 409.
    reveals: columns of the row in the way that everyone may be told, though they may not read the row.
    """

    kind: ClassVar[str]
    sentence: ClassVar[str]

    name: str | None = None
    when: ColumnElement[bool] | None = None
    code: str = "request.conflict"
    reveals: tuple[str, ...] = ()

    def columns(self) -> tuple[str, ...]:
        """The columns of the table that the rule names, those of `when` apart."""
        raise NotImplementedError

    def name_for(self, table: str) -> str:
        """The stable name of the rule in the schema and in the 409: `fh_<table>_<kind>_<columns>`."""
        given = self.name or "_".join((table, self.kind, *self.columns()))
        full = given if given.startswith("fh_") else f"fh_{given}"
        if len(full.encode()) <= _LONGEST:
            return full
        return f"{full[: _LONGEST - 9]}_{hashlib.sha256(full.encode()).hexdigest()[:8]}"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class NoOverlap(Invariant):
    """See `no_overlap`."""

    kind = "no_overlap"
    sentence = "The range overlaps one that is already taken."

    keys: tuple[str, ...]
    start: str
    end: str

    def columns(self) -> tuple[str, ...]:
        return (*self.keys, self.start, self.end)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class UniqueWhile(Invariant):
    """See `unique_while`."""

    kind = "unique_while"
    sentence = "There is already one."

    keys: tuple[str, ...]
    nulls_equal: bool = False

    def columns(self) -> tuple[str, ...]:
        return self.keys


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class AtMost(Invariant):
    """See `at_most`."""

    kind = "at_most"
    sentence = "There are already as many as allowed."

    limit: int | str
    per: tuple[str, ...]
    limit_in: Literal["parent", "row"] = "parent"

    @property
    def own_limit(self) -> str | None:
        """The column of the row itself that says how many there may be; None where the limit stands elsewhere."""
        return self.limit if isinstance(self.limit, str) and self.limit_in == "row" else None

    def columns(self) -> tuple[str, ...]:
        return self.per if self.own_limit is None else (*self.per, self.own_limit)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class NeverBelow(Invariant):
    """See `never_below`."""

    kind = "never_below"
    sentence = "There is not enough left."

    column: str
    floor: int = 0

    def columns(self) -> tuple[str, ...]:
        return (self.column,)


def no_overlap(
    *keys: str,
    during: tuple[str, str],
    when: ColumnElement[bool] | None = None,
    code: str = "request.conflict",
    reveals: Sequence[str] = (),
    name: str | None = None,
) -> Invariant:
    """Among rows with equal `keys`, the half-open ranges `[start, end)` never overlap; ranges that touch do not.

    during: two columns of one type: dates, instants or whole numbers. A NULL end is open, a NULL key is under no
    rule. A row whose end is not after its start is refused as invalid input (422). Rows are judged one by one: an
    UPDATE that shifts several rows may pass through an overlap, and is refused.
    Costs one index look per write; on PostgreSQL writers of one key queue on an advisory lock.
    """
    start, end = during
    return NoOverlap(keys=keys, start=start, end=end, when=when, code=code, reveals=tuple(reveals), name=name)


def unique_while(
    *keys: str,
    when: ColumnElement[bool] | None = None,
    nulls_equal: bool = False,
    code: str = "request.conflict",
    reveals: Sequence[str] = (),
    name: str | None = None,
) -> Invariant:
    """No two rows for which `when` holds have equal `keys`.

    nulls_equal: NULL equals NULL, so that `("identity", NULL)` can stand only once; SQL alone lets it repeat.
    """
    if not keys:
        raise TypeError("unique_while() needs at least one column")
    return UniqueWhile(keys=keys, nulls_equal=nulls_equal, when=when, code=code, reveals=tuple(reveals), name=name)


def at_most(
    limit: int | str,
    *,
    per: str | Sequence[str],
    limit_in: Literal["parent", "row"] = "parent",
    when: ColumnElement[bool] | None = None,
    code: str = "request.conflict",
    name: str | None = None,
) -> Invariant:
    """No parent has more than `limit` rows for which `when` holds.

    limit: a number, or a column of the parent (NULL there: no limit); lowering it below what is there is refused
    too. per: the foreign key to the parent; a number as limit works over any column, or several together.
    limit_in: `row` where each row brings the limit that was agreed when it was made: a row comes in while there are
    fewer than its own column says (NULL: no limit), and those that are there are not judged again by another's.
    Counts up to `limit` rows per write; on PostgreSQL writers of one parent queue on an advisory lock.
    """
    columns = (per,) if isinstance(per, str) else tuple(per)
    if not columns:
        raise TypeError("at_most() needs the column, or columns, to count by: per=...")
    return AtMost(limit=limit, per=columns, limit_in=limit_in, when=when, code=code, name=name)


def never_below(column: str, *, floor: int = 0, code: str = "request.conflict", name: str | None = None) -> Invariant:
    """The number in `column` is never less than `floor`. NULL is no number and passes."""
    return NeverBelow(column=column, floor=floor, code=code, name=name)


def fingerprint(parts: Sequence[Any]) -> str:
    """Twelve hex digits that stand for a declaration, the same on every machine."""
    return hashlib.sha256(repr(tuple(parts)).encode()).hexdigest()[:12]
