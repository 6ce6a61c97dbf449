"""What a driver's error means. Services never see one, clients never see SQL."""

from __future__ import annotations

from sqlalchemy.exc import DBAPIError

RETRYABLE = frozenset({"40001", "40P01"})  # serialization_failure, deadlock_detected


def sqlstate(error: DBAPIError) -> str | None:
    """The five-character code of PostgreSQL, if there is one."""
    origin = error.orig
    found = getattr(origin, "sqlstate", None) or getattr(getattr(origin, "__cause__", None), "sqlstate", None)
    return str(found) if found else None


def is_retryable(error: DBAPIError) -> bool:
    """Whether the whole unit may simply be run again: the database chose it as a victim."""
    return sqlstate(error) in RETRYABLE
