"""Pages of a search: how its matches are best found, and the best of them first.

A page by relevance reads the tiers of a search (`words.Search.tiers`) one after the other, each in the rest of the
order, until it is full: no statement ranks every match, and a place in the list is a tier and a row in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple

from sqlalchemy import Row

from freehold.query.cursor import END, START, Position
from freehold.query.fields import COMPARISONS
from freehold.query.request import Condition, ListQuery
from freehold.query.spec import DISTANCE
from freehold.store.encode import Visibility
from freehold.store.executor import Executor
from freehold.store.fetched import told_at
from freehold.store.plan_conditions import SEARCH, page_values, runs_of
from freehold.store.plan_near import circles
from freehold.store.plans import MOST_RARE, ResourcePlans

_RANGES: Final = COMPARISONS | {"contains"}


class Found(NamedTuple):
    """The rows of a page. places: where in each its sort values stand. tiers: of a page by relevance, that of each row."""

    rows: Sequence[Row[Any]]
    places: Sequence[int]
    tiers: Sequence[int] | None = None

    def cut(self, limit: int, *, turned: bool) -> Found:
        """The first `limit` of them. turned: in the other order."""
        cut = slice(0, limit)
        rows, tiers = self.rows[cut], None if self.tiers is None else self.tiers[cut]
        if turned:
            rows, tiers = rows[::-1], None if tiers is None else tiers[::-1]
        return Found(rows, self.places, tiers)

    def place(self, number: int) -> tuple[Any, ...]:
        """The place of a row in the list, for a cursor."""
        told = told_at(self.rows, number, self.places)
        return told if self.tiers is None else (self.tiers[number], *told)


async def weighed(plans: ResourcePlans, executor: Executor, query: ListQuery) -> ListQuery:
    """The query, with a word on which of its conditions find few rows. PostgreSQL knows from its own statistics."""
    if executor.dialect_name != "sqlite":
        return query
    if any(runs_of(each) is not None for each in query.conditions):
        conditions = [await _by_runs(plans, executor, each) for each in query.conditions]
        query = replace(query, conditions=tuple(conditions))
    if query.by_relevance and not (query.count or query.facets):
        return query  # its tiers are weighed one by one
    return await _weighed(plans, executor, query) or query


async def _by_runs(plans: ResourcePlans, executor: Executor, asked: Condition) -> Condition:
    runs = runs_of(asked)
    if runs is None or asked.field.key is None:
        return asked
    rows = await executor.fetch(plans.run_count(asked.field.key), {SEARCH: runs})
    return replace(asked, by_runs=rows[0][0] <= MOST_RARE)


def is_one_read(plans: ResourcePlans, query: ListQuery, dialect_name: str) -> bool:
    """Whether one statement surely gives a page and all that was asked for with it."""
    asked = "one read", plans, dialect_name
    known: bool | None = query.kept.get(asked)
    if known is None:
        more = query.expand or query.count or query.facets or query.near is not None or query.by_relevance
        known = query.kept[asked] = not more and (dialect_name != "sqlite" or _is_surely_quick(query))
    return known


def _is_surely_quick(query: ListQuery) -> bool:
    """Whether SQLite need not be asked beforehand how many rows a condition leaves."""
    return query.match is None and not any(map(runs_of, query.conditions)) and not _is_loose(query)


async def fetch_rows(
    plans: ResourcePlans, executor: Executor, query: ListQuery, position: Position, visibility: Visibility
) -> Found:
    """The rows of a page in the direction of its place, and one more where there is one. query: weighed."""
    if query.by_relevance:
        return await _by_relevance(plans, executor, query, position, visibility)
    rows: Sequence[Row[Any]] = ()
    for circle in circles(plans.spec, query, position):
        rows = await _page(plans, executor, circle, position, visibility)
        if len(rows) > query.limit:
            break
    return Found(rows, plans.sort_places(query))


async def _page(
    plans: ResourcePlans, executor: Executor, query: ListQuery, position: Position, visibility: Visibility
) -> Sequence[Row[Any]]:
    among = (True, False) if executor.dialect_name == "sqlite" and _is_loose(query) else (False,)
    rows: Sequence[Row[Any]] = ()
    for first_only in among:
        plan = plans.page(query, position, visibility, first_only=first_only)
        rows = await executor.fetch(plan, page_values(plans.spec, query, position))
        if len(rows) > query.limit:
            break
    return rows


async def _by_relevance(
    plans: ResourcePlans, executor: Executor, query: ListQuery, position: Position, visibility: Visibility
) -> Found:
    assert query.search is not None
    forward = position.direction == "after"
    tiers = list(enumerate(query.search.tiers()))
    begins, *rest = position.values or (0 if forward else len(tiers),)
    found: list[Row[Any]] = []
    numbers: list[int] = []
    for number, match in tiers if forward else reversed(tiers):
        missing = query.limit + 1 - len(found)
        if missing == 0:
            break
        if number < begins if forward else number > begins:
            continue
        asked = replace(query, sort=query.sort[1:], match=match, limit=missing - 1)
        tier = await _weighed(plans, executor, asked)
        if tier is None:
            continue
        edge = START if forward else END
        start = Position(position.direction, tuple(rest)) if number == begins and rest else edge
        rows = await _page(plans, executor, tier, start, visibility)
        found += rows
        numbers += [number] * len(rows)
    return Found(found, plans.sort_places(replace(query, sort=query.sort[1:])), numbers)


def _is_loose(query: ListQuery) -> bool:
    """Whether the rows of a page may well be among the first of the order: nothing but ranges narrows the list.

    SQLite does not know how many rows a range leaves. It would begin with the range, read all of it and sort.
    """
    if query.match is not None and not query.match.is_common:
        return False
    if query.sort[0].name == DISTANCE and query.near is not None:
        return False
    ranges = [each for each in query.conditions if each.field.name != query.sort[0].name]
    if any(each.by_runs for each in query.conditions) or any(each.operation not in _RANGES for each in ranges):
        return False
    return bool(ranges or query.clauses or query.box or query.near or query.match)


async def _weighed(plans: ResourcePlans, executor: Executor, query: ListQuery) -> ListQuery | None:
    """The query as the index can best serve it; None where SQLite sees at once that nothing matches."""
    if executor.dialect_name != "sqlite" or query.match is None or query.match.wanted is None:
        return query
    rows = await executor.fetch(plans.match_count(), {SEARCH: query.match})
    number = int(rows[0][0])
    return replace(query, match=replace(query.match, is_common=number > MOST_RARE)) if number else None
