"""One page of a list: its rows, what they expand, counts and facets, as the bytes of the answer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from pydantic_core import to_json
from sqlalchemy import Row
from sqlalchemy.orm import DeclarativeBase

from freehold.query.cursor import END, START, Cursors, Position
from freehold.query.request import ListQuery
from freehold.resource.principal import Principal
from freehold.store.encode import EVERYTHING, Visibility, envelope, spliced
from freehold.store.executor import Executor, Plan
from freehold.store.fetched import value_at
from freehold.store.plan_conditions import listed, padded, page_values, values
from freehold.store.plan_expand import KEYS, PARENT_LABEL
from freehold.store.plan_facets import fetch_facets
from freehold.store.plan_search import Found, fetch_rows, is_one_read, weighed
from freehold.store.plans import DISTANCE_LABEL, KEY, ResourcePlans, relation_label

DISTANCE_FIELD: Final = "distance_km"
"""The member of an item that says how far it is from `near`, in kilometres, to the metre."""
VisibilityOf = Callable[[type[DeclarativeBase]], Visibility]


class Page(NamedTuple):
    """The body of a list and the cursors of its neighbours; None where there is no such page."""

    body: bytes
    next_cursor: str | None
    prev_cursor: str | None


def _everything(_: type[DeclarativeBase]) -> Visibility:
    return EVERYTHING


async def fetch_page(
    plans: ResourcePlans,
    executor: Executor,
    query: ListQuery,
    *,
    cursors: Cursors,
    principal: Principal,
    visibility_of: VisibilityOf = _everything,
) -> Page:
    """Read one page. Statements: one for the rows, one per relationship expanded and facet, one for the total. A search
    by relevance reads at most four times, on SQLite with a short look at the index before each.

    visibility_of: what the caller sees of the fields of a model; asked for the resource and for what it expands.
    Raises BadRequest `query.bad_cursor`.
    """
    asked = PageQuery(plans, query, cursors=cursors, principal=principal)
    query = await weighed(plans, executor, query)
    found = await fetch_rows(plans, executor, query, asked.position, visibility_of(plans.spec.model))
    page, next_cursor, prev_cursor = asked.cut(found)
    extra: list[tuple[str, bytes]] = []
    if query.count:
        total = await executor.fetch(plans.count(query), values(plans.spec, query))
        extra.append(("total", to_json(total[0][0])))
    if query.facets:
        extra.append(("facets", await fetch_facets(plans, executor, query)))
    items = await _items(plans, executor, query, page.rows, visibility_of)
    return Page(envelope(items, next_cursor=next_cursor, extra=extra), next_cursor, prev_cursor)


async def fetch_items(
    plans: ResourcePlans,
    executor: Executor,
    query: ListQuery,
    *,
    cursors: Cursors,
    principal: Principal,
    visibility_of: VisibilityOf = _everything,
) -> tuple[list[bytes], str | None]:
    """The items of one page, each as JSON by itself, and the cursor of the next; without counts and facets."""
    asked = PageQuery(plans, query, cursors=cursors, principal=principal)
    query = await weighed(plans, executor, query)
    found = await fetch_rows(plans, executor, query, asked.position, visibility_of(plans.spec.model))
    page, next_cursor, _ = asked.cut(found)
    return await _expanded(plans, executor, page.rows, query.expand, visibility_of), next_cursor


async def fetch_one(
    plans: ResourcePlans,
    executor: Executor,
    key: Any,
    *,
    expand: tuple[str, ...] = (),
    visibility_of: VisibilityOf = _everything,
) -> tuple[bytes, int] | None:
    """Read one row by its key: its JSON and its version (0 where rows have none); None when there is none to see.

    Statements: one, and one per relationship expanded.
    """
    visibility = visibility_of(plans.spec.model)
    found = await executor.fetch(plans.one(visibility, expand=expand), {KEY: key})
    if not found:
        return None
    version = 0 if plans.version_place is None else int(value_at(found, 0, plans.version_place))
    if not expand:
        return plans.encoder.items(found, visibility)[0], version
    (item,) = await _expanded(plans, executor, found, expand, visibility_of)
    return item, version


class PageQuery:
    """A page that a caller asks for. Raises BadRequest `query.bad_cursor`."""

    __slots__ = ("_cursors", "_plans", "_principal", "_query", "position")

    def __init__(self, plans: ResourcePlans, query: ListQuery, *, cursors: Cursors, principal: Principal) -> None:
        self._plans = plans
        self._query = query
        self._cursors = cursors
        self._principal = principal
        self.position: Position = START if query.cursor is None else self._opened(query.cursor)

    def only_plan(self, dialect_name: str) -> Plan | None:
        """The plan whose rows are the page, for who sees every field of them; None where more has to be read."""
        if self.position is not START:
            return self._only_plan(dialect_name)
        known = self._query.kept
        place = "first page", self._plans, dialect_name
        if place not in known:
            known[place] = self._only_plan(dialect_name)
        found: Plan | None = known[place]
        return found

    def _only_plan(self, dialect_name: str) -> Plan | None:
        if not is_one_read(self._plans, self._query, dialect_name):
            return None
        return self._plans.page(self._query, self.position)

    def values(self) -> Mapping[str, Any]:
        """Those of its binds."""
        return page_values(self._plans.spec, self._query, self.position)

    def page(self, rows: Sequence[Row[Any]]) -> Page:
        """The page, of the rows of that plan."""
        found, next_cursor, prev_cursor = self.cut(Found(rows, self._plans.sort_places(self._query)))
        items = self._plans.encoder.array(found.rows)
        return Page(envelope(items, next_cursor=next_cursor), next_cursor, prev_cursor)

    def cut(self, found: Found) -> tuple[Found, str | None, str | None]:
        """The rows of the page in their order, of which one more was read, and the cursors of the next and the previous one.

        An empty page, whose neighbour was deleted meanwhile, leads back to the end or the start of the list.
        """
        position, limit = self.position, self._query.limit
        forward, more = position.direction == "after", len(found.rows) > limit
        page = found.cut(limit, turned=not forward)
        has_next = more if forward else position != END
        has_prev = position != START if forward else more
        if position == END and not page.rows:
            has_prev = False
        following = (Position("after", page.place(-1)) if page.rows else START) if has_next else None
        preceding = (Position("before", page.place(0)) if page.rows else END) if has_prev else None
        return (
            page,
            None if following is None else self._sealed(following),
            None if preceding is None else self._sealed(preceding),
        )

    def _opened(self, text: str) -> Position:
        plans, query = self._plans, self._query
        return self._cursors.open(
            text,
            resource=plans.spec.resource,
            principal=self._principal,
            digest=query.digest(),
            kinds=plans.sort_kinds(query),
        )

    def _sealed(self, position: Position) -> str:
        return self._cursors.seal(
            position, resource=self._plans.spec.resource, principal=self._principal, digest=self._query.digest()
        )


async def _items(
    plans: ResourcePlans, executor: Executor, query: ListQuery, rows: Sequence[Row[Any]], visibility_of: VisibilityOf
) -> bytes:
    if not query.expand and query.near is None:
        return plans.encoder.array(rows, visibility_of(plans.spec.model))
    has_distance = query.near is not None
    items = await _expanded(plans, executor, rows, query.expand, visibility_of, has_distance=has_distance)
    return b"[%b]" % b",".join(items)


async def _expanded(
    plans: ResourcePlans,
    executor: Executor,
    rows: Sequence[Row[Any]],
    expand: Sequence[str],
    visibility_of: VisibilityOf,
    *,
    has_distance: bool = False,
) -> list[bytes]:
    found = [(name, await _related(plans, executor, name, rows, visibility_of)) for name in expand]
    added = frozenset({*expand, DISTANCE_FIELD} if has_distance else expand)
    items: list[bytes] = []
    for row, item in zip(rows, plans.encoder.items(rows, visibility_of(plans.spec.model), without=added), strict=True):
        extra = [(name, related(getattr(row, relation_label(name)))) for name, related in found]
        if has_distance:
            extra.append((DISTANCE_FIELD, to_json(round(getattr(row, DISTANCE_LABEL), 3))))
        items.append(spliced(item, extra))
    return items


async def _related(
    plans: ResourcePlans, executor: Executor, name: str, rows: Sequence[Row[Any]], visibility_of: VisibilityOf
) -> Callable[[Any], bytes]:
    relation = plans.relations[name]
    target = plans.registry[relation.target]
    keys = {key for row in rows if (key := getattr(row, relation_label(name))) is not None}
    found: defaultdict[Any, list[bytes]] = defaultdict(list)
    if keys:
        visibility = visibility_of(relation.target)
        wanted = padded(list(keys))
        fetched = await executor.fetch(target.related(relation, len(wanted), visibility), listed(KEYS, wanted))
        for row, item in zip(fetched, target.encoder.items(fetched, visibility), strict=True):
            found[getattr(row, PARENT_LABEL)].append(item)
    if relation.many:
        return lambda key: b"[%b]" % b",".join(found.get(key, ()))
    return lambda key: found[key][0] if key in found else b"null"
