"""Walls on PostgreSQL: triggers that queue the writers of one key, then look; and constraints as the last wall.

An exclusion constraint alone deadlocks on a hot key: two rows wait for each other's end. So the trigger first takes
`pg_advisory_xact_lock(rule, key)`. Each statement of a plpgsql function has a snapshot of its own, so the look that
follows sees what the lock waited for; a lock inside one SQL statement would not, its snapshot being older. SQL
written by hand goes through the same trigger. At REPEATABLE READ a snapshot stays old: there the constraint decides,
and a rule without one refuses to be written to.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import BigInteger, Date, DateTime, Integer, Numeric, TypeDecorator
from sqlalchemy.types import TypeEngine

from freehold.errors import ConfigurationError
from freehold.resource.invariants import AtMost, Invariant, NeverBelow, NoOverlap, UniqueWhile
from freehold.store.invariant_looks import count, of_row, out_of_order, overlap
from freehold.store.invariant_parent import parent_of
from freehold.store.invariant_sql import SqlText, columns_of
from freehold.store.invariant_sqlite import subsets
from freehold.store.invariant_walls import Bound, Seal, Wall, digest

_EXTENSION = """DO $fh$
BEGIN
  CREATE EXTENSION IF NOT EXISTS btree_gist;
EXCEPTION WHEN insufficient_privilege OR undefined_file OR feature_not_supported OR unique_violation THEN
  RAISE NOTICE 'btree_gist is not available: the trigger keeps the rule alone';
END
$fh$"""


class PostgresWalls:
    """Builds the walls of one bound invariant."""

    def __init__(self, bound: Bound, declared: str) -> None:
        self.bound = bound
        self.declared = declared
        self.sql = SqlText(bound.table, "postgresql")

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
                return [self._check(f"{self.sql.column(rule.column)} >= {rule.floor}")]
        raise TypeError(f"no walls for {self.bound.invariant!r}")

    def _no_overlap(self, rule: NoOverlap) -> Iterator[Wall]:
        yield self._index(f"{self.bound.name}_look", self.sql.list((*rule.keys, rule.start)), self._where(rule))
        yield self._exclusion(rule)
        body = f"""BEGIN
  IF {out_of_order(self.sql, rule)} THEN
    {self._raise(self.bound.order_name, "23514")}
  END IF;
{self._lock(rule.keys)}
{self._read_committed(unless_excluded=True)}
  IF EXISTS ({overlap(self.sql, rule, ("NEW", "OLD"))}) THEN
    {self._raise(self.bound.name, "23P01")}
  END IF;
  RETURN NEW;
END"""
        yield from self._guard(rule, body)
        yield self._touch(rule, rule.start, unless_excluded=True)

    def _at_most(self, rule: AtMost) -> Iterator[Wall]:
        yield self._index(f"{self.bound.name}_look", self.sql.list(rule.per), self._where(rule))
        parent = parent_of(self.bound)
        most = str(rule.limit) if rule.own_limit is None else self.sql.column(rule.own_limit, "NEW")
        if parent:
            its = SqlText(parent.table, "postgresql")
            key = f"{its.own}.{its.column(parent.key)}"
            of_row_key = self.sql.column(rule.per[0], "NEW")
            most = f"(SELECT {its.column(parent.limit)} FROM {its.own} WHERE {key} = {of_row_key})"
        body = f"""BEGIN
{self._lock(rule.per)}
{self._read_committed()}
  IF {count(self.sql, rule, of_row(self.sql, rule), ("NEW", "OLD"))} >= {most} THEN
    {self._raise(self.bound.name, "23514")}
  END IF;
  RETURN NEW;
END"""
        yield from self._guard(rule, body)
        if parent:
            its = SqlText(parent.table, "postgresql")
            limit = its.column(parent.limit, "NEW")
            body = f"""BEGIN
  PERFORM pg_advisory_xact_lock({self._key_of("NEW", (parent.key,))});
{self._read_committed()}
  IF {count(self.sql, rule, (its.column(parent.key, "NEW"),))} > {limit} THEN
    {self._raise(self.bound.name, "23514")}
  END IF;
  RETURN NEW;
