"""The compiler that writes the access rule into every statement; `execution` refuses what it could not write it into.

Fails closed (docs/decisions): a statement that touches a protected table runs only on a connection that carries a
scope, in a text in which every mention of the table was rendered here. What cannot be seen through (textual SQL,
prefixes, foreign metadata) mentions the name without having been rendered here, and is refused.
"""

from __future__ import annotations

import copy
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, literal_column, select
from sqlalchemy.engine import Dialect

from freehold.resource.principal import Principal
from freehold.store.caller import Teller
from freehold.store.conditions import BoundCaller
from freehold.store.execution import CONTROL, UNDOES, ScopedContext
from freehold.store.guard import Guard
from freehold.store.protection import Grant, Protection, Registry, Shape
from freehold.store.rule_clause import RuleClause, as_clause
from freehold.store.scope import CALLER, UnscopedStatement
from freehold.store.touched import EVERYTHING, changed_by_deleting, written_by_text, written_table

_OWN = "freehold_"
_MOST_KINDS = 1_000  # of callers, whose shape is remembered by their rights


class Scopes:
    """Makes the dialect of each shape: a copy of the engine's own, over the same pool, told which rules to write.

    teller: tells the database itself who acts, where it has a wall of its own.
    """

    def __init__(self, dialect: Dialect, registry: Registry, teller: Teller | None = None) -> None:
        self._base = dialect
        self._registry = registry
        self._dialects: dict[Any, Dialect] = {}
        self._known: dict[Any, tuple[Dialect, Shape]] = {}
        self._bound = BoundCaller(CALLER.get)
        _install(dialect, Guard(registry, None), teller)

    def dialect(self, principal: Principal, grant: Grant | None) -> tuple[Dialect, Shape]:
        """The dialect and shape that callers like `principal` share."""
        registry = self._registry
        if grant is not None or not registry.is_by_role:
            return self._dialect(principal, grant)
        # The system has one shape, whatever its reason and its rights.
        rights = None if principal.is_system else principal.rights
        kind = rights, registry.size
        known = self._known.get(kind)
        if known is None:
            if len(self._known) >= _MOST_KINDS:
                self._known.clear()
            known = self._known[kind] = self._dialect(principal, grant)
        return known

    def _dialect(self, principal: Principal, grant: Grant | None) -> tuple[Dialect, Shape]:
        key = self._registry.shape_key(principal, grant)
        found = self._dialects.get(key)
        if found is None:
            found = copy.copy(self._base)
            found.fh_guard = Guard(self._registry, Shape(self._registry, principal, grant, self._bound))  # type: ignore[attr-defined]
            self._dialects[key] = found
        shape = found.fh_guard.shape  # type: ignore[attr-defined]
        return found, shape


