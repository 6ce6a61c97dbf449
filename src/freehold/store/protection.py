"""Which tables are protected, by which rules, and what that comes to for one kind of caller."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Table, inspect
from sqlalchemy.orm import DeclarativeBase

from freehold.errors import ConfigurationError
from freehold.resource.access import Access, Constant, Member, Owner, Recent, Role, Rule, Scope, Where, WithFactor
from freehold.resource.applications import counting_for
from freehold.resource.principal import Principal
from freehold.store.conditions import BoundCaller, LiteralCaller, binding_columns, columns_named, condition

VERBS = ("read", "create", "update", "delete")


@dataclass(frozen=True, slots=True)
class Grant:
    """While an action runs, its rule stands in for one verb on one table. reads: for the read rule, beside it."""

    table: str
    verb: str
    action: str
    rule: Rule
    reads: Rule | None = None

    @property
    def name(self) -> str:
        """Under which the database knows it."""
        return f"{self.table}.{self.verb}.{self.action}"

    def rule_of(self, verb: str) -> Rule | None:
        """What stands in for the rule of a verb, if anything does."""
        if verb == self.verb:
            return self.rule
        return self.reads if verb == "read" else None


@dataclass(frozen=True, slots=True)
class Protection:
    """One protected table.

    binding: columns that decide whose row it is; sight: columns that decide whether a caller sees it.
    """

    model: type[DeclarativeBase]
    table: Table
    access: Access
    binding: frozenset[str]
    sources: frozenset[str]
    sight: frozenset[str]
    grants: list[Grant] = field(default_factory=list)


@dataclass(slots=True)
class Registry:
    """The protected tables of one application."""

    tables: dict[str, Protection] = field(default_factory=dict)
    views: dict[str, str] = field(default_factory=dict)
    _caller_atoms: list[Rule] = field(default_factory=list)
    is_by_role: bool = True
    """Whether roles and scopes alone tell kinds of callers apart; how long ago somebody logged in may do so, too."""

    @property
    def size(self) -> int:
        """Grows when a rule tells callers apart by something that none did before."""
        return len(self._caller_atoms)

    def protect(self, model: type[DeclarativeBase], access: Access, *, extra: Iterable[Rule] = ()) -> None:
        """Protect the model's table. extra: rules of actions, which may ask for further roles. Checks every path."""
        table = inspect(model).local_table
        assert isinstance(table, Table)
        rules = [access.rule(verb) for verb in VERBS]
        rules += [*access.read_fields.values(), *access.write_fields.values(), *extra]
        for rule in rules:
            _check(rule, model)
            self.remember(rule)
        binding = frozenset().union(*(binding_columns(rule, model) for rule in rules))
        sources = frozenset(table.info.get("fh_derived_sources", ()))
        sight = columns_named(access.read, model)
        self.tables[table.name.lower()] = Protection(model, table, access, binding, sources, sight)
        self._refuse_ambiguous()

    def _refuse_ambiguous(self) -> None:
        """A column under the name of a protected table could not be told from the table in the text of a statement."""
        for protection in self.tables.values():
            for column in protection.table.columns:
                if column.name.lower() in self.tables:
                    raise ConfigurationError(
                        f"column {protection.table.name}.{column.name} has the name of a protected table: rename one "
                        f"(mapped_column({column.name + '_'!r}) keeps the attribute's name)"
                    )

    def grant(self, grant: Grant) -> None:
        """Make a grant known beforehand, for the database's own wall."""
        protection = self.find(grant.table)
        if protection is not None:
            protection.grants.append(grant)

    def protect_view(self, name: str) -> None:
        """Refuse statements on a view over protected tables: its text is outside the rules."""
        self.views[name.lower()] = name

    def remember(self, rule: Rule) -> None:
        """Let a rule take part in telling kinds of callers apart, also one that belongs to no table (a route's)."""
        for atom in rule.atoms():
            if isinstance(atom, (Role, Scope, Recent, WithFactor)) and atom not in self._caller_atoms:
                self._caller_atoms.append(atom)
                self.is_by_role = self.is_by_role and isinstance(atom, Role | Scope)

    def find(self, name: str) -> Protection | None:
        """The protection of a table, if it has one."""
        return self.tables.get(name.lower())

    def shape_key(self, principal: Principal, grant: Grant | None) -> Any:
        """Equal for callers whose rules have the same form, so that they share compiled statements."""
        if principal.is_system:
            return "system"
        asked = tuple(atom.simplify(principal) for atom in self._caller_atoms)
        kind = (principal.id is not None, principal.client_id is not None)
        # By the rule itself and not by the name alone: the shape keeps the grant, so the number stays its own.
        return (kind, asked, grant and (grant.table, grant.verb, grant.action, id(grant.rule)))


def _check(rule: Rule, model: type[DeclarativeBase]) -> None:
    for atom in rule.atoms():
        if isinstance(atom, Owner | Member | Where):
            condition(atom, model, LiteralCaller(Principal()))


class Shape:
    """The rules of every protected table as one kind of caller meets them. Lives as long as its dialect."""

    def __init__(self, registry: Registry, principal: Principal, grant: Grant | None, caller: BoundCaller) -> None:
        self.registry = registry
        self.is_system = principal.is_system
        self._principal = principal
        self.grant = grant
        self._caller = caller
        self._rules: dict[tuple[str, str], Rule] = {}
        self._conditions: dict[tuple[str, str], ColumnElement[bool] | bool] = {}

    def rule(self, protection: Protection, verb: str) -> Rule:
        """The rule of a verb for this kind of caller, simplified."""
        key = protection.table.name, verb
        if key not in self._rules:
            self._rules[key] = self._rule(protection, verb)
        return self._rules[key]

    def _rule(self, protection: Protection, verb: str) -> Rule:
        grant = self.grant
        stands_in = grant.rule_of(verb) if grant is not None and grant.table == protection.table.name else None
        rule = protection.access.rule(verb) if stands_in is None else stands_in
        return counting_for(rule, self._principal).simplify(self._principal)

    def condition(self, protection: Protection, verb: str) -> ColumnElement[bool] | bool:
        """True: no condition. False: no row. Otherwise the SQL, with the caller as bind parameters."""
        key = (protection.table.name, verb)
        if key not in self._conditions:
            rule = self.rule(protection, verb)
            self._conditions[key] = (
                rule.value if isinstance(rule, Constant) else condition(rule, protection.model, self._caller)
            )
        return self._conditions[key]

    def for_rule(self, rule: Rule, model: type[DeclarativeBase]) -> ColumnElement[bool]:
        """The condition of a further rule (a field's, an action's) for this kind of caller."""
        return condition(counting_for(rule, self._principal).simplify(self._principal), model, self._caller)
