"""Pages by distance: a circle that widens until it holds the page, so that no statement measures the whole world.

A circle is a box that the index serves, with the exact distance behind it. It grows by area, so that what was read in
vain is a small part of what the last one reads.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from freehold.query.cursor import Position
from freehold.query.request import ListQuery, Near
from freehold.query.spec import DISTANCE, ListSpec
from freehold.store.functions import EARTH_RADIUS_KM

FIRST_KM: Final = 2.0
"""The radius of the first circle, or what the first ring adds to the circle of the pages before, by area."""
_WIDER: Final = 4.0


def circles(spec: ListSpec, query: ListQuery, position: Position) -> Iterator[ListQuery]:
    """The query within one circle after the other: the first that fills a page has the right one. The last is the whole.

    Where the order is not by distance, or nothing bounds it, that is the only one.
    """
    near = query.near
    if near is None or spec.sort_field(query.sort[0].name) is not None or query.sort[0].name != DISTANCE:
        yield query
        return
    begin = position.values[0] if position.values else None
    if query.sort[0].descending is (position.direction == "after"):  # the farthest first, down to the place
        yield query if begin is None else replace(query, near=_within(near, begin))
        return
    for radius in _radii(begin or 0.0, near.within_km or math.pi * EARTH_RADIUS_KM):
        yield replace(query, near=_within(near, radius))
    yield query


def _radii(begin: float, most: float) -> Iterator[float]:
    ring = FIRST_KM
    while (radius := math.hypot(begin, ring)) < most:
        yield radius
        ring *= _WIDER


def _within(near: Near, radius: float) -> Near:
    return replace(near, within_km=radius if near.within_km is None else min(radius, near.within_km))
