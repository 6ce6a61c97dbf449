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
from sqlalchemy import BigInteger, Column, ColumnElement, Double, Select, String, bindparam, func, inspect, select
from sqlalchemy.orm import DeclarativeBase, selectinload
from sqlalchemy.types import TypeEngine

from freehold.query.cursor import START, Position
from freehold.query.fields import FieldSpec, Kind
from freehold.query.request import ListQuery
from freehold.query.spec import RELEVANCE, ListSpec
from freehold.resource.search_index import fts_table
from freehold.resource.trigram_index import trigram_table
from freehold.store.encode import EVERYTHING, SHOW_PREFIX, Encoder, Visibility
from freehold.store.executor import Plan, Statement
from freehold.store.plan_conditions import SEARCH, condition_shape, conditions
from freehold.store.plan_expand import Relation, relation
from freehold.store.plan_facet_counts import facet_counts
from freehold.store.plan_geo import distance
from freehold.store.plan_keyset import OrderKey, after, marks_of, order_by
from freehold.store.rule_clause import RuleClause
from freehold.store.search import SearchText, match_count

MAX_PLANS: Final = 256
"""Shapes kept per resource; a client that makes up more pays for building them."""
MOST_RARE: Final = 1_000
"""A search that finds more is common: SQLite tests rows for it, in the order of the list or of another filter."""
FIRST: Final = 500
"""Rows that SQLite walks past for a page before it begins with what narrows the list: about a millisecond's work."""
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
        # By place, what a plan of rows selects before anything else: the fields, or the object.
        self._shown: dict[ColumnElement[Any], int] = {
            column: place for place, column in enumerate((self.encoder.columns or {}).values())
        }
        self._begins = len(self._shown) if self.encoder.columns is not None else 1
        self.version_place = None if self._mapper.version_id_col is None else self._begins
        """Where in a row of `one` its version stands; None where rows have none."""
        self._kept: OrderedDict[Hashable, Plan] = OrderedDict()

    def one(self, visibility: Visibility = EVERYTHING, *, expand: Sequence[str] = ()) -> Plan:
        """One row by its key in the bind `q_key`. Labels: the fields, and `fh_version` where rows have one."""

        def build() -> Select[Any]:
            version = self._mapper.version_id_col
            extra: list[ColumnElement[Any]] = [] if version is None else [version.label(VERSION_LABEL)]
            extra += self._lookups(expand)
            key = self.spec.key
            return self._rows(visibility, extra).where(key.column == bindparam(KEY, type_=key.bind_type))

        written = 0 if expand else self._written(visibility)
        return self._keep(("one", visibility.shape, tuple(expand)), build, written=written)

    def there(self) -> Plan:
        """The key of the row in the bind `q_key`, where the caller may read it."""
        key = self.spec.key
        bind = bindparam(KEY, type_=key.bind_type)
        return self._keep(("there",), lambda: select(key.column.label(KEY)).where(key.column == bind))

    def page(
        self, query: ListQuery, position: Position, visibility: Visibility = EVERYTHING, *, first_only: bool = False
    ) -> Plan:
        """A page's rows from a place on, in the direction of that place, and one more. See `page_values`.

        first_only: among the first 500 rows of the order from there on, whoever may see them; a page that is not filled
        so has to be read again. Sort values stand where `sort_places` says.
        """
        asked = "page", self, visibility.shape, position.direction, position.values != (), first_only
        known: Plan | None = query.kept.get(asked)
        marks = marks_of(position.values)
        if known is not None and not any(marks):
            return known

        def build() -> Select[Any]:
            keys = self._order(query, position)
            extra: list[ColumnElement[Any]] = [
                key.expression.label(sort_label(i)) for i, key in enumerate(keys) if key.expression not in self._shown
            ]
            extra += self._lookups(query.expand)
            if query.near is not None and self.spec.geo is not None:
                extra.append(distance(self.spec.geo).label(DISTANCE_LABEL))
            statement = self._rows(visibility, extra).where(*conditions(self.spec, query))
            beyond = [after(keys, position.values)] if position.values else []
            statement = statement.where(*beyond).order_by(*order_by(keys))
            if first_only:
                first = (
                    select(self.spec.key.column).where(*beyond).order_by(*order_by(keys)).limit(FIRST).correlate(None)
                )
                statement = statement.where(RuleClause(self.spec.key.column.in_(first)))
            return statement.limit(bindparam(LIMIT, type_=BigInteger()))

        shape = ("page", visibility.shape, query.sort, query.expand, position.direction, marks, first_only)
        written = 0 if query.expand or query.near is not None else self._written(visibility)
        found = self._keep_query(shape, query, build, written=written)
        if not any(marks):
            query.kept[asked] = found
        return found

    def sort_places(self, query: ListQuery) -> Sequence[int]:
        """Where in a row of `page` the values stand that it is sorted by: among the fields, or behind them."""
        asked = "places", self
        found: list[int] | None = query.kept.get(asked)
        if found is None:
            found, begins = query.kept.setdefault(asked, []), self._begins
            for key in self._order(query, START):
                found.append(self._shown.get(key.expression, begins))
                begins += key.expression not in self._shown
        return found

    def count(self, query: ListQuery) -> Plan:
        """How many rows there are on all pages, in one column."""
        return self._keep_query(
            ("count",),
            query,
            lambda: select(func.count()).select_from(self.spec.table).where(*conditions(self.spec, query)),
        )

    def facets(self, query: ListQuery, names: tuple[str, ...]) -> Plan:
        """How many rows each value of some fields would leave; see `plan_facet_counts`. query: `without` their filters."""
        facets = [self.spec.facets[name] for name in names]
        return self._keep_query(
            ("facets", names), query, lambda: facet_counts(facets, list(conditions(self.spec, query)))
        )

    def match_count(self) -> Plan:
        """How many rows a search finds at most, up to `MOST_RARE` and one more. On SQLite, which knows no frequencies."""
        return self._match_count(fts_table(self.spec.table.name), SearchText())

    def run_count(self, key: Column[Any]) -> Plan:
        """The same for the rows whose folded key holds the runs of a needle."""
        return self._match_count(trigram_table(self.spec.table.name, key.name), String())

    def _match_count(self, fts: str, type_: TypeEngine[Any]) -> Plan:
        query = bindparam(SEARCH, type_=type_)
        return self._keep(
            ("matches", fts), lambda: select(match_count(self.spec.table.name, fts, query, MOST_RARE + 1))
        )

    def related(self, found: Relation, number: int, visibility: Visibility = EVERYTHING) -> Plan:
        """Rows of this resource that a relationship of another one points to, for so many keys in the binds `q_keys`."""
        shape = ("related", found.target_key.name, str(found.remote), found.name, visibility.shape, number)
        written = self._written(visibility)
        return self._keep(shape, lambda: found.place(self._rows(visibility, []), number), written=written)

    def sort_kinds(self, query: ListQuery) -> tuple[Kind, ...]:
        """The kinds of the sort values, for the cursor."""
        asked = "kinds", self
        found: tuple[Kind, ...] | None = query.kept.get(asked)
        if found is None:
            found = query.kept[asked] = tuple([self._sort_kind(key.name) for key in query.sort])
        return found

    def _sort_kind(self, name: str) -> Kind:
        field = self.spec.sort_field(name)
        if field is not None:
            return field.kind
        return Kind.INTEGER if name == RELEVANCE else Kind.FLOAT

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

    def _written(self, visibility: Visibility) -> int:
        """How many columns of a plan go to orjson as they are, where nothing is left out of a row or added to it."""
        is_whole = self.encoder.exact is not None and not (visibility.hidden or visibility.flags)
        return len(self._shown) if is_whole else 0

    def _keep_query(
        self, shape: tuple[Hashable, ...], query: ListQuery, build: Callable[[], Statement], *, written: int = 0
    ) -> Plan:
        if query.clauses:  # conditions of one's own may differ in text from value to value
            return Plan(build(), None, self.encoder.is_orm and shape[0] == "page")
        return self._keep((*shape, condition_shape(query)), build, written=written)

    def _keep(self, shape: tuple[Hashable, ...], build: Callable[[], Statement], *, written: int = 0) -> Plan:
        found = self._kept.get(shape)
        if found is None:
            gives_rows = shape[0] in {"one", "page", "related"}
            key = KEY if shape[0] in {"one", "there"} else None
            limit = LIMIT if shape[0] == "page" else None
            found = self._kept[shape] = Plan(build(), shape, self.encoder.is_orm and gives_rows, key, written, limit)
            if len(self._kept) > MAX_PLANS:
                self._kept.popitem(last=False)
        else:
            self._kept.move_to_end(shape)
        return found


def without(query: ListQuery, field: FieldSpec) -> ListQuery:
    """The query without the filters on one field."""
    return replace(query, conditions=tuple(each for each in query.conditions if each.field is not field))