END"""
            head = f"BEFORE UPDATE OF {its.column(parent.limit)} ON {its.own} FOR EACH ROW WHEN ({limit} IS NOT NULL)"
            yield from self._pair(f"{self.bound.name}_parent", its, head, body)
        if rule.own_limit is None:
            yield self._touch(rule, rule.per[0])

    def _unique_while(self, rule: UniqueWhile) -> Iterator[Wall]:
        nullable = [name for name in rule.keys if rule.nulls_equal and self.sql.table.c[name].nullable]
        for number, absent in enumerate(subsets(nullable)):
            present = [self.sql.column(name) for name in rule.keys if name not in absent]
            nulls = [f"{self.sql.column(name)} IS NULL" for name in absent]
            suffix = f"_null{number}" if number else ""
            items = ", ".join(present or [f"({nulls[0]})"])
            yield self._index(f"{self.bound.name}{suffix}", items, self._where(rule, *nulls), unique=True)

    def _exclusion(self, rule: NoOverlap) -> Wall:
        start, end = self.sql.column(rule.start), self.sql.column(rule.end)
        ranges = f"{_range(self.sql.table.c[rule.start].type, self.bound.name)}({start}, {end}, '[)') WITH &&"
        items = ", ".join([*(f"{self.sql.column(key)} WITH =" for key in rule.keys), ranges])
        condition = self.sql.condition(rule.when)
        where = f" WHERE ({condition})" if condition else ""
        name = self.sql.column(self.bound.name)
        add = f"ALTER TABLE {self.sql.own} ADD CONSTRAINT {name} EXCLUDE USING gist ({items}){where}"
        seal = self._seal(add)
        guarded = f"""DO $fh$
BEGIN
  IF EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'btree_gist') THEN
    {add};
    COMMENT ON CONSTRAINT {name} ON {self.sql.own} IS '{seal}';
  END IF;
