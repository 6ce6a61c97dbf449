"""Access rules: who may do what with which rows, said once.

A rule is a small expression tree. Atoms about the caller (`anyone`, `signed_in`, `role`, `permission`, `scope`,
`recent`, `with_factor`, `nobody`) are decided before any SQL runs; atoms about the row (`owner`, `member`, `where`) are
compiled into the statement. `&`, `|` and `~` compose them. Nothing here executes anything.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement

from freehold.errors import ConfigurationError
from freehold.resource.principal import Principal
from freehold.resource.roles import ORGANISATION_ROLES, Roles, is_permission

RowPredicate: TypeAlias = Callable[..., ColumnElement[bool]]


class Rule:
    """An access rule. Compose with `&`, `|`, `~`."""

    __slots__ = ()

    def __and__(self, other: Rule) -> Rule:
        return All(_flatten(All, self, other))

    def __or__(self, other: Rule) -> Rule:
        return Either(_flatten(Either, self, other))

    def __invert__(self) -> Rule:
        return Not(self)

    def __bool__(self) -> bool:
        raise TypeError("compose access rules with & | ~ (and, or, not would drop a part of the rule in silence)")

    def simplify(self, principal: Principal) -> Rule:
        """The rule with everything about the caller decided: `ANYONE`, `NOBODY`, or what is left to ask the row."""
        return self

    def atoms(self) -> tuple[Rule, ...]:
        """Every leaf, in order of mention."""
        return (self,)

    def describe(self) -> str:
        """As one would write it."""
        raise NotImplementedError


def _flatten(kind: type[Either | All], *rules: Rule) -> tuple[Rule, ...]:
    parts: list[Rule] = []
    for rule in rules:
        if not isinstance(rule, Rule):
            raise TypeError(f"an access rule composes with other rules, not with {rule!r}")
        parts.extend(rule.rules if isinstance(rule, kind) else (rule,))
    return tuple(parts)


@dataclass(frozen=True, slots=True)
class Constant(Rule):
    """Everyone, or nobody."""

    value: bool

    def describe(self) -> str:
        return "anyone" if self.value else "nobody"


anyone: Rule = Constant(True)
nobody: Rule = Constant(False)


@dataclass(frozen=True, slots=True)
class SignedIn(Rule):
    """Whoever has authenticated."""

    def simplify(self, principal: Principal) -> Rule:
        return Constant(principal.id is not None)

    def describe(self) -> str:
        return "signed_in"


signed_in: Rule = SignedIn()


@dataclass(frozen=True, slots=True)
class Role(Rule):
    """Callers who hold one of the roles, or of the permissions that their roles come to."""

    names: tuple[str, ...]

    def simplify(self, principal: Principal) -> Rule:
        return Constant(not principal.roles.isdisjoint(self.names))

    def describe(self) -> str:
        kind = "permission" if all(map(is_permission, self.names)) else "role"
        return f"{kind}({', '.join(repr(name) for name in self.names)})"


@dataclass(frozen=True, slots=True)
class Scope(Rule):
    """Callers whose token carries the scope. A log-in without scopes is unrestricted."""

    name: str

    def simplify(self, principal: Principal) -> Rule:
        has_credential = principal.id is not None or principal.key_id is not None
        return Constant(has_credential and principal.has_scope(self.name))

    def describe(self) -> str:
        return f"scope({self.name!r})"


@dataclass(frozen=True, slots=True)
class Recent(Rule):
    """Callers who proved who they are within the last `seconds`."""

    seconds: int

    def simplify(self, principal: Principal) -> Rule:
        age = principal.authentication_age
        return Constant(principal.id is not None and age is not None and age <= self.seconds)

    def describe(self) -> str:
        return f"recent(minutes={self.seconds / 60:g})"


@dataclass(frozen=True, slots=True)
class WithFactor(Rule):
    """Callers who proved a second factor in this log-in."""

    def simplify(self, principal: Principal) -> Rule:
        return Constant(principal.id is not None and principal.has_factor)

    def describe(self) -> str:
        return "with_factor"


with_factor: Rule = WithFactor()


@dataclass(frozen=True, slots=True)
class Owner(Rule):
    """The caller whose id stands in the column at the end of `path` (`"tenant_id"`, `"property.landlord_id"`)."""

    path: str

    def simplify(self, principal: Principal) -> Rule:
        return Constant(False) if principal.id is None else self

    def describe(self) -> str:
        return f"owner({self.path!r})"


@dataclass(frozen=True, slots=True)
class Member(Rule):
    """Members of the organisation whose id stands in the column at the end of `path`.

    role: as it was asked for; None for any. held: the roles within the organisation that come to it.
    """

    path: str
    role: str | None = None
    held: tuple[str, ...] = ()

    def simplify(self, principal: Principal) -> Rule:
        return Constant(False) if principal.id is None else self

    def describe(self) -> str:
        return f"member({self.path!r}{'' if self.role is None else f', role={self.role!r}'})"


@dataclass(frozen=True, slots=True, eq=False)
class Where(Rule):
    """Rows for which an SQL expression holds; see `where`."""

    predicate: ColumnElement[bool] | RowPredicate
    takes_caller: bool = False
    needs_id: bool = field(default=True)

    def simplify(self, principal: Principal) -> Rule:
        return Constant(False) if self.takes_caller and self.needs_id and principal.id is None else self

    def describe(self) -> str:
        if isinstance(self.predicate, ColumnElement):
            return f"where({self.predicate})"
        return f"where({getattr(self.predicate, '__name__', 'predicate')})"


@dataclass(frozen=True, slots=True)
class All(Rule):
    """Every part."""

    rules: tuple[Rule, ...]

    def simplify(self, principal: Principal) -> Rule:
        parts = [part for rule in self.rules if (part := rule.simplify(principal)) != anyone]
        if nobody in parts:
            return nobody
        return All(tuple(parts)) if len(parts) > 1 else (parts[0] if parts else anyone)

    def atoms(self) -> tuple[Rule, ...]:
        return tuple(atom for rule in self.rules for atom in rule.atoms())

    def describe(self) -> str:
        return " & ".join(f"({r.describe()})" if isinstance(r, Either) else r.describe() for r in self.rules)


@dataclass(frozen=True, slots=True)
class Either(Rule):
    """At least one part."""

    rules: tuple[Rule, ...]

    def simplify(self, principal: Principal) -> Rule:
        parts = [part for rule in self.rules if (part := rule.simplify(principal)) != nobody]
        if anyone in parts:
            return anyone
        return Either(tuple(parts)) if len(parts) > 1 else (parts[0] if parts else nobody)

    def atoms(self) -> tuple[Rule, ...]:
        return tuple(atom for rule in self.rules for atom in rule.atoms())

    def describe(self) -> str:
        return " | ".join(rule.describe() for rule in self.rules)


@dataclass(frozen=True, slots=True)
class Not(Rule):
    """Where the part does not hold. A row part that is NULL counts as not holding, on both sides of `~`."""

    rule: Rule

    def simplify(self, principal: Principal) -> Rule:
        part = self.rule.simplify(principal)
        return Constant(not part.value) if isinstance(part, Constant) else Not(part)

    def atoms(self) -> tuple[Rule, ...]:
        return self.rule.atoms()

    def describe(self) -> str:
        return f"~({self.rule.describe()})"


def role(*names: str) -> Rule:
    """Callers who hold at least one of the roles, as they stand now."""
    if not names:
        raise TypeError("role() needs at least one role name")
    return Role(names)


def permission(*names: str) -> Rule:
    """Callers one of whose roles comes to at least one of the permissions, as `Identity(roles=Roles(…))` says."""
    if not names or not all(map(is_permission, names)):
        raise TypeError("permission() needs names of permissions, such as 'listings:publish'; for a role write role()")
    return Role(names)


def scope(name: str) -> Rule:
    """Callers whose token carries the scope `name`. Combine with a role: both have to allow."""
    return Scope(name)


def recent(*, minutes: float = 5) -> Rule:
    """Callers who logged in, or proved a factor, within so long. Others are asked to do it again (401, RFC 9470).

    A key or a job that nobody's log-in stands behind is never recent.
    """
    if minutes * 60 < 1:
        raise ConfigurationError(f"recent(minutes={minutes}): give a second or more")
    return Recent(int(minutes * 60))


def owner(path: str) -> Rule:
    """The caller whose id is in a column of the row, or of a row it points to.

    path: a column (`"tenant_id"`) or relationships and a column (`"property.landlord_id"`). The last column holds
    a user's id. A path through a to-many relationship holds when one of the rows matches.
    """
    return Owner(path)


def member(path: str, *, role: str | None = None, roles: Roles = ORGANISATION_ROLES) -> Rule:
    """Members of the organisation that the row belongs to, as they stand now.

    path: as for `owner`; the last column holds an organisation's id. role: only those whose role within the organisation
    is this one or comes to it. roles: the roles within organisations, where `Organisations(roles=…)` names others.
    Raises ConfigurationError for a role that these do not know.
    """
    return Member(path, role, () if role is None else roles.holding(role))


def where(predicate: ColumnElement[bool] | RowPredicate, *, needs_id: bool = True) -> Rule:
    """Rows for which an SQL expression holds.

    predicate: an expression over the resource's own columns (`Property.status == "listed"`), or a function that
    returns one. A function with a parameter receives `CallerValues`, whose attributes are bind parameters, never
    values: `where(lambda caller: Team.id == caller.claim("team_id", Uuid()))`.
    needs_id: with a caller function, nobody without an id matches; False asks the row for anonymous callers too.
    """
    if hasattr(predicate, "__clause_element__"):  # an attribute of a model: `where(Property.is_public)`
        predicate = predicate.__clause_element__()
    takes_caller = not isinstance(predicate, ColumnElement) and len(inspect.signature(predicate).parameters) > 0
    return Where(predicate, takes_caller=takes_caller, needs_id=needs_id)


@dataclass(frozen=True, slots=True)
class Access:
    """The rules of a resource, by verb. A verb without a rule is closed to all.

    read: which rows exist for the caller. write: stands for create, update and delete where they are not given.
    read_fields, write_fields: further rules for single fields; a field that may not be read is in no answer,
    filter or sort, and one that may not be written is 422.
    """

    read: Rule = nobody
    write: Rule = nobody
    create: Rule | None = None
    update: Rule | None = None
    delete: Rule | None = None
    read_fields: Mapping[str, Rule] = field(default_factory=dict)
    write_fields: Mapping[str, Rule] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what is no rule. Raises ConfigurationError."""
        given: dict[str, Any] = {name: getattr(self, name) for name in ("read", "write", "create", "update", "delete")}
        given |= {f"read_fields[{name!r}]": rule for name, rule in self.read_fields.items()}
        given |= {f"write_fields[{name!r}]": rule for name, rule in self.write_fields.items()}
        for name, rule in given.items():
            if rule is not None and not isinstance(rule, Rule):
                raise ConfigurationError(f"Access({name}={rule!r}): give a rule, such as role('admin') or signed_in")

    def rule(self, verb: str) -> Rule:
        """The rule of `read`, `create`, `update` or `delete`."""
        if verb == "read":
            return self.read
        given: Rule | None = getattr(self, verb)
        return self.write if given is None else given
