"""Planned reads of SQLite: short ones in the event loop, the others in the readers' threads."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Row
from sqlalchemy.engine import Dialect

from freehold.resource.principal import Principal
from freehold.store.executor import Plan
from freehold.store.functions import register_sqlite
from freehold.store.read_path import Listeners, Unserved, bound_values, prepared_for
from freehold.store.sqlite_reads import LoopReader, TooLong

# What was slow once may have met a cold disk or a crowded machine. To try again costs the loop no more than the first time.
_REST_SECONDS: Final = 10.0


class SqliteReads:
    """See `ReadPath`."""

    def __init__(self, path: Path, listeners: Listeners) -> None:
        self._reader = LoopReader(path, register_sqlite)
        self._listeners = listeners

    async def fetch(
        self, plan: Plan, params: Mapping[str, Any], *, principal: Principal, dialect: Dialect
    ) -> Sequence[Row[Any]]:
        """See `ReadPath`. It never waits: neither for a lock nor for another statement."""
        prepared = prepared_for(self, plan, dialect)
        if prepared.slow_until and time.monotonic() < prepared.slow_until:
            raise Unserved
        values = bound_values(prepared, params, principal)
        try:
            rows = self._reader.fetch(prepared.sql, values)
        except TooLong as error:
            prepared.slow_until = time.monotonic() + _REST_SECONDS
            raise Unserved from error
        except (sqlite3.Error, OverflowError) as error:
            raise Unserved from error
        for each in self._listeners:
            each(prepared.sql)
        if prepared.decoders is None:
            prepared.describe([None] * prepared.width)
        return prepared.rows(rows)

    async def close(self) -> None:
        """See `ReadPath`."""
        self._reader.close()
