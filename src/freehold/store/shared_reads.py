"""What reads of one plan have in common whose statements are shared by those who meet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import asyncpg
from sqlalchemy.exc import SQLAlchemyError

from freehold.errors import DeadlineExceeded
from freehold.store.fetched import Fetched
from freehold.store.lanes import Lanes
from freehold.store.prepared import Prepared
from freehold.store.read_path import Unserved

# OSError: could not connect. ValueError: a value that the driver refuses.
_UNSERVED: Final = (
    asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, ValueError, SQLAlchemyError,
)  # fmt: skip


class SharedReads:
    """The rows and the errors of one plan. See `Responder`."""

    def __init__(self, lanes: Lanes, prepared: Prepared) -> None:
        self._lanes = lanes
        self._prepared = prepared

    def rows(self, found: Sequence[Sequence[Any]]) -> Fetched:
        """See `Responder`."""
        return Fetched(found, self._prepared)

    def fault(self, error: Exception) -> Exception | None:
        """See `Responder`."""
        found = meaning(error)
        return None if isinstance(found, Unserved) else found


def meaning(error: Exception) -> Exception:
    """What an error of a statement means to its reader."""
    if isinstance(error, asyncpg.QueryCanceledError):  # the server's time limit: to ask again would take as long again
        return DeadlineExceeded(retry_after=1)
    return Unserved() if isinstance(error, _UNSERVED) else error
