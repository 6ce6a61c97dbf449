"""A change of a row and the records of it by prepared statements, for models of which nothing but columns is asked.

See `new_rows`: what may have a say beside the columns, and what goes wrong, is left to the flush.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any, Final

from sqlalchemy import Table, Update, bindparam, inspect, literal, select, update
from sqlalchemy.orm import DeclarativeBase, Mapper

from freehold.resource.access import Constant, Rule
from freehold.resource.applications import counting_for
from freehold.resource.columns import Derived, derived_columns
from freehold.resource.principal import Principal
from freehold.store import records
from freehold.store.at_once import Alone, Doing, answered
from freehold.store.executor import Plan
from freehold.store.fetched import Fetched
from freehold.store.invariants import bounds_of
from freehold.store.plain_models import at_update, is_plain
from freehold.store.prepared import Prepared, prepare
from freehold.store.protection import Shape
from freehold.store.rule_clause import RuleClause
from freehold.store.straight import NotStraight, Straight
from freehold.store.trail import Deed, Trails
from freehold.store.unit import Unit
from freehold.store.ways import NotAtOnce

_MAY: Final = "fh_may"
_MOST_TEXTS: Final = 200
"""Sets of columns that are changed together, whose text is kept; of a client that makes up more, the oldest goes."""


class ChangedRows:
    """Changes rows of one model under one rule. `of` gives None where that is the flush's."""

    def __init__(self, model: type[DeclarativeBase], mapper: Mapper[Any], table: Table, rule: Rule) -> None:
        self._model, self._table, self._rule = model, table, rule
        self._columns = {mapper.get_property_by_column(column).key: column for column in table.c}
        self._attributes = {column.name: key for key, column in self._columns.items()}
        self._derived: dict[str, Derived] = derived_columns(table)
        self._version = mapper.get_property_by_column(mapper.version_id_col).key  # type: ignore[arg-type]  # `of` asks
        self._next_version: Any = mapper.version_id_generator
        self._touched = {key: touch for key, column in self._columns.items() if (touch := at_update(column))}
        (key,) = table.primary_key
        self._key = key
        self._loads: dict[Any, Prepared] = {}
        self._changes: dict[Any, list[Prepared]] = {}
        self._wholes: dict[Any, Prepared | None] = {}

    @classmethod
    def of(cls, model: type[DeclarativeBase], rule: Rule) -> ChangedRows | None:
        """The changes of a model whose rows are their columns and nothing more."""
        mapper: Mapper[Any] = inspect(model)
        table = mapper.local_table
        if not isinstance(table, Table) or not is_plain(mapper) or bounds_of(table) or mapper.version_id_col is None:
            return None
        return cls(model, mapper, table, rule)

    def has(self, names: Iterable[str]) -> bool:
        """Whether all of these are columns of the model, by their attributes."""
        return self._columns.keys() >= set(names)

    async def load(self, straight: Straight, key: object) -> dict[str, Any]:
        """The row under the read rule, locked. Raises NotStraight unless it is there and may be changed."""
        prepared = self._loading(straight.dialect, straight.principal, straight.scope.shape, locks=True)
        return self._row(prepared.rows(await straight.run([(prepared, {"fh_key": key})])))

    async def look(self, alone: Alone, key: object) -> dict[str, Any]:
        """The same without a lock."""
        prepared = self._loading(alone.dialect, alone.principal, alone.shape, locks=False)
        return self._row(await alone.read(prepared, {"fh_key": key}, key="fh_key"))

    def _row(self, found: Fetched) -> dict[str, Any]:
        if not found or not (row := found[0])[-1]:
            raise NotStraight
        return dict(zip(self._columns, row, strict=False))

    def _loading(self, dialect: Any, principal: Principal, shape: Shape, *, locks: bool) -> Prepared:
        place = dialect, locks
        if place not in self._loads:
            self._loads[place] = self._load(dialect, principal, shape, locks=locks)
        return self._loads[place]

    def _load(self, dialect: Any, principal: Principal, shape: Shape, *, locks: bool) -> Prepared:
        left = counting_for(self._rule, principal).simplify(principal)
        may = literal(left.value) if isinstance(left, Constant) else RuleClause(shape.for_rule(left, self._model))
        columns = [column.label(key) for key, column in self._columns.items()]
        statement = select(*columns, may.label(_MAY)).where(self._key == bindparam("fh_key", type_=self._key.type))
        if locks:
            statement = statement.with_for_update(of=self._table, key_share=True)
        prepared = prepare(Plan(statement, ("load",)), dialect)
        if prepared is None:
            raise NotStraight
        prepared.locks = frozenset()  # those alone that the caller may change (`JUDGED`)
        return prepared

    def changed(self, shape: Shape, row: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
        """What is truly changed, by attribute. Raises NotStraight for nothing, and for whose row it is."""
        found = {
            key: value for key, value in values.items() if not self._columns[key].type.compare_values(row[key], value)
        }
        protection = shape.registry.find(self._table.name)
        moves = protection is not None and not protection.binding.isdisjoint(self._columns[key].name for key in found)
        if not found or moves:
            raise NotStraight
        return found

    async def change(
        self, unit: Unit, straight: Straight, subject: str, row: Mapping[str, Any], changed: Mapping[str, Any]
    ) -> None:
        """Change a row that was loaded, and record it. Raises NotStraight where its rule lets no row be changed."""
        params, names, has_values = self._params(unit, unit.trail.trails, subject, row, changed)
        prepared = self._prepared(straight, names, has_values)
        if len(await straight.run([(each, params) for each in prepared])) != 1:
            raise NotStraight

    async def change_whole(
        self, doing: Doing, plan: Plan, subject: str, row: Mapping[str, Any], changed: Mapping[str, Any]
    ) -> Fetched:
        """Change a row that was looked at, unless it has changed since, at once; see `answered`.

        Raises NotAtOnce, also where it was too late.
        """
        params, names, has_values = self._params(doing, doing.trails, subject, row, changed)
        found = await doing.write(self._whole(doing, plan, names, has_values), params)
        if not found:
            raise NotAtOnce
        return found

    def _params(
        self, deed: Deed, trails: Trails, subject: str, row: Mapping[str, Any], changed: Mapping[str, Any]
    ) -> tuple[dict[str, Any], tuple[str, ...], bool]:
        """Values of the statements, the columns that they change, and whether values stand beside the record."""
        new = self._new(row, changed)
        key = row[self._attributes[self._key.name]]
        record, kept = trails.updated(deed, self._model, subject, str(key), was=row, changed=changed)
        params = {f"row_{name}": value for name, value in new.items()} | records.params(record, kept)
        params |= {"fh_key": key, "fh_version": row[self._version]}
        return params, tuple(name for name in self._columns if name in new), kept is not None

    def _new(self, row: Mapping[str, Any], changed: Mapping[str, Any]) -> dict[str, Any]:
        new = {**changed, **{key: touch() for key, touch in self._touched.items() if key not in changed}}
        after = {**row, **changed}
        for name, recipe in self._derived.items():
            sources = {source: self._attributes[source] for source in recipe.sources}
            if not changed.keys().isdisjoint(sources.values()):
                now = {source: after[key] for source, key in sources.items()}
                new[self._attributes[name]] = recipe.value(now, self._table.c[name])
        new[self._version] = self._next_version(row[self._version])
        return new

    def _prepared(self, straight: Straight, names: tuple[str, ...], has_values: bool) -> list[Prepared]:  # noqa: FBT001 (half of a key)
        place = straight.dialect, names, has_values
        if place not in self._changes:
            _make_room(self._changes)
            change = self._update(names).returning(self._key)
            self._changes[place] = records.prepared([*records.inserts(has_values=has_values), change], straight.dialect)
        return self._changes[place]

    def _whole(self, doing: Doing, plan: Plan, names: tuple[str, ...], has_values: bool) -> Prepared:  # noqa: FBT001 (half of a key)
        place = doing.dialect, names, has_values
        if place not in self._wholes:
            _make_room(self._wholes)
            after = partial(records.inserts_after, has_values=has_values)
            whole = answered(self._update(names), plan, doing.shape, before=after)
            self._wholes[place] = records.whole(whole, doing.dialect)
        found = self._wholes[place]
        if found is None:
            raise NotAtOnce
        return found

    def _update(self, names: tuple[str, ...]) -> Update:
        version = self._columns[self._version]
        values = {self._columns[n].key: bindparam(f"row_{n}", type_=self._columns[n].type) for n in names}
        return (
            update(self._table)
            .where(self._key == bindparam("fh_key", type_=self._key.type))
            .where(version == bindparam("fh_version", type_=version.type))
            .values(values)
        )


def _make_room(kept: dict[Any, Any]) -> None:
    """For one more text. What is in use is soon made again."""
    if len(kept) >= _MOST_TEXTS:
        del kept[next(iter(kept))]
