"""The present instant as SQL sees it: one clock for all machines where there are several."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, Interval, bindparam, func, literal, type_coerce

from freehold.resource import clock
from freehold.resource.base import UTCDateTime


def instant(dialect_name: str, after: timedelta = timedelta(0)) -> ColumnElement[datetime]:
    """The instant `after` from now, for leases, due times and ticks that several processes compare.

    On PostgreSQL the database's clock decides, so that a machine whose clock is wrong by an hour neither takes over
    a living lease nor fires a tick early. On SQLite all processes share one machine and its clock. A clock that a test
    has moved or stopped decides for both: an offset to the database's would grow between two statements.
    """
    if dialect_name != "postgresql" or _is_moved():
        return literal(clock.now() + after, UTCDateTime())
    return _of_the_database(after)


def standing_instant(dialect_name: str, after: timedelta = timedelta(0)) -> ColumnElement[datetime]:
    """The same for a statement that is built once and run again and again: the clock is read at each run."""

    def of_this_process() -> datetime | None:
        return clock.now() + after if dialect_name != "postgresql" or _is_moved() else None

    given = bindparam(None, callable_=of_this_process, type_=UTCDateTime(), unique=True)
    if dialect_name != "postgresql":
        return given
    return type_coerce(func.coalesce(given, _of_the_database(after)), UTCDateTime())


def _is_moved() -> bool:
    return abs(clock.now() - datetime.now(UTC)) >= timedelta(seconds=1)


def _of_the_database(after: timedelta) -> ColumnElement[datetime]:
    # statement_timestamp and not clock_timestamp: PostgreSQL uses no index for a comparison with a volatile function.
    return type_coerce(func.statement_timestamp() + literal(after, Interval()), UTCDateTime())
