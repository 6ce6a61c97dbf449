"""An access rule as finished SQL, for policies and triggers: complete, for every kind of caller at once.

The compiler decides what is about the caller before it writes a rule (`conditions`); the database decides it here, by
asking `fh_caller`, `fh_role`, `fh_scope` and `fh_claim`, functions that read what the transaction was told (`caller`).
Each such question stands in a SELECT of its own, so that PostgreSQL asks it once for a statement and not for each row.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Uuid, cast, inspect, literal_column, select
from sqlalchemy.exc import CompileError
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.sql import visitors
from sqlalchemy.types import TypeEngine

from freehold.errors import ConfigurationError
from freehold.resource.access import (
    All,
    Constant,
    Either,
    Member,
    Not,
    Owner,
    Recent,
    Role,
    Rule,
    Scope,
    SignedIn,
    Where,
    WithFactor,
)
from freehold.store.conditions import condition
from freehold.store.invariant_sql import DIALECTS
from freehold.store.protection import Protection

IS_SYSTEM: Final = "(SELECT fh_caller('system')) IS NOT NULL"
_HAS_ID: Final = "(SELECT fh_caller('id')) IS NOT NULL"
_GRANT: Final = "(SELECT coalesce(fh_caller('grant'), ''))"
_QUERIES: Final = frozenset({"select", "scalar_select", "exists", "subquery", "lateral", "compound_select"})


class ToldCaller:
    """What the transaction was told of the caller, as SQL."""

    def __init__(self, dialect_name: str) -> None:
        self._is_postgresql = dialect_name == "postgresql"

    @property
    def id(self) -> ColumnElement[UUID]:
        """The caller's id; NULL for nobody."""
        kind = "::uuid" if self._is_postgresql else ""
        return literal_column(f"(SELECT fh_caller('id'){kind})", Uuid())

    def claim(self, name: str, type_: TypeEngine[Any]) -> ColumnElement[Any]:
        """A claim; NULL where there is none."""
        told: ColumnElement[Any] = literal_column(f"(SELECT fh_claim({quoted(name)}))", type_)
        return cast(told, type_) if self._is_postgresql else told


