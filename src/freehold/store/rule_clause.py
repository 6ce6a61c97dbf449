"""A rule as a part of a statement: what is read inside it is read as it is, whoever asks."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Boolean, ColumnElement, false, true
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.visitors import InternalTraversal


class RuleClause(ColumnElement[bool]):
    """A rule inside a statement: its own tables are read as they are, without their read rules."""

    __visit_name__ = "fh_rule"
    _traverse_internals = [("rule", InternalTraversal.dp_clauseelement)]  # noqa: RUF012 (SQLAlchemy reads it off the class)
    inherit_cache = True

    def __init__(self, rule: ColumnElement[bool] | bool) -> None:  # noqa: FBT001 (a rule may be decided)
        self.rule = as_clause(rule)
        self.type = Boolean()

    @property
    def _from_objects(self) -> list[Any]:
        return []

    def self_group(self, against: Any = None) -> RuleClause:
        """Itself: SQLAlchemy would write `= 1` behind it on SQLite, and hide the index from it."""
        return self


@compiles(RuleClause)
def _rule_clause(element: RuleClause, compiler: Any, **kwargs: Any) -> str:
    """What it holds, where nothing is narrowed anyway: on an engine that was not told of any rule."""
    write = getattr(compiler, "visit_fh_rule", None)
    return write(element, **kwargs) if write else f"({compiler.process(element.rule, **kwargs)})"


def public_fact(condition: ColumnElement[bool], *, reason: str) -> ColumnElement[bool]:
    """A condition whose tables are read as they are, whoever asks.

    For what is declared public though its rows are not: that a date is taken, that a name is used. Whatever the
    condition tells, everyone may learn; say so in `reason`, and in the resource's `public_facts`.
    """
    if not reason.strip():
        raise ValueError("public_fact() needs a reason: say why everyone may learn this")
    return RuleClause(condition)


def as_clause(rule: ColumnElement[bool] | bool) -> ColumnElement[bool]:  # noqa: FBT001 (a rule may be decided)
    """A rule as SQL, also where it holds for every row or for none."""
    if isinstance(rule, bool):
        return true() if rule else false()
    return rule
