"""`Queries` of a resource, checked against its model and read schema at start-up, become a `ListSpec`."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import pairwise
from typing import Any, Final, NoReturn

from pydantic import BaseModel
from sqlalchemy import Column, Table, inspect
from sqlalchemy.orm import DeclarativeBase, Mapper

from freehold.errors import ConfigurationError
from freehold.query.fields import OPERATIONS, FieldSpec, Kind, describe
from freehold.query.readers import reader
from freehold.query.spec import (
    DELETED,
    DISTANCE,
    RELEVANCE,
    RESERVED,
    CustomParameter,
    Facet,
    FilterSpec,
    ListSpec,
    SortKey,
    sort_key,
    split_parameter,
)
from freehold.resource.access import nobody
from freehold.resource.columns import Derived, derived_columns
from freehold.resource.declaration import Filter, Ranges, Resource

MAX_EDGES: Final = 50
_RANGED: Final = frozenset({Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT, Kind.DATE})


def build_spec(
    resource: Resource, read: type[BaseModel], *, expandable: Collection[type[DeclarativeBase]] = ()
) -> ListSpec:
    """Check `resource.queries` and describe what may be asked.

    read: the read schema; what it does not show can be neither filtered nor sorted by. expandable: the models that
    have a resource, and with it a read schema. Raises ConfigurationError with the resource's name and the remedy.
    """
    return _Builder(resource, read, frozenset(expandable)).build()


class _Builder:
    def __init__(self, resource: Resource, read: type[BaseModel], expandable: frozenset[type[DeclarativeBase]]) -> None:
        self.resource = resource
        self.queries = resource.queries
        self.expandable = expandable
        self.mapper: Mapper[Any] = inspect(resource.model)
        assert isinstance(self.mapper.local_table, Table)
        self.table: Table = self.mapper.local_table
        self.derived: dict[str, Derived] = derived_columns(self.table)
        self.fields = {field.name: field for field in self._fields(shown_attributes(read))}

    def build(self) -> ListSpec:
        queries = self.queries
        self._check_sources()
        geo = self._geo()
        sorts = self._sorts(has_geo=geo is not None)
        search = self._search()
        return ListSpec(
            resource=self.resource.name,
            model=self.resource.model,
            table=self.table,
            key=self._key(),
            fields=self.fields,
            filters=dict(self._filters()),
            custom=dict(self._custom()),
            sorts=sorts,
            sorts_by_distance=geo is not None and (queries.sort is None or DISTANCE in _names(queries.sort)),
            default_sort=self._default_sort(),
            search=search,
            search_sources=frozenset(queries.search),
            sorts_by_relevance=search is not None and RELEVANCE not in sorts,
            geo=geo,
            expand={name: self._expansion(name) for name in queries.expand},
            facets=dict(self._facet(each) for each in queries.facets),
            page_size=self._page_size(),
            max_page_size=queries.max_page_size,
            shows_deleted=self.resource.restored_by is not None,
        )

    def _check_sources(self) -> None:
        for name, recipe in self.derived.items():
            for source in recipe.sources:
                if source not in self.table.c:
                    self.refuse(
                        f"{self.table.name}.{name} is derived from {source!r}, which is no column; "
                        f"it has {', '.join(self.table.c.keys())}"
                    )

    def refuse(self, message: str) -> NoReturn:
        raise ConfigurationError(f"resource {self.resource.name!r}: {message}")

    def _fields(self, shown: frozenset[str]) -> Iterator[FieldSpec]:
        for attribute in self.mapper.column_attrs:
            column = attribute.columns[0]
            if attribute.key not in shown or not isinstance(column, Column):
                continue
            if self.resource.access.read_fields.get(attribute.key) == nobody:
                continue
            field = describe(attribute.key, column, self._folded_key(column))
            if field is not None:
                yield field

    def _folded_key(self, column: Column[Any]) -> Column[Any] | None:
        for name, recipe in self.derived.items():
            if recipe.kind == "folded" and recipe.sources == (column.name,):
                return self.table.c[name]
        return None

    def _key(self) -> FieldSpec:
        if len(self.mapper.primary_key) != 1:
            self.refuse("a resource needs one primary key column; give the table a key of its own, such as Base's id")
        column = self.mapper.primary_key[0]
        assert isinstance(column, Column)
        field = describe(self.mapper.get_property_by_column(column).key, column)
        if field is None:
            self.refuse(f"a primary key of type {column.type!r} cannot order a list; use UUID, an integer or text")
        return field

    def _field(self, name: str, where: str) -> FieldSpec:
        if name in self.fields:
            return self.fields[name]
        attribute = self.mapper.column_attrs.get(name)
        if attribute is None:
            known = ", ".join(sorted(self.fields))
            self.refuse(f"{where} names {name!r}, which is no column; it has {known}")
        column = attribute.columns[0]
        if not isinstance(column, Column):
            self.refuse(f"{where} names {name!r}, which is an expression; use a Filter")
        if describe(name, column) is None:
            self.refuse(f"{where} names {name!r}, whose type {column.type!r} cannot be asked for; use a Filter")
        return self.refuse(
            f"{where} names {name!r}, which no caller may read; show it in the read schema or take it out"
        )

    def _filters(self) -> Iterator[tuple[str, FilterSpec]]:
        if self.queries.filters is None:
            yield from self._default_filters()
            return
        for declared in self.queries.filters:
            if isinstance(declared, Filter):
                continue
            name, operation = split_parameter(declared)
            field = self._field(name, "filters")
            self._check_operation(field, operation, declared)
            self._check_reserved(declared)
            yield declared, FilterSpec(field, operation)

    def _default_filters(self) -> Iterator[tuple[str, FilterSpec]]:
        for field in self.fields.values():
            for operation in field.operations:
                parameter = field.name if operation == "eq" else f"{field.name}__{operation}"
                if parameter not in RESERVED and not (parameter == DELETED and self.resource.restored_by):
                    yield parameter, FilterSpec(field, operation)

    def _check_operation(self, field: FieldSpec, operation: str, declared: str) -> None:
        if operation in field.operations:
            return
        if operation not in OPERATIONS:
            self.refuse(f"filters names {declared!r}: no operation {operation!r}; there are {', '.join(OPERATIONS)}")
        if field.kind is Kind.TEXT and operation != "isnull":
            self.refuse(f"the filter {declared!r} {self._needs_key(field)}")
        self.refuse(f"the filter {declared!r} does not fit; {field.name} allows {', '.join(field.operations)}")

    def _needs_key(self, field: FieldSpec) -> str:
        return (
            "needs a folded key, or it would differ between databases: "
            f"add {field.name}_key: Mapped[str] = folded({field.column.name!r}, index=True) to {self.resource.model.__name__}"
        )

    def _check_reserved(self, parameter: str) -> None:
        if parameter in RESERVED or (parameter == DELETED and self.resource.restored_by is not None):
            self.refuse(f"the parameter {parameter!r} belongs to every list; rename the attribute or use a Filter")

    def _custom(self) -> Iterator[tuple[str, CustomParameter]]:
        for declared in self.queries.filters or ():
            if isinstance(declared, Filter):
                for parameter, type_ in declared.params.items():
                    self._check_reserved(parameter)
                    yield parameter, CustomParameter(declared, reader(type_))

    def _sorts(self, *, has_geo: bool) -> dict[str, FieldSpec]:
        if self.queries.sort is None:
            return {f.name: f for f in self.fields.values() if f.is_ordered and f.is_indexed}
        found: dict[str, FieldSpec] = {}
        for name in _names(self.queries.sort):
            if name == DISTANCE and name not in self.mapper.column_attrs:
                if not has_geo:
                    self.refuse("sort names 'distance', which needs Queries(geo=Geo())")
                continue
            if name == RELEVANCE and name not in self.mapper.column_attrs:
                if not self.queries.search:
                    self.refuse("sort names 'relevance', which needs Queries(search=[...])")
                continue
            found[name] = self._sortable(name)
        return found

    def _sortable(self, name: str) -> FieldSpec:
        field = self._field(name, "sort")
        if field.kind is Kind.TEXT and field.key is None and field.column is not self._key().column:
            self.refuse(f"the sort {name!r} {self._needs_key(field)}")
        if not field.is_ordered and field.column is not self._key().column:
            self.refuse(f"cannot sort by {name!r}: {field.kind} has no order that all databases share")
        if not field.is_indexed:
            column = field.order_column.name
            self.refuse(f"the sort {name!r} has no index; add index=True to {self.table.name}.{column}")
        return field

    def _default_sort(self) -> tuple[SortKey, ...]:
        first = next((s for s in self.queries.sort or () if s.lstrip("-") not in (DISTANCE, RELEVANCE)), None)
        return (SortKey(self._key().name, descending=True),) if first is None else (sort_key(first),)

    def _search(self) -> Column[Any] | None:
        names = self.queries.search
        if not names:
            return None
        columns = {self._field(name, "search").column.name for name in names}
        for name, recipe in self.derived.items():
            if recipe.kind == "search" and set(recipe.sources) == columns:
                return self.table.c[name]
        wanted = ", ".join(repr(name) for name in names)
        return self.refuse(
            f"search needs its document: add search: Mapped[str] = search_document({wanted}) to the model"
        )

    def _geo(self) -> tuple[FieldSpec, FieldSpec] | None:
        if self.queries.geo is None:
            return None
        latitude, longitude = (self._field(n, "geo") for n in (self.queries.geo.latitude, self.queries.geo.longitude))
        for field in (latitude, longitude):
            if field.kind not in {Kind.FLOAT, Kind.DECIMAL}:
                self.refuse(f"geo names {field.name!r}, which holds no degrees; use Float or Numeric")
        if not latitude.is_indexed:
            self.refuse(f"geo needs an index that starts with {latitude.name}; add index=True to it")
        return latitude, longitude

    def _expansion(self, name: str) -> frozenset[str]:
        if name not in self.mapper.relationships:
            known = ", ".join(sorted(self.mapper.relationships.keys())) or "none"
            self.refuse(f"expand names {name!r}, which is no relationship; it has {known}")
        relation = self.mapper.relationships[name]
        if relation.mapper.class_ not in self.expandable:
            self.refuse(
                f"expand names {name!r}: {relation.mapper.class_.__name__} has no Resource that says what is shown; "
                "pass one to Freehold(...) as well"
            )
        own = {self.mapper.get_property_by_column(column).key for column in relation.local_columns}
        return frozenset({name, *own})

    def _facet(self, declared: str | Ranges) -> tuple[str, Facet]:
        if isinstance(declared, str):
            return declared, Facet(self._field(declared, "facets"))
        field, edges = self._field(declared.name, "facets"), tuple(declared.edges)
        if field.kind not in _RANGED:
            self.refuse(f"facets names ranges of {field.name!r}, which is neither a number nor a day")
        if not 1 <= len(edges) <= MAX_EDGES or any(left >= right for left, right in pairwise(edges)):
            self.refuse(f"the ranges of {field.name!r} need 1 to {MAX_EDGES} edges, each larger than the one before")
        return declared.name, Facet(field, edges)

    def _page_size(self) -> int:
        if not 1 <= self.queries.page_size <= self.queries.max_page_size:
            self.refuse("page_size has to lie between 1 and max_page_size")
        return self.queries.page_size


def _names(declared: Collection[str]) -> list[str]:
    return [name.removeprefix("-") for name in declared]


def shown_attributes(read: type[BaseModel]) -> frozenset[str]:
    """Attributes of the model that a read schema takes its fields from."""
    names: set[str] = set()
    for name, field in read.model_fields.items():
        alias = field.validation_alias
        names.add(alias if isinstance(alias, str) else name)
        names.add(name)
    return frozenset(names)
