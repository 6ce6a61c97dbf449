"""Related rows of a whole page in one further statement per relationship."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, NoReturn

from sqlalchemy import BinaryExpression, Column, ColumnElement, Select, Table, func, inspect, select
from sqlalchemy.orm import DeclarativeBase, RelationshipDirection, RelationshipProperty
from sqlalchemy.sql import operators

from freehold.errors import ConfigurationError
from freehold.store.plan_conditions import among

MAX_RELATED: Final = 100
"""Rows of a to-many relationship shown with one parent."""
KEYS: Final = "q_keys"
PARENT_LABEL: Final = "fh_parent"


@dataclass(frozen=True, slots=True, eq=False)
class Relation:
    """A relationship that a list may expand.

    local: the parent's column whose values are looked up. remote: the column that holds them, on the related table or,
    many to many, on `link`, whose `link_target` column points to `target_key` of the related table.
    """

    name: str
    target: type[DeclarativeBase]
    many: bool
    local: Column[Any]
    remote: Column[Any]
    target_key: Column[Any]
    order: tuple[ColumnElement[Any], ...]
    link: Table | None = None
    link_target: Column[Any] | None = None

    def place(self, statement: Select[Any], number: int) -> Select[Any]:
        """Narrow a SELECT of related rows to those of so many parents, with the parent's key beside each. See `among`."""
        if self.link is None and not self.many:
            keyed = statement.add_columns(self.remote.label(PARENT_LABEL))
            return keyed.where(among(self.remote, KEYS, number, self.local.type))
        ranked = self._ranked(number).subquery("fh_ranked")
        parent = ranked.c[PARENT_LABEL]
        return (
            statement.add_columns(parent.label(PARENT_LABEL))
            .join_from(self.target_key.table, ranked, self.target_key == ranked.c.fh_key)
            .where(ranked.c.fh_place <= MAX_RELATED)
            .order_by(parent, ranked.c.fh_place)
        )

    def _ranked(self, number: int) -> Select[Any]:
        place = func.row_number().over(partition_by=self.remote, order_by=(*self.order, self.target_key))
        inner = select(self.target_key.label("fh_key"), self.remote.label(PARENT_LABEL), place.label("fh_place")).where(
            among(self.remote, KEYS, number, self.local.type)
        )
        if self.link is None or self.link_target is None:
            return inner
        return inner.select_from(self.target_key.table.join(self.link, self.link_target == self.target_key))


def relation(model: type[DeclarativeBase], name: str) -> Relation:
    """Describe a relationship. Raises ConfigurationError for one that one lookup by key cannot serve."""
    prop: RelationshipProperty[Any] = inspect(model).relationships[name]
    target = prop.mapper
    if len(target.primary_key) != 1 or not isinstance(target.primary_key[0], Column):
        _refuse(model, name, "its target has no single primary key column")
    many_to_many = prop.direction is RelationshipDirection.MANYTOMANY
    pairs = prop.synchronize_pairs
    if len(pairs) != 1 or not _is_plain(prop.primaryjoin):
        _refuse(model, name, "it joins by more than one column equal to another")
    first, second = pairs[0]
    local, remote = (second, first) if prop.direction is RelationshipDirection.MANYTOONE else (first, second)
    if not isinstance(local, Column) or not isinstance(remote, Column):
        _refuse(model, name, "it joins by an expression")
    link_target = _link_target(prop) if many_to_many else None
    if many_to_many and link_target is None:
        _refuse(model, name, "its link table does not point to the primary key of the target")
    return Relation(
        name=name,
        target=target.class_,
        many=bool(prop.uselist),
        local=local,
        remote=remote,
        target_key=target.primary_key[0],
        order=tuple(prop.order_by or ()),
        link=prop.secondary if many_to_many and isinstance(prop.secondary, Table) else None,
        link_target=link_target,
    )


def _link_target(prop: RelationshipProperty[Any]) -> Column[Any] | None:
    pairs = prop.secondary_synchronize_pairs or []
    if len(pairs) != 1 or pairs[0][0] is not prop.mapper.primary_key[0]:
        return None
    pointing = pairs[0][1]
    return pointing if isinstance(pointing, Column) else None


def _is_plain(condition: ColumnElement[bool]) -> bool:
    return isinstance(condition, BinaryExpression) and condition.operator is operators.eq


def _refuse(model: type[DeclarativeBase], name: str, why: str) -> NoReturn:
    raise ConfigurationError(
        f"expand names {model.__name__}.{name}, which cannot be expanded: {why}. Show it by a view of your own"
    )
