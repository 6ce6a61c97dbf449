"""Places: a box in degrees that an index serves, then the exact distance."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Double, and_, bindparam, or_

from freehold.query.fields import FieldSpec, Kind
from freehold.query.request import Box, Near
from freehold.store.functions import EARTH_RADIUS_KM
from freehold.store.search import Haversine


@dataclass(frozen=True, slots=True)
class Bounds:
    """A box in degrees. Where it crosses the 180th meridian, `west` is larger than `east`; None: every longitude."""

    south: float
    north: float
    west: float | None = None
    east: float | None = None

    @property
    def shape(self) -> str:
        """What decides the text of the condition."""
        if self.west is None or self.east is None:
            return "band"
        return "split" if self.west > self.east else "box"


def bounds_of(box: Box) -> Bounds:
    """The bounds of a `bbox`."""
    return Bounds(box.south, box.north, box.west, box.east)


def bounds_near(near: Near) -> Bounds | None:
    """The smallest box around a circle; a band where it holds a pole; None without a distance.

    A little wider than the circle, so that rounding loses no row: the exact distance decides.
    """
    if near.within_km is None:
        return None
    angle = near.within_km / EARTH_RADIUS_KM * (1 + 1e-9) + 1e-12
    reach = math.degrees(angle)
    south, north = near.latitude - reach, near.latitude + reach
    if south <= -90 or north >= 90:
        return Bounds(max(south, -90.0), min(north, 90.0))
    half = math.degrees(math.asin(min(1.0, math.sin(angle) / math.cos(math.radians(near.latitude))))) + 1e-9
    if half >= 180:
        return Bounds(south, north)
    return Bounds(south, north, _wrapped(near.longitude - half), _wrapped(near.longitude + half))


def _wrapped(longitude: float) -> float:
    return (longitude + 180) % 360 - 180 if not -180 <= longitude <= 180 else longitude


def inside(geo: tuple[FieldSpec, FieldSpec], prefix: str, shape: str) -> ColumnElement[bool]:
    """The condition of a box of this shape; its binds are named `<prefix>south` and so on."""
    latitude, longitude = geo
    band = latitude.column.between(_degree(latitude, f"{prefix}south"), _degree(latitude, f"{prefix}north"))
    if shape == "band":
        return and_(band, longitude.column.is_not(None))
    east_of = longitude.column >= _degree(longitude, f"{prefix}west")
    west_of = longitude.column <= _degree(longitude, f"{prefix}east")
    return and_(band, or_(east_of, west_of) if shape == "split" else and_(east_of, west_of))


def inside_values(geo: tuple[FieldSpec, FieldSpec], prefix: str, bounds: Bounds) -> Mapping[str, Any]:
    """The values of the binds of `inside`."""
    latitude, longitude = geo
    found = {f"{prefix}south": _value(latitude, bounds.south), f"{prefix}north": _value(latitude, bounds.north)}
    if bounds.west is not None and bounds.east is not None:
        found |= {f"{prefix}west": _value(longitude, bounds.west), f"{prefix}east": _value(longitude, bounds.east)}
    return found


def distance(geo: tuple[FieldSpec, FieldSpec]) -> ColumnElement[float]:
    """Kilometres from the point in the binds `q_lat` and `q_lng`."""
    latitude, longitude = geo
    return Haversine(
        latitude.column, longitude.column, bindparam("q_lat", type_=Double()), bindparam("q_lng", type_=Double())
    )


def _degree(field: FieldSpec, name: str) -> ColumnElement[Any]:
    return bindparam(name, type_=field.bind_type)


def _value(field: FieldSpec, degrees: float) -> Any:
    return Decimal(repr(degrees)) if field.kind is Kind.DECIMAL else degrees