class RuleCompiler:
    """Mixed into a dialect's statement compiler."""

    dialect: Any
    fh_rendered: int = 0
    fh_touched: bool = False
    fh_inserts: bool = False
    fh_moves: bool = False
    fh_opaque: bool = False
    fh_control: bool = False
    fh_undoes: bool = False
    fh_is_own: bool = False
    _fh_inside_rule: int = 0
    _fh_is_locking: bool = False
    _fh_narrowed: Protection | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.fh_bare: set[str] = set()
        self.fh_locks: set[str] = set()
        self.fh_reads: set[str] = set()
        self.fh_writes: set[str] = set()
        super().__init__(*args, **kwargs)
        guard: Guard = self.dialect.fh_guard
        text = getattr(self, "string", None)
        if text is None:
            return
        self.fh_control = CONTROL.match(text) is not None
        self.fh_undoes = UNDOES.match(text) is not None
        mentioned = guard.mentions(text)
        self.fh_touched = self.fh_touched or mentioned > 0
        self.fh_opaque = mentioned != self.fh_rendered
        if not self._fh_is_locking:
            self.fh_locks.clear()
        seen = self.fh_reads | self.fh_writes
        self.fh_is_own = not self.fh_touched and all(name.startswith(_OWN) for name in seen)

    def visit_table(self, table: Any, asfrom: bool = False, iscrud: bool = False, **kwargs: Any) -> str:
        text: str = super().visit_table(table, asfrom=asfrom, iscrud=iscrud, **kwargs)  # type: ignore[misc]
        if not (asfrom or kwargs.get("ashint") or kwargs.get("within_tstring")):
            return text
        self.fh_reads.add(table.name)
        protection = self._fh_protection(table)
        if protection is None:
            return text
        self._fh_count()
        self.fh_locks.add(protection.table.name)
        if self._fh_narrowed is protection:
            self._fh_narrowed = None  # what stands in its WHERE may mention it again
        elif self._fh_inside_rule:
            self.fh_bare.add(protection.table.name)
        if iscrud or self._fh_inside_rule or kwargs.get("ashint"):
            return text
        rule = self._fh_condition(protection, "read")
        if rule is True:
            return text
        self._fh_narrowed = protection
        return self._fh_narrow(table, text, rule, enclosing_alias=kwargs.get("enclosing_alias"))

    def for_update_clause(self, select: Any, **kwargs: Any) -> str:
        self._fh_is_locking = True
        return super().for_update_clause(select, **kwargs)  # type: ignore[misc,no-any-return]

    def visit_textclause(self, textclause: Any, *args: Any, **kwargs: Any) -> str:
        self.fh_reads.add(EVERYTHING)
        self.fh_writes.update(written_by_text(textclause.text))
        return super().visit_textclause(textclause, *args, **kwargs)  # type: ignore[misc,no-any-return]

    def visit_update(self, update_stmt: Any, visiting_cte: Any = None, **kwargs: Any) -> str:
        self.fh_writes.add(written_table(update_stmt.table))
        protection = self._fh_target(update_stmt.table)
        if protection is not None:
            changed = _changed_columns(update_stmt) | set(getattr(self, "column_keys", None) or ())
            self.fh_moves = self.fh_moves or not changed.isdisjoint(protection.binding | protection.sources)
            if not changed.isdisjoint(protection.sight):
                self.fh_bare.add(protection.table.name)
            update_stmt = self._fh_restrict(update_stmt, protection, "update")
        return super().visit_update(update_stmt, visiting_cte=visiting_cte, **kwargs)  # type: ignore[misc,no-any-return]

    def visit_delete(self, delete_stmt: Any, visiting_cte: Any = None, **kwargs: Any) -> str:
        self.fh_writes.update(changed_by_deleting(_plain(delete_stmt.table)))
        protection = self._fh_target(delete_stmt.table)
        if protection is not None:
            delete_stmt = self._fh_restrict(delete_stmt, protection, "delete")
        return super().visit_delete(delete_stmt, visiting_cte=visiting_cte, **kwargs)  # type: ignore[misc,no-any-return]

    def visit_insert(self, insert_stmt: Any, *args: Any, **kwargs: Any) -> str:
        self.fh_writes.add(written_table(insert_stmt.table))
        protection = self._fh_protection(insert_stmt.table)
        if protection is not None:
            self._fh_count()
            self.fh_inserts = True
        text: str = super().visit_insert(insert_stmt, *args, **kwargs)  # type: ignore[misc]
        if protection is not None and getattr(self, "effective_returning", None):
            self.fh_bare.add(protection.table.name)
        return text

    def _fh_count(self) -> None:
        self.fh_rendered += 1
        self.fh_touched = True

    def _fh_protection(self, table: Any) -> Protection | None:
        found: Protection | None = self.dialect.fh_guard.registry.find(getattr(table, "name", None) or "")
        # A table of a foreign MetaData under a protected name is not the one the rule was written for: it stays
        # uncounted, and the count of mentions refuses it.
        return found if found is not None and found.table is _plain(table) else None

    def _fh_target(self, target: Any) -> Protection | None:
        if isinstance(_plain(target), Table):
            return self._fh_protection(target)
        inner = getattr(target, "element", None)
        if isinstance(inner, Table) and self._fh_protection(inner) is not None:
            raise UnscopedStatement(
                f"UPDATE or DELETE of an alias of {inner.name!r}: write it on the table itself, so that the rule applies"
            )
        return None

    def _fh_condition(self, protection: Protection, verb: str) -> ColumnElement[bool] | bool:
        shape: Shape | None = self.dialect.fh_guard.shape
        return True if shape is None or shape.is_system else shape.condition(protection, verb)

    def _fh_restrict(self, statement: Any, protection: Protection, verb: str) -> Any:
        for name in ("read", verb):
            rule = self._fh_condition(protection, name)
            if rule is not True:
                statement = statement.where(RuleClause(rule))
        return statement

    def _fh_narrow(self, table: Any, text: str, rule: ColumnElement[bool] | bool, *, enclosing_alias: Any) -> str:
        inner: Select[Any] = select(literal_column("*")).select_from(table).where(as_clause(rule))
        self._fh_inside_rule += 1
        rendered = self._fh_count_restored(inner)
        self._fh_inside_rule -= 1
        _, marker, suffix = text.partition(" AS ")
        if enclosing_alias is not None and enclosing_alias.element is table:
            return rendered
        return f"{rendered} AS {suffix if marker else self.preparer.quote(table.name)}"  # type: ignore[attr-defined]

    def _fh_count_restored(self, inner: Select[Any]) -> str:
        # The inner SELECT renders the table once more than the text it replaces.
        self.fh_rendered -= 1
        return f"({self.process(inner, asfrom=True)})"  # type: ignore[attr-defined]

    def visit_fh_rule(self, element: RuleClause, **kwargs: Any) -> str:
        self._fh_inside_rule += 1
        text: str = self.process(element.rule, **kwargs)  # type: ignore[attr-defined]
        self._fh_inside_rule -= 1
        return f"({text})"


def _plain(table: Any) -> Any:
    """The Table behind an ORM annotation."""
    return getattr(table, "_deannotate", lambda: table)() if hasattr(table, "_annotations") else table


def _changed_columns(statement: Any) -> set[str]:
    values = statement._values or {}
    return {getattr(key, "name", None) or getattr(key, "key", None) or str(key) for key in values}


def _install(dialect: Any, guard: Guard, teller: Teller | None) -> None:
    """Teach a dialect, after its first connect, to write rules. Copies made of it later inherit this."""
    compiler = dialect.statement_compiler
    context = dialect.execution_ctx_cls
    dialect.fh_guard = guard
    dialect.fh_teller = teller
    dialect.statement_compiler = type(f"Rule{compiler.__name__}", (RuleCompiler, compiler), {})
    dialect.execution_ctx_cls = type(f"Scoped{context.__name__}", (ScopedContext, context), {})
