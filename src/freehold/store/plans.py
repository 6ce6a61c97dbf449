"""Checked queries -> statements, built once per shape and kept.

The statements are plain selects over the model's table. Which rows exist for the caller is no business of theirs: the
connection they run on writes the access rule in.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from pydantic import BaseModel
from sqlalchemy import BigInteger, ColumnElement, Double, Select, bindparam, case, func, inspect, literal, select
from sqlalchemy.orm import DeclarativeBase, selectinload

from freehold.query.cursor import Position
from freehold.query.fields import FieldSpec, Kind
from freehold.query.request import ListQuery
from freehold.query.spec import RELEVANCE, Facet, ListSpec
from freehold.store.encode import EVERYTHING, SHOW_PREFIX, Encoder, Visibility
from freehold.store.executor import Plan
from freehold.store.plan_conditions import SEARCH, condition_shape, conditions
from freehold.store.plan_expand import Relation, relation
from freehold.store.plan_geo import distance
from freehold.store.plan_keyset import OrderKey, after, order_by
from freehold.store.search import BytewiseText, SearchText, match_count

MAX_PLANS: Final = 256
"""Shapes kept per resource; a client that makes up more pays for building them."""
MOST_RARE: Final = 1_000
"""A search that finds more is common: SQLite tests rows for it, in the order of the list or of another filter."""
MAX_FACET_VALUES: Final = 20
KEY: Final = "q_key"
LIMIT: Final = "q_limit"
VERSION_LABEL: Final = "fh_version"
DISTANCE_LABEL: Final = "fh_distance"


def sort_label(place: int) -> str:
    """The column of a page's row with the sort value at `place`."""
    return f"fh_s{place}"


def relation_label(name: str) -> str:
    """The column of a page's row with the value by which a relationship is looked up."""
    return f"fh_x_{name}"


