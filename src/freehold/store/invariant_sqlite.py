"""Walls on SQLite: triggers that run inside the writing statement, and partial unique indexes.

A statement that writes holds the only write lock, so what a trigger sees cannot change before the commit. `RAISE`
takes only a literal here, so it names the rule and never the row.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from freehold.resource.invariants import AtMost, Invariant, NeverBelow, NoOverlap, UniqueWhile
from freehold.store.invariant_looks import count, of_row, out_of_order, overlap
from freehold.store.invariant_parent import parent_of
from freehold.store.invariant_sql import SqlText, columns_of
from freehold.store.invariant_walls import Bound, Seal, Wall, digest


class SQLiteWalls:
    """Builds the walls of one bound invariant."""

    def __init__(self, bound: Bound, declared: str) -> None:
        self.bound = bound
        self.declared = declared
        self.sql = SqlText(bound.table, "sqlite")

    def build(self) -> list[Wall]:
        """The walls, in the order of their creation."""
        match self.bound.invariant:
            case NoOverlap() as rule:
                return list(self._no_overlap(rule))
            case UniqueWhile() as rule:
                return list(self._unique_while(rule))
            case AtMost() as rule:
                return list(self._at_most(rule))
            case NeverBelow() as rule:
                return list(self._never_below(rule))
        raise TypeError(f"no walls for {self.bound.invariant!r}")

    def _no_overlap(self, rule: NoOverlap) -> Iterator[Wall]:
        yield self._index(f"{self.bound.name}_look", self.sql.list((*rule.keys, rule.start, rule.end)), rule)
        for event, selves in (("insert", ("NEW",)), ("update", ("NEW", "OLD"))):
            tests = [
                (self.bound.order_name, out_of_order(self.sql, rule)),
                (self.bound.name, f"EXISTS ({overlap(self.sql, rule, selves)})"),
            ]
            yield self._trigger(event, rule, tests)
        yield self._touch(rule, rule.start)

    def _at_most(self, rule: AtMost) -> Iterator[Wall]:
        yield self._index(f"{self.bound.name}_look", self.sql.list(rule.per), rule)
        parent = parent_of(self.bound)
        most = str(rule.limit) if rule.own_limit is None else self.sql.column(rule.own_limit, "NEW")
        if parent:
            its = SqlText(parent.table, "sqlite")
            key = f"{its.own}.{its.column(parent.key)}"
            of_row_key = self.sql.column(rule.per[0], "NEW")
            most = f"(SELECT {its.column(parent.limit)} FROM {its.own} WHERE {key} = {of_row_key})"
        for event, selves in (("insert", ("NEW",)), ("update", ("NEW", "OLD"))):
            there = count(self.sql, rule, of_row(self.sql, rule), selves)
            yield self._trigger(event, rule, [(self.bound.name, f"{there} >= {most}")])
        if parent:
            its = SqlText(parent.table, "sqlite")
            limit = its.column(parent.limit, "NEW")
            head = f"BEFORE UPDATE OF {its.column(parent.limit)} ON {its.own} FOR EACH ROW WHEN {limit} IS NOT NULL"
            there = count(self.sql, rule, (its.column(parent.key, "NEW"),))
            yield self._raising("parent", parent.table.name, head, [(self.bound.name, f"{there} > {limit}")])
        if rule.own_limit is None:
            yield self._touch(rule, rule.per[0])

    def _never_below(self, rule: NeverBelow) -> Iterator[Wall]:
        # A CHECK cannot be added to a table that is there without copying it.
        for event in ("insert", "update"):
            yield self._trigger(
                event, rule, [(self.bound.name, f"{self.sql.column(rule.column, 'NEW')} < {rule.floor}")]
            )
        yield self._touch(rule, rule.column)

    def _unique_while(self, rule: UniqueWhile) -> Iterator[Wall]:
        nullable = [name for name in rule.keys if rule.nulls_equal and self.sql.table.c[name].nullable]
        for number, absent in enumerate(subsets(nullable)):
            present = [name for name in rule.keys if name not in absent]
            # An index over an expression is named in SQLite's message; one over columns alone is not.
            items = [self.sql.column(name) for name in present]
            items.append(f"({self.sql.column(rule.keys[0])} IS NULL)")
            nulls = [f"{self.sql.column(name)} IS NULL" for name in absent]
            suffix = f"_null{number}" if number else ""
            yield self._index(f"{self.bound.name}{suffix}", ", ".join(items), rule, also=nulls, unique=True)

    def _index(
        self, name: str, items: str, rule: Invariant, *, also: list[str] | None = None, unique: bool = False
    ) -> Wall:
        condition = self.sql.condition(rule.when)
        parts = [*([f"({condition})"] if condition else []), *(also or [])]
        where = f" WHERE {' AND '.join(parts)}" if parts else ""
        head = f"CREATE {'UNIQUE ' if unique else ''}INDEX {self.sql.column(name)} ON {self.sql.own} ("
        seal = self._seal(f"{head}/**/{items}){where}")
        create = f"{head}/*{seal}*/{items}){where}"
        return Wall("index", name, self.sql.table.name, (create,), self._drop("INDEX", name), seal)

    def _trigger(self, event: str, rule: Invariant, tests: list[tuple[str, str]]) -> Wall:
        columns = (*rule.columns(), *columns_of(rule.when, self.sql.table, self.bound.name))
        moment = "INSERT" if event == "insert" else f"UPDATE OF {self.sql.list(tuple(dict.fromkeys(columns)))}"
        condition = self.sql.condition(rule.when, "NEW")
        when = f" WHEN {condition}" if condition else ""
        return self._raising(event, self.sql.table.name, f"BEFORE {moment} ON {self.sql.own} FOR EACH ROW{when}", tests)

    def _raising(self, suffix: str, table: str, head: str, tests: list[tuple[str, str]]) -> Wall:
        name = f"{self.bound.name}_{suffix}"
        raises = "\n".join(
            f"  SELECT RAISE(ABORT, {self.sql.literal(f'fh:{raised}')}) WHERE {test};" for raised, test in tests
        )
        start = f"CREATE TRIGGER {self.sql.column(name)} {head}\nBEGIN "
        seal = self._seal(f"{start}/**/\n{raises}\nEND")
        create = f"{start}/*{seal}*/\n{raises}\nEND"
        return Wall("trigger", name, table, (create,), self._drop("TRIGGER", name), seal)

    def _touch(self, rule: Invariant, column: str) -> Wall:
        """Not an object: every row that is there is sent through the triggers once, so a broken table is refused."""
        condition = self.sql.condition(rule.when)
        where = f" WHERE {condition}" if condition else ""
        name = self.sql.column(column)
        touch = f"UPDATE {self.sql.own} SET {name} = {name}{where}"
        return Wall("touch", self.bound.name, self.sql.table.name, (touch,), (), self._seal(touch))

    def _drop(self, kind: str, name: str) -> tuple[str, ...]:
        return (f"DROP {kind} IF EXISTS {self.sql.column(name)}",)

    def _seal(self, text: str) -> Seal:
        return Seal(self.bound.name, self.declared, digest(text))


def subsets(names: list[str]) -> list[tuple[str, ...]]:
    """Every subset, the empty one first."""
    return [chosen for size in range(len(names) + 1) for chosen in combinations(names, size)]
