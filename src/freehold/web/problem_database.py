"""From what a database or its driver raised to a `Problem`."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from sqlalchemy.exc import DBAPIError, IntegrityError, NoResultFound
from sqlalchemy.exc import TimeoutError as PoolTimeout

from freehold.errors import Conflict, DeadlineExceeded, Forbidden, Invalid, NotFound, Problem, StorageFull, Unavailable

_MAX_LINKS = 8


def _away() -> Problem:
    return Unavailable(retry_after=2)


def _busy() -> Problem:
    return Unavailable(retry_after=1)


def _broken_rule() -> Problem:
    return Conflict("The change breaks a rule of the stored data.")


def _unfit() -> Problem:
    return Invalid("A value does not fit where it should be stored.")


def _not_yours() -> Problem:
    return Forbidden("The access rules do not let you write this row.")


def _too_slow() -> Problem:
    return DeadlineExceeded(retry_after=1)


# SQLSTATE (PostgreSQL, appendix A): whole codes first, then classes by their first two characters.
_STATES: dict[str, Callable[[], Problem]] = {
    "53100": StorageFull,  # disk_full
    "57014": _too_slow,  # query_canceled: the statement timeout
    "25006": _away,  # read_only_sql_transaction: connected to what is now a standby
    "55006": _busy,  # object_in_use
    "55P03": _busy,  # lock_not_available
    "40001": _busy,  # serialization_failure
    "40P01": _busy,  # deadlock_detected
    "08": _away,  # connection exceptions
    "53": _away,  # insufficient resources
    "57": _away,  # operator intervention: shutdown, cannot connect now
    "22": _unfit,  # data exceptions
    "23": _broken_rule,  # integrity constraint violations
}
_SQLITE: dict[int, Callable[[], Problem]] = {
    sqlite3.SQLITE_FULL: StorageFull,
    sqlite3.SQLITE_INTERRUPT: _too_slow,
    sqlite3.SQLITE_BUSY: _busy,
    sqlite3.SQLITE_LOCKED: _busy,
    sqlite3.SQLITE_IOERR: _away,
    sqlite3.SQLITE_CANTOPEN: _away,
    sqlite3.SQLITE_READONLY: _away,
    sqlite3.SQLITE_CONSTRAINT: _broken_rule,
    sqlite3.SQLITE_TOOBIG: _unfit,
    sqlite3.SQLITE_MISMATCH: _unfit,
}


def from_database(error: BaseException) -> Problem | None:
    """The problem behind a database error, or None when it is none, or one that is our own fault (bad SQL)."""
    if isinstance(error, PoolTimeout):
        return _busy()
    if isinstance(error, NoResultFound):
        return NotFound()  # `scalar_one()`: the row is not there, or not for this caller
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return _away()
    links = _chain(error)
    for link in links:
        make = (
            _by_wall(link)
            or _SQLITE.get(getattr(link, "sqlite_errorcode", 0) & 0xFF)
            or _by_state(getattr(link, "sqlstate", None))
        )
        if make is not None:
            return make()
    if isinstance(error, IntegrityError):
        return _broken_rule()
    return _away() if _is_lost_connection(error, links) else None


def refuses_the_write(error: BaseException) -> bool:
    """Whether it may be what was written that the database did not take.

    A wait that was too long, a lost connection or a full disk is none: whoever tried again at once would wait twice.
    """
    found = from_database(error)
    return found is None or found.status < 500


def _by_wall(link: BaseException) -> Callable[[], Problem] | None:
    """The database's own wall on either database: both say so, and the codes are those of other errors too."""
    return _not_yours if "row-level security" in str(link) else None


def _by_state(state: object) -> Callable[[], Problem] | None:
    if not isinstance(state, str):
        return None
    return _STATES.get(state) or _STATES.get(state[:2])


def _is_lost_connection(error: BaseException, links: list[BaseException]) -> bool:
    """The driver asyncpg says "connection is closed" without a code, and raises plain OSError while connecting."""
    if not isinstance(error, DBAPIError) and not type(error).__module__.startswith("asyncpg"):
        return False
    return any(isinstance(link, OSError) or "connection" in str(link).lower() for link in links)


def _chain(error: BaseException) -> list[BaseException]:
    """The error, what the driver raised, and what caused that."""
    links: list[BaseException] = []
    following: BaseException | None = error
    while following is not None and following not in links and len(links) < _MAX_LINKS:
        links.append(following)
        following = getattr(following, "orig", None) or following.__cause__
    return links