class ResourcePlans:
    """The plans of one resource.

    registry: the plans of every resource by model, filled by the caller and read when a page expands a relationship.
    """

    def __init__(
        self,
        spec: ListSpec,
        read: type[BaseModel],
        *,
        registry: Mapping[type[DeclarativeBase], ResourcePlans] | None = None,
    ) -> None:
        self.spec = spec
        self.encoder = Encoder(spec.model, read)
        self.relations: Mapping[str, Relation] = {name: relation(spec.model, name) for name in spec.expand}
        self.registry = registry if registry is not None else {}
        self._mapper = inspect(spec.model)
        self._kept: OrderedDict[Hashable, Plan] = OrderedDict()

    def one(self, visibility: Visibility = EVERYTHING, *, expand: Sequence[str] = ()) -> Plan:
        """One row by its key in the bind `q_key`. Labels: the fields, and `fh_version` where rows have one."""

        def build() -> Select[Any]:
            version = self._mapper.version_id_col
            extra: list[ColumnElement[Any]] = [] if version is None else [version.label(VERSION_LABEL)]
            extra += self._lookups(expand)
            key = self.spec.key
            return self._rows(visibility, extra).where(key.column == bindparam(KEY, type_=key.bind_type))

        return self._keep(("one", visibility.shape, tuple(expand)), build)

    def page(self, query: ListQuery, position: Position, visibility: Visibility = EVERYTHING) -> Plan:
        """A page's rows from a place on, in the direction of that place, and one more. See `page_values`."""

        def build() -> Select[Any]:
            keys = self._order(query, position)
            extra: list[ColumnElement[Any]] = [key.expression.label(sort_label(i)) for i, key in enumerate(keys)]
            extra += self._lookups(query.expand)
            if query.near is not None and self.spec.geo is not None:
                extra.append(distance(self.spec.geo).label(DISTANCE_LABEL))
            statement = self._rows(visibility, extra).where(*conditions(self.spec, query))
            if position.values:
                statement = statement.where(after(keys, [value is None for value in position.values]))
            return statement.order_by(*order_by(keys)).limit(bindparam(LIMIT, type_=BigInteger()))

        nulls = tuple(value is None for value in position.values)
        shape = ("page", visibility.shape, query.sort, query.expand, position.direction, nulls)
        return self._keep_query(shape, query, build)

    def count(self, query: ListQuery) -> Plan:
        """How many rows there are on all pages, in one column."""
        return self._keep_query(
            ("count",),
            query,
            lambda: select(func.count()).select_from(self.spec.table).where(*conditions(self.spec, query)),
        )

    def facet(self, query: ListQuery, name: str) -> Plan:
        """How often each value of a field occurs, the 20 most frequent first, and `total` beside each: in all values.

        Of ranges: how often each occurs, by its number; None for rows without a value. The filters on the field itself
        do not count: a client shows what it could choose instead.
        """
        facet = self.spec.facets[name]
        others = without(query, facet.field)
        build = self._facet_of_ranges if facet.edges else self._facet_of_values
        return self._keep_query(("facet", name), others, lambda: build(facet, others))

    def _facet_of_values(self, facet: Facet, query: ListQuery) -> Select[Any]:
        column, number = facet.field.column, func.count()
        total = func.sum(number).over().label("total")
        counted = select(column.label("value"), number.label("number"), total).where(*conditions(self.spec, query))
        ordered = counted.group_by(column).order_by(number.desc(), _in_shared_order(facet.field).nulls_last())
        return ordered.limit(MAX_FACET_VALUES)

    def _facet_of_ranges(self, facet: Facet, query: ListQuery) -> Select[Any]:
        column = facet.field.column
        edges = [literal(edge, facet.field.bind_type) for edge in facet.edges]
        steps = [(column < edge, place) for place, edge in enumerate(edges)]
        place = case((column.is_(None), None), *steps, else_=len(edges)).label("place")
        inner = select(place).where(*conditions(self.spec, query)).subquery("fh_ranges")
        return select(inner.c.place, func.count().label("number")).group_by(inner.c.place)

    def match_count(self) -> Plan:
        """How many rows a search finds at most, up to `MOST_RARE` and one more. On SQLite, which knows no frequencies."""
        assert self.spec.search is not None
        document = self.spec.search

        def build() -> Select[Any]:
            return select(match_count(document, bindparam(SEARCH, type_=SearchText()), MOST_RARE + 1))

        return self._keep(("matches",), build)

    def related(self, found: Relation, visibility: Visibility = EVERYTHING) -> Plan:
        """Rows of this resource that a relationship of another one points to, for the keys in the bind `q_keys`."""
        shape = ("related", found.target_key.name, str(found.remote), found.name, visibility.shape)
        return self._keep(shape, lambda: found.place(self._rows(visibility, [])))

    def sort_kinds(self, query: ListQuery) -> tuple[Kind, ...]:
        """The kinds of the sort values, for the cursor."""
        fields = [self.spec.sort_field(key.name) for key in query.sort]
        return tuple(
            (Kind.INTEGER if key.name == RELEVANCE else Kind.FLOAT) if field is None else field.kind
            for key, field in zip(query.sort, fields, strict=True)
        )

    def _rows(self, visibility: Visibility, extra: Sequence[ColumnElement[Any]]) -> Select[Any]:
        flags = [condition.label(f"{SHOW_PREFIX}{name}") for name, condition in visibility.flags.items()]
        columns = self.encoder.columns
        if columns is not None:
            return select(*(column.label(name) for name, column in columns.items()), *extra, *flags)
        wanted = [each.key for each in self._mapper.relationships if each.key in self.encoder.read.model_fields]
        eager = [selectinload(getattr(self.spec.model, name)) for name in wanted]
        return select(self.spec.model, *extra, *flags).options(*eager)

    def _lookups(self, expand: Sequence[str]) -> list[ColumnElement[Any]]:
        return [self.relations[name].local.label(relation_label(name)) for name in expand]

    def _order(self, query: ListQuery, position: Position) -> list[OrderKey]:
        keys: list[OrderKey] = []
        for key in query.sort:
            field = self.spec.sort_field(key.name)
            if field is not None:
                column = field.order_column
                keys.append(
                    OrderKey(
                        column,
                        column.type if field.key is not None else field.bind_type,
                        key.descending,
                        bool(column.nullable),
                    )
                )
            elif self.spec.geo is not None:
                keys.append(OrderKey(distance(self.spec.geo), Double(), key.descending, nullable=False))
        return keys if position.direction == "after" else [key.turned() for key in keys]

    def _keep_query(self, shape: tuple[Hashable, ...], query: ListQuery, build: Callable[[], Select[Any]]) -> Plan:
        if query.clauses:  # conditions of one's own may differ in text from value to value
            return Plan(build(), None, self.encoder.is_orm and shape[0] == "page")
        return self._keep((*shape, condition_shape(query)), build)

    def _keep(self, shape: tuple[Hashable, ...], build: Callable[[], Select[Any]]) -> Plan:
        found = self._kept.get(shape)
        if found is None:
            gives_rows = shape[0] in {"one", "page", "related"}
            found = self._kept[shape] = Plan(build(), shape, self.encoder.is_orm and gives_rows)
            if len(self._kept) > MAX_PLANS:
                self._kept.popitem(last=False)
        else:
            self._kept.move_to_end(shape)
        return found


def without(query: ListQuery, field: FieldSpec) -> ListQuery:
    """The query without the filters on one field."""
    return replace(query, conditions=tuple(each for each in query.conditions if each.field is not field))


def _in_shared_order(field: FieldSpec) -> ColumnElement[Any]:
    return BytewiseText(field.column) if field.kind in {Kind.TEXT, Kind.CHOICE} else field.column
