"""An access rule about rows becomes an SQL condition.

Rules are read against the raw tables: a rule that looks at a second table is not narrowed by that table's own rule,
otherwise a hidden parent would hide its children from their owner.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import ColumnElement, Uuid, and_, bindparam, false, inspect, literal, not_, or_, true
from sqlalchemy.orm import DeclarativeBase, Mapper
from sqlalchemy.sql import func, visitors
from sqlalchemy.types import TypeEngine

from freehold.errors import ConfigurationError
from freehold.resource.access import All, Constant, Either, Member, Not, Owner, Rule, Where
from freehold.resource.principal import Principal
from freehold.store.memberships import organisations_of


class CallerValues(Protocol):
    """What a rule may know of the caller, as SQL: bind parameters, never values in the text."""

    @property
    def id(self) -> ColumnElement[UUID]:
        """The caller's id; NULL for nobody."""
        ...

    def claim(self, name: str, type_: TypeEngine[Any]) -> ColumnElement[Any]:
        """A claim of the principal; NULL where it has none."""
        ...


class BoundCaller:
    """Values read from a source each time that a statement runs: one compiled text serves every caller."""

    def __init__(self, source: Callable[[], Principal]) -> None:
        self._source = source
        self._id: ColumnElement[UUID] = bindparam("fh_caller_id", callable_=lambda: source().id, type_=Uuid())
        self._claims: dict[str, ColumnElement[Any]] = {}

    @property
    def id(self) -> ColumnElement[UUID]:
        return self._id

    def claim(self, name: str, type_: TypeEngine[Any]) -> ColumnElement[Any]:
        if name not in self._claims:
            self._claims[name] = bindparam(
                f"fh_claim_{name}", callable_=lambda: self._source().claims.get(name), type_=type_
            )
        return self._claims[name]


class LiteralCaller:
    """Values of one principal, for statements that are built for it alone."""

    def __init__(self, principal: Principal) -> None:
        self._principal = principal

    @property
    def id(self) -> ColumnElement[UUID]:
        return literal(self._principal.id, Uuid())

    def claim(self, name: str, type_: TypeEngine[Any]) -> ColumnElement[Any]:
        return literal(self._principal.claims.get(name), type_)


def condition(  # noqa: PLR0911 (one return for each kind of rule)
    rule: Rule, model: type[DeclarativeBase], caller: CallerValues
) -> ColumnElement[bool]:
    """The SQL condition of a rule that is already simplified for its caller."""
    match rule:
        case Constant(value=value):
            return true() if value else false()
        case All(rules=rules):
            return and_(*(condition(part, model, caller) for part in rules))
        case Either(rules=rules):
            return or_(*(condition(part, model, caller) for part in rules))
        case Not(rule=inner):
            # NULL must not slip through a negation: unknown counts as "does not hold", and so its negation as "holds".
            return not_(func.coalesce(condition(inner, model, caller), false()))
        case Owner(path=path):
            return _at_end(model, path.split("."), rule, lambda column: column == caller.id)
        case Member(path=path, held=held):
            return _at_end(model, path.split("."), rule, lambda column: column.in_(organisations_of(caller.id, held)))
        case Where(predicate=predicate, takes_caller=takes_caller):
            if isinstance(predicate, ColumnElement):
                return predicate
            return predicate(caller) if takes_caller else predicate()
    raise TypeError(f"{rule!r} asks about the caller and has to be simplified first")


def _at_end(
    model: type[DeclarativeBase], path: list[str], rule: Rule, asked: Callable[[Any], ColumnElement[bool]]
) -> ColumnElement[bool]:
    """What is asked of the column at the end of a path, said of the row at its beginning."""
    mapper: Mapper[Any] = inspect(model)
    name, *rest = path
    if not rest:
        if name not in mapper.column_attrs:
            raise ConfigurationError(_unknown(model, name, rule, list(mapper.column_attrs.keys()), "column"))
        return asked(getattr(model, name))
    if name not in mapper.relationships:
        raise ConfigurationError(_unknown(model, name, rule, list(mapper.relationships.keys()), "relationship"))
    relation = mapper.relationships[name]
    inner = _at_end(relation.mapper.class_, rest, rule, asked)
    attribute = getattr(model, name)
    matched: ColumnElement[bool] = attribute.any(inner) if relation.uselist else attribute.has(inner)
    return matched


def _unknown(model: type[DeclarativeBase], name: str, rule: Rule, known: list[str], kind: str) -> str:
    return f"{rule.describe()} on {model.__name__}: no {kind} {name!r}; it has {', '.join(sorted(known)) or 'none'}"


def binding_columns(rule: Rule, model: type[DeclarativeBase]) -> frozenset[str]:
    """Columns of the model's own table whose value decides whose row it is: changing one moves the row."""
    mapper: Mapper[Any] = inspect(model)
    found: set[str] = set()
    for atom in rule.atoms():
        if isinstance(atom, Owner | Member):
            first, *rest = atom.path.split(".")
            if not rest and first in mapper.column_attrs:
                found.update(column.name for column in mapper.column_attrs[first].columns)
            elif rest and first in mapper.relationships:
                found.update(column.name for column in mapper.relationships[first].local_columns if column.name)
        elif isinstance(atom, Where) and atom.takes_caller:
            found.update(_columns_of(condition(atom, model, LiteralCaller(Principal())), mapper))
    return frozenset(found) - {column.name for column in mapper.primary_key}


def columns_named(rule: Rule, model: type[DeclarativeBase]) -> frozenset[str]:
    """Columns of the model's own table that the rule looks at in any way."""
    mapper: Mapper[Any] = inspect(model)
    asked = [atom for atom in rule.atoms() if isinstance(atom, Owner | Member | Where)]
    found = (_columns_of(condition(atom, model, LiteralCaller(Principal())), mapper) for atom in asked)
    return frozenset().union(*found)


def _columns_of(expression: ColumnElement[bool], mapper: Mapper[Any]) -> set[str]:
    return {
        element.name
        for element in visitors.iterate(expression)
        if getattr(element, "table", None) is mapper.local_table and hasattr(element, "name")
    }
