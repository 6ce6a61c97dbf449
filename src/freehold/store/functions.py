"""Mathematical functions of SQL, where SQLite was built without them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Final

EARTH_RADIUS_KM: Final = 6371.0088
"""The mean radius of the Earth (IUGG)."""


def register_sqlite(connection: Any) -> None:
    """Register what a connection lacks (sqlite3's, or SQLAlchemy's wrapper of aiosqlite's).

    SQLite has mathematical functions only where it was built with them (SQLITE_ENABLE_MATH_FUNCTIONS).
    """
    cursor = connection.cursor()
    try:
        cursor.execute("SELECT asin(0.5), power(2, 2), radians(1)")
    except Exception as error:
        if "no such function" not in str(error):
            raise
        for name, (arity, function) in _MATHEMATICAL.items():
            connection.create_function(name, arity, _of_known(function), deterministic=True)
    finally:
        cursor.close()


def _of_known(function: Callable[..., float]) -> Callable[..., float | None]:
    return lambda *values: None if None in values else function(*values)


_MATHEMATICAL: Final[Mapping[str, tuple[int, Callable[..., float]]]] = {
    "asin": (1, math.asin),
    "cos": (1, math.cos),
    "power": (2, math.pow),
    "radians": (1, math.radians),
    "sin": (1, math.sin),
    "sqrt": (1, math.sqrt),
}
