"""From a driver's error to the rule that was broken, and from the rule to what the caller is told."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, or_, select, tuple_
from sqlalchemy.exc import DBAPIError

from freehold.errors import Conflict, FieldError, Invalid, Problem
from freehold.resource.invariants import NoOverlap
from freehold.resource.principal import Principal, system
from freehold.store.database import Database
from freehold.store.invariant_flush import Tried
from freehold.store.invariant_sql import expression
from freehold.store.invariant_walls import Bound
from freehold.store.invariants import Registry

_SQLITE = re.compile(r"^fh:(fh_\S+)$|^UNIQUE constraint failed: index '(fh_[^']+)'$")
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Breach:
    """A rule that was broken. order: by a range that ends before it starts, not by another row."""

    bound: Bound
    order: bool = False

    def problem(self, conflicts: Sequence[dict[str, Any]] = ()) -> Problem:
        """What the caller is told. conflicts: what stands in the way, as far as the caller may know it."""
        rule = self.bound.invariant
        if self.order and isinstance(rule, NoOverlap):
            fault = FieldError("range.order", f"Must be after {rule.start}.", pointer=f"/{rule.end}")
            return Invalid(errors=[fault])
        extra: dict[str, Any] = {"rule": self.bound.name}
        if conflicts:
            extra["conflicts"] = list(conflicts)
        return Conflict(rule.sentence, code=rule.code, extra=extra)


def breach(error: DBAPIError, registry: Registry) -> Breach | None:
    """The invariant that a driver's error is about; None when it is about something else.

    Reads the constraint's name (PostgreSQL) or the message that our triggers and indexes give (SQLite), never the
    detail, which quotes values of rows.
    """
    name = _constraint(error)
    bound = registry.find(name) if name else None
    return Breach(bound, order=name == bound.order_name) if bound else None


def _constraint(error: DBAPIError) -> str | None:
    origin: Any = error.orig
    for carrier in (getattr(origin, "__cause__", None), getattr(origin, "diag", None), origin):
        name = getattr(carrier, "constraint_name", None)
        if name:
            return str(name)
    found = _SQLITE.match(str(origin))
    return (found[1] or found[2]) if found else None


async def refusal(
    broken: Breach,
    tried: Sequence[Tried],
    *,
    database: Database,
    principal: Principal,
    hidden: Collection[str] = (),
) -> Problem:
    """The problem for a broken rule, with what stands in the way of `tried` as far as `principal` may know it.

    Call it after the roll-back: it reads anew. A row that the caller may read gives its id and its range; another
    gives only the columns that the rule `reveals`, and nothing when there are none. hidden: fields that the caller
    may not read. What has gone meanwhile is not told.
    """
    rows = [row for row in tried if row.bound is broken.bound]
    if broken.order or not rows or not isinstance(broken.bound.invariant, NoOverlap):
        return broken.problem()
    return broken.problem(await _conflicts(broken.bound, rows, database, principal, hidden))


async def _conflicts(
    bound: Bound, rows: Sequence[Tried], database: Database, principal: Principal, hidden: Collection[str]
) -> list[dict[str, Any]]:
    rule, table = bound.invariant, bound.table
    assert isinstance(rule, NoOverlap)
    key = list(table.primary_key.columns)
    ranges = [table.c[rule.start], table.c[rule.end]]
    revealed = [table.c[name] for name in rule.reveals]
    in_the_way = or_(*(_in_the_way(table, rule, row) for row in rows))
    seen = select(*key, *ranges, *(column for column in revealed if column not in ranges)).where(in_the_way)
    async with database.reading(system("what stands in the way of a refused write")) as everything:
        found = (await everything.execute(seen.order_by(ranges[0]).limit(_SHOWN))).mappings().all()
    keys = [tuple(row[column] for column in key) for row in found]
    async with database.reading(principal) as caller:
        visible = (
            {tuple(row) for row in await caller.execute(select(*key).where(tuple_(*key).in_(keys)))} if keys else set()
        )
    told = []
    for identity, row in zip(keys, found, strict=True):
        columns = [*key, *(c for c in ranges if c.name not in hidden)] if identity in visible else revealed
        if columns:
            told.append({column.name: _plain(row[column]) for column in columns})
    return told


def _in_the_way(table: Table, rule: NoOverlap, row: Tried) -> ColumnElement[bool]:
    start, end = table.c[rule.start], table.c[rule.end]
    conditions: list[ColumnElement[bool]] = [table.c[key] == row.new.get(key) for key in rule.keys]
    if row.new.get(rule.end) is not None:
        conditions.append(or_(start.is_(None), start < row.new[rule.end]))
    if row.new.get(rule.start) is not None:
        conditions.append(or_(end.is_(None), end > row.new[rule.start]))
    if rule.when is not None:
        conditions.append(expression(rule.when))
    own = row.old or row.new
    conditions.append(or_(*(column != own.get(column.name) for column in table.primary_key.columns)))
    return and_(*conditions)


def _plain(value: Any) -> Any:
    """A value as JSON holds it."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z") if value.tzinfo else value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    return value if value is None or isinstance(value, int | float | bool) else str(value)
