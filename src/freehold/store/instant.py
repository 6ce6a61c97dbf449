"""The present instant as SQL sees it: one clock for all machines where there are several."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, Interval, func, literal, type_coerce

from freehold.resource import clock
from freehold.resource.base import UTCDateTime


def instant(dialect_name: str, after: timedelta = timedelta(0)) -> ColumnElement[datetime]:
    """The instant `after` from now, for leases, due times and ticks that several processes compare.

    On PostgreSQL the database's clock decides, so that a machine whose clock is wrong by an hour neither takes over
    a living lease nor fires a tick early. On SQLite all processes share one machine and its clock. A clock that a test
    has moved or stopped decides for both: an offset to the database's would grow between two statements.
    """
    present = clock.now()
    moved = abs(present - datetime.now(UTC)) >= timedelta(seconds=1)
    if dialect_name != "postgresql" or moved:
        return literal(present + after, UTCDateTime())
    # statement_timestamp and not clock_timestamp: PostgreSQL uses no index for a comparison with a volatile function.
    return type_coerce(func.statement_timestamp() + literal(after, Interval()), UTCDateTime())
