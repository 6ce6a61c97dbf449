"""A new row and the records of it as one prepared piece, for models of which nothing but columns is asked.

SQLAlchemy's flush asks an object, its mapper and its session what to do for each row. Of most models the answer is the same each
time: these values, these defaults, this INSERT. Where anything else may have a say (an event, a validator, a
constructor, a rule that only the database can judge) there is no such piece, and the flush does it.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Column, Insert, Table, inspect
from sqlalchemy.orm import DeclarativeBase, Mapper

from freehold.resource.access import Constant
from freehold.resource.columns import Derived, derived_columns
from freehold.resource.columns import given as given_source
from freehold.resource.principal import Principal
from freehold.store import records
from freehold.store.at_once import Doing, answered
from freehold.store.executor import Plan
from freehold.store.invariants import bounds_of
from freehold.store.judgement import judge_values
from freehold.store.plain_models import at_insert, is_plain
from freehold.store.prepared import Prepared
from freehold.store.protection import Shape
from freehold.store.straight import Straight
from freehold.store.unit import Unit
from freehold.store.ways import NotAtOnce


class NewRows:
    """Inserts rows of one model. `of` gives None where that is the flush's."""

    def __init__(self, model: type[DeclarativeBase], mapper: Mapper[Any], table: Table) -> None:
        self.table = table
        self._model = model
        self._attributes = {mapper.get_property_by_column(column).key: column for column in table.c}
        derived = derived_columns(table)
        self._derived = [self._recipe(table.c[name], recipe) for name, recipe in derived.items()]
        self._binds = [f"row_{name}" for name in self._attributes]
        version: Any = mapper.version_id_col
        self._version = None if version is None else mapper.get_property_by_column(version).key
        self._first_version: Any = mapper.version_id_generator
        made = [(key, at_insert(column)) for key, column in self._attributes.items() if column.name not in derived]
        self._defaults = [(key, default) for key, default in made if default is not None]
        self._pieces: dict[Any, list[Prepared]] = {}
        self._wholes: dict[Any, Prepared | None] = {}

    @classmethod
    def of(cls, model: type[DeclarativeBase]) -> NewRows | None:
        """The inserts of a model whose rows are their columns and nothing more."""
        mapper: Mapper[Any] = inspect(model)
        table = mapper.local_table
        if not isinstance(table, Table) or not is_plain(mapper) or bounds_of(table):
            return None
        return cls(model, mapper, table)

    def has(self, names: AbstractSet[str]) -> bool:
        """Whether all of these are columns of the model, by their attributes."""
        return self._attributes.keys() >= names

    def values(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Every attribute of the new row, in the order of the columns: as given, by default, or derived."""
        found: dict[str, Any] = dict.fromkeys(self._attributes)
        found.update(given)
        for key, default in self._defaults:
            if found[key] is None:
                found[key] = default()
        if self._version is not None:
            found[self._version] = self._first_version(None)
        for attribute, recipe, column, sources in self._derived:
            row = {name: given[key] if key in given else given_source(source, {}) for name, key, source in sources}
            found[attribute] = recipe.value(row, column)
        return found

    def _recipe(self, column: Column[Any], recipe: Derived) -> tuple[str, Derived, Column[Any], list[Any]]:
        """Attribute, recipe and column; and of what it is made: name, attribute and column of each."""
        sources = [
            (name, _key_of(self._attributes, column.table.c[name]), column.table.c[name]) for name in recipe.sources
        ]
        return _key_of(self._attributes, column), recipe, column, sources

    def may_insert(self, values: Mapping[str, Any], shape: Shape, principal: Principal) -> bool:
        """Whether the row's own values satisfy the rule of the creation. No is said by the flush, which may ask the database."""
        protection = shape.registry.find(self.table.name)
        if protection is None:
            return True
        rule = shape.rule(protection, "create")
        if type(rule) is Constant:
            return rule.value
        return judge_values(rule, SimpleNamespace(**values), principal) is True

    async def insert(self, unit: Unit, straight: Straight, subject: str, key: str, values: Mapping[str, Any]) -> None:
        """Insert a row that may be, and the records of it. Raises NotStraight."""
        record, kept = unit.trail.trails.created(unit, self._model, subject, str(values[key]), values)
        params = dict(zip(self._binds, values.values(), strict=True))
        params |= records.params(record, kept)
        await straight.run([(each, params) for each in self._prepared(straight, has_values=kept is not None)])

    def whole(
        self, doing: Doing, plan: Plan, subject: str, key: str, values: Mapping[str, Any]
    ) -> tuple[Prepared, dict[str, Any]]:
        """What inserts a row that may be, and the records of it, at once, and its values; see `answered`. Raises NotAtOnce.

        key: of the row, as text.
        """
        record, kept = doing.trails.created(doing, self._model, subject, key, values)
        params = dict(zip(self._binds, values.values(), strict=True))
        params |= records.params(record, kept)
        return self._whole(doing, plan, subject, has_values=kept is not None), params

    def _prepared(self, straight: Straight, *, has_values: bool) -> list[Prepared]:
        place = straight.dialect, has_values
        if place not in self._pieces:
            inserts = records.inserts(has_values=has_values)
            self._pieces[place] = records.prepared([self._insert(), *inserts], straight.dialect)
        return self._pieces[place]

    def _whole(self, doing: Doing, plan: Plan, subject: str, *, has_values: bool) -> Prepared:
        place = doing.dialect, subject, has_values
        if place not in self._wholes:
            inserts = records.inserts(has_values=has_values, created=subject)
            whole = answered(self._insert(), plan, doing.shape, before=lambda _: inserts)
            key = {column.key: f"row_{name}" for name, column in self._attributes.items() if column.primary_key}
            self._wholes[place] = records.whole(whole, doing.dialect, key=key)
        found = self._wholes[place]
        if found is None:
            raise NotAtOnce
        return found

    def _insert(self) -> Insert:
        return records.insert_of(self.table, {column.key: f"row_{name}" for name, column in self._attributes.items()})


def _key_of(attributes: Mapping[str, Column[Any]], column: Column[Any]) -> str:
    return next(key for key, each in attributes.items() if each is column)
