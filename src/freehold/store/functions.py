"""SQL functions that SQLite lacks, in Python, the same as on PostgreSQL."""

from __future__ import annotations

import math
from typing import Any, Final

EARTH_RADIUS_KM: Final = 6371.0088
"""The mean radius of the Earth (IUGG)."""


def haversine_km(
    latitude: float | None, longitude: float | None, other_latitude: float | None, other_longitude: float | None
) -> float | None:
    """The distance along a sphere between two places in degrees; None when one is not known."""
    if latitude is None or longitude is None or other_latitude is None or other_longitude is None:
        return None
    north = math.sin(math.radians(other_latitude - latitude) / 2) ** 2
    east = math.sin(math.radians(other_longitude - longitude) / 2) ** 2
    parallels = math.cos(math.radians(latitude)) * math.cos(math.radians(other_latitude))
    return 2 * EARTH_RADIUS_KM * math.asin(min(1.0, math.sqrt(north + parallels * east)))


def register_sqlite(connection: Any) -> None:
    """Register them on a new connection (sqlite3's, or SQLAlchemy's wrapper of aiosqlite's)."""
    connection.create_function("fh_haversine", 4, haversine_km, deterministic=True)