class RuleText:
    """Writes the rules of one model in one dialect. apart: takes a condition with a query in it, and gives a call."""

    def __init__(
        self, model: type[DeclarativeBase], dialect_name: str, *, apart: Callable[[str], str] | None = None
    ) -> None:
        self._model = model
        self._dialect = DIALECTS[dialect_name]
        self._caller = ToldCaller(dialect_name)
        self._apart = apart
        # By identity: parts of rules are shared by verbs and actions, and a condition of SQLAlchemy is equal to nothing.
        self._written: dict[int, tuple[Rule, str]] = {}

    def exact(self, rule: Rule) -> str:
        """The rule."""
        return self._write(rule, loose=False, holds=True)

    def loose(self, rule: Rule) -> str:
        """The rule less what it asks of the row's state: what a changed row has to fulfil still.

        The compiler judges a changed row anew only where the change decides whose row it is.
        """
        return self._write(rule, loose=True, holds=True)

    def _write(self, rule: Rule, *, loose: bool, holds: bool) -> str:
        if (asked := _of_caller(rule)) is not None:
            return asked
        match rule:
            case All(rules=rules):
                return _joined("AND", [self._write(part, loose=loose, holds=holds) for part in rules])
            case Either(rules=rules):
                return _joined("OR", [self._write(part, loose=loose, holds=holds) for part in rules])
            case Not(rule=inner):
                return f"NOT coalesce({self._write(inner, loose=loose, holds=not holds)}, false)"
        if loose and self._is_about_state(rule):
            return "true" if holds else "false"
        if id(rule) not in self._written:
            self._written[id(rule)] = rule, self._of_row(rule)
        written = self._written[id(rule)][1]
        return (
            f"({written} OR {self._points_nowhere(rule)})"
            if loose and holds and isinstance(rule, Owner | Member)
            else written
        )

    def _points_nowhere(self, rule: Owner | Member) -> str:
        """A row whose parent goes is let go of first: it is nobody's by this path, and no one else's."""
        first, _, rest = rule.path.partition(".")
        if not rest:
            return "false"
        table = inspect(self._model).local_table
        columns = inspect(self._model).relationships[first].local_columns
        preparer = self._dialect.identifier_preparer
        own = preparer.format_table(table)
        return " OR ".join(f"{own}.{preparer.quote(column.name)} IS NULL" for column in columns)

    def _is_about_state(self, rule: Rule) -> bool:
        if isinstance(rule, Owner | Member):
            # Rows that come after this one in the same flush.
            first, _, rest = rule.path.partition(".")
            return bool(rest) and bool(inspect(self._model).relationships[first].uselist)
        return isinstance(rule, Where) and not rule.takes_caller

    def _of_row(self, rule: Rule) -> str:
        asked = condition(rule, self._model, self._caller)
        # In a statement on the table: alone, a query in it would not know that its outer row is meant.
        statement: Select[Any] = select(literal_column("1")).select_from(inspect(self._model).local_table).where(asked)
        try:
            written = str(statement.compile(dialect=self._dialect, compile_kwargs={"literal_binds": True}))
        except CompileError as error:
            raise ConfigurationError(
                f"{self._model.__name__}: {rule.describe()} cannot be written as text for the database's own wall: {error}"
            ) from error
        written = written.partition("\nWHERE ")[2]
        if self._apart is not None and any(each.__visit_name__ in _QUERIES for each in visitors.iterate(asked)):
            written = self._apart(written)
        needs_id = isinstance(rule, Where) and rule.takes_caller and rule.needs_id
        return f"({_HAS_ID} AND ({written}))" if needs_id else f"({written})"


def _of_caller(rule: Rule) -> str | None:  # noqa: PLR0911 (one return for each kind of rule)
    """A question that is about the caller alone; None for any other rule."""
    match rule:
        case Constant(value=value):
            return "true" if value else "false"
        case SignedIn():
            return _HAS_ID
        case Role(names=names):
            return _joined("OR", [f"(SELECT fh_role({quoted(name)}))" for name in names])
        case Scope(name=name):
            return f"(SELECT fh_scope({quoted(name)}))"
        case Recent(seconds=seconds):
            return f"(SELECT coalesce(CAST(fh_caller('age') AS integer) <= {seconds}, false))"
        case WithFactor():
            return "(SELECT fh_caller('factor')) IS NOT NULL"
    return None


class VerbText:
    """The rules of one table by verb, with the grants of actions, each of which stands in for a rule while it runs."""

    def __init__(self, protection: Protection, writer: RuleText) -> None:
        self._protection = protection
        self._writer = writer

    def old(self, verb: str) -> str:
        """What a row that is there has to fulfil."""
        return self._stood_in(verb, self._writer.exact)

    def new(self, verb: str) -> str:
        """What a row has to fulfil that is about to be."""
        return self._stood_in(verb, self._writer.exact if verb == "create" else self._writer.loose)

    def _stood_in(self, verb: str, write: Callable[[Rule], str]) -> str:
        written = write(self._protection.access.rule(verb))
        rules = {grant.name: rule for grant in self._protection.grants if (rule := grant.rule_of(verb)) is not None}
        if not rules:
            return written
        names = ", ".join(map(quoted, rules))
        parts = [f"({_GRANT} NOT IN ({names}) AND {written})"]
        parts += [f"({_GRANT} = {quoted(name)} AND {write(rule)})" for name, rule in rules.items()]
        return " OR ".join(parts)


def _joined(word: str, parts: list[str]) -> str:
    return f"({f' {word} '.join(parts)})" if len(parts) > 1 else parts[0]


def quoted(value: str) -> str:
    """A string literal, standard on both databases."""
    return "'" + value.replace("'", "''") + "'"
