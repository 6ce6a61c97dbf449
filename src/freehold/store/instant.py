"""The present instant as SQL sees it: one clock for all machines where there are several."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, Interval, func, literal, type_coerce

from freehold.resource import clock
from freehold.resource.base import UTCDateTime


def instant(dialect_name: str, after: timedelta = timedelta(0)) -> ColumnElement[datetime]:
    """The instant `after` from now, for leases, due times and ticks that several processes compare.

    On PostgreSQL the database's clock decides, so that a machine whose clock is wrong by an hour neither takes over
    a living lease nor fires a tick early (a clock that a test moved is added as an offset). On SQLite all processes
    share one machine and its clock.
    """
    if dialect_name != "postgresql":
        return literal(clock.now() + after, UTCDateTime())
    moved = clock.now() - datetime.now(UTC)
    if abs(moved) < timedelta(seconds=1):  # nobody moved it: the rest is the time between the two calls
        moved = timedelta(0)
    # statement_timestamp and not clock_timestamp: PostgreSQL uses no index for a comparison with a volatile function.
    return type_coerce(func.statement_timestamp() + literal(after + moved, Interval()), UTCDateTime())