END
$fh$"""
        drop = (f"ALTER TABLE {self.sql.own} DROP CONSTRAINT IF EXISTS {name}",)
        return Wall(
            "constraint", self.bound.name, self.sql.table.name, (_EXTENSION, guarded), drop, seal, optional=True
        )

    def _check(self, condition: str) -> Wall:
        name = self.sql.column(self.bound.name)
        add = f"ALTER TABLE {self.sql.own} ADD CONSTRAINT {name} CHECK ({condition})"
        seal = self._seal(add)
        comment = f"COMMENT ON CONSTRAINT {name} ON {self.sql.own} IS '{seal}'"
        drop = (f"ALTER TABLE {self.sql.own} DROP CONSTRAINT IF EXISTS {name}",)
        return Wall("constraint", self.bound.name, self.sql.table.name, (add, comment), drop, seal)

    def _index(self, name: str, items: str, where: str, *, unique: bool = False) -> Wall:
        quoted = self.sql.column(name)
        create = f"CREATE {'UNIQUE ' if unique else ''}INDEX {quoted} ON {self.sql.own} ({items}){where}"
        seal = self._seal(create)
        comment = f"COMMENT ON INDEX {quoted} IS '{seal}'"
        return Wall("index", name, self.sql.table.name, (create, comment), (f"DROP INDEX IF EXISTS {quoted}",), seal)

    def _touch(self, rule: Invariant, column: str, *, unless_excluded: bool = False) -> Wall:
        """Send the rows that are there through the trigger once, where no constraint has looked at them."""
        name = self.sql.column(column)
        condition = self.sql.condition(rule.when)
        touch = f"UPDATE {self.sql.own} SET {name} = {name}{f' WHERE {condition}' if condition else ''}"
        if unless_excluded:
            excluded = (
                f"SELECT 1 FROM pg_constraint WHERE contype = 'x' AND conname = {self.sql.literal(self.bound.name)}"
            )
            touch = f"DO $fh$\nBEGIN\n  IF NOT EXISTS ({excluded}) THEN\n    {touch};\n  END IF;\nEND\n$fh$"
        return Wall("touch", self.bound.name, self.sql.table.name, (touch,), (), self._seal(touch))

    def _guard(self, rule: Invariant, body: str) -> Iterator[Wall]:
        columns = (*rule.columns(), *columns_of(rule.when, self.sql.table, self.bound.name))
        condition = self.sql.condition(rule.when, "NEW")
        when = f" WHEN ({condition})" if condition else ""
        moment = f"INSERT OR UPDATE OF {self.sql.list(tuple(dict.fromkeys(columns)))}"
        yield from self._pair(
            f"{self.bound.name}_guard", self.sql, f"BEFORE {moment} ON {self.sql.own} FOR EACH ROW{when}", body
        )

    def _pair(self, name: str, on: SqlText, head: str, body: str) -> Iterator[Wall]:
        """A function and the trigger that calls it."""
        quoted = self.sql.column(name)
        # The path is fixed, so that a restore or a caller with another path finds the same table.
        function = (
            f"CREATE OR REPLACE FUNCTION {quoted}() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT"
            f" AS $fh$\n{body}\n$fh$"
        )
        trigger = f"CREATE TRIGGER {quoted} {head} EXECUTE FUNCTION {quoted}()"
        seal, trigger_seal = self._seal(body), self._seal(trigger)
        comment = f"COMMENT ON FUNCTION {quoted}() IS '{seal}'"
        drop_function = (f"DROP FUNCTION IF EXISTS {quoted}()",)
        yield Wall("function", name, on.table.name, (function, comment), drop_function, seal)
        comment = f"COMMENT ON TRIGGER {quoted} ON {on.own} IS '{trigger_seal}'"
        drop = (f"DROP TRIGGER IF EXISTS {quoted} ON {on.own}",)
        yield Wall("trigger", name, on.table.name, (trigger, comment), drop, trigger_seal)

    def _lock(self, keys: Sequence[str]) -> str:
        """Take the lock of the row's key, and of the key that it leaves: in order, so that no two wait for each other."""
        new, old = self._key_of("NEW", keys), self._key_of("OLD", keys)
        if not keys:
            return f"  PERFORM pg_advisory_xact_lock({new});"
        return f"""  IF TG_OP = 'UPDATE' AND ({self._row("OLD", keys)}) IS DISTINCT FROM ({self._row("NEW", keys)}) THEN
    PERFORM pg_advisory_xact_lock(least({old}, {new}));
    PERFORM pg_advisory_xact_lock(greatest({old}, {new}));
  ELSE
    PERFORM pg_advisory_xact_lock({new});
  END IF;"""

    def _row(self, row: str, keys: Sequence[str]) -> str:
        return ", ".join(self.sql.column(key, row) for key in keys)

    def _key_of(self, row: str, keys: Sequence[str]) -> str:
        """The number behind a key's lock; `locks` in store/invariants.py computes the same one."""
        parts = [self.sql.literal(self.bound.name), *(f"'/' || {self.sql.column(key, row)}::text" for key in keys)]
        return f"hashtextextended({' || '.join(parts)}, 0)"

    def _read_committed(self, *, unless_excluded: bool = False) -> str:
        unless = (
            f" AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE contype = 'x' AND conname = "
            f"{self.sql.literal(self.bound.name)})"
            if unless_excluded
            else ""
        )
        return f"""  IF current_setting('transaction_isolation') = 'repeatable read'{unless} THEN
    RAISE EXCEPTION USING ERRCODE = '0A000',
      MESSAGE = {self.sql.literal(self.bound.name + " needs READ COMMITTED or SERIALIZABLE")};
  END IF;"""

    def _raise(self, name: str, state: str) -> str:
        literal = self.sql.literal(name)
        return (
            f"RAISE EXCEPTION USING ERRCODE = '{state}', CONSTRAINT = {literal},"
            f" MESSAGE = {self.sql.literal(f'fh:{name}')};"
        )

    def _where(self, rule: Invariant, *also: str) -> str:
        condition = self.sql.condition(rule.when)
        parts = [*([f"({condition})"] if condition else []), *also]
        return f" WHERE {' AND '.join(parts)}" if parts else ""

    def _seal(self, text: str) -> Seal:
        return Seal(self.bound.name, self.declared, digest(text))


def _range(of: TypeEngine[object], rule: str) -> str:
    """The range function of a column's type."""
    kind = of.impl_instance if isinstance(of, TypeDecorator) else of
    match kind:
        case Date():
            return "daterange"
        case DateTime():
            return "tstzrange" if kind.timezone else "tsrange"
        case BigInteger():
            return "int8range"
        case Integer():
            return "int4range"
        case Numeric():
            return "numrange"
    raise ConfigurationError(f"{rule}: a range needs dates, instants or numbers, not {of!r}")
