"""Planned reads of SQLite: short ones in the event loop, the others in the readers' threads."""

from __future__ import annotations

import asyncio
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
from freehold.store.prepared import Prepared
from freehold.store.read_path import Answer, Listeners, Question, Unserved, bound_values, prepared_for
from freehold.store.sqlite_reads import LoopReader, TooLong

# What was slow once may have met a cold disk or a crowded machine. To try again costs the loop no more than the first time.
_REST_SECONDS: Final = 10.0


class SqliteQuestion:
    """See `Question`."""

    __slots__ = ("_prepared", "_reads", "_values")

    def __init__(self, reads: SqliteReads, prepared: Prepared, values: list[Any]) -> None:
        self._reads = reads
        self._prepared = prepared
        self._values = values

    def ask(self, answer: Answer) -> None:
        """See `Question`."""
        asyncio.get_running_loop().call_soon(self._answer, answer)

    def _answer(self, answer: Answer) -> None:
        if answer.done():
            return
        try:
            found = self._reads.found(self._prepared, self._values)
        except Exception as error:  # noqa: BLE001 (who asked judges it)
            answer.set_exception(error)
        else:
            answer.set_result(found)

    def leave(self, answer: Answer) -> None:
        """See `Question`. It is never on its way."""

    def rows(self, found: Sequence[Sequence[Any]]) -> Sequence[Row[Any]]:
        """See `Question`."""
        return self._prepared.rows(found)

    def fault(self, error: Exception) -> Exception | None:
        """See `Question`."""
        return None if isinstance(error, Unserved) else error


class SqliteReads:
    """See `ReadPath`."""

    def __init__(self, path: Path, listeners: Listeners) -> None:
        self._reader = LoopReader(path, register_sqlite)
        self._listeners = listeners

    async def fetch(
        self, plan: Plan, params: Mapping[str, Any], *, principal: Principal, dialect: Dialect
    ) -> Sequence[Row[Any]]:
        """See `ReadPath`. It never waits: neither for a lock nor for another statement."""
        prepared = self._prepared(plan, dialect)
        return prepared.rows(self.found(prepared, bound_values(prepared, params, principal)))

    def question(
        self, plan: Plan, params: Mapping[str, Any], *, principal: Principal, dialect: Dialect
    ) -> Question | None:
        """See `ReadPath`."""
        prepared = self._prepared(plan, dialect)
        return SqliteQuestion(self, prepared, bound_values(prepared, params, principal))

    def _prepared(self, plan: Plan, dialect: Dialect) -> Prepared:
        prepared = prepared_for(self, plan, dialect)
        if prepared.slow_until and time.monotonic() < prepared.slow_until:
            raise Unserved
        return prepared

    def found(self, prepared: Prepared, values: list[Any]) -> Sequence[Sequence[Any]]:
        """The rows of a statement, as the driver gives them. Raises Unserved."""
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
        return rows

    async def close(self) -> None:
        """See `ReadPath`."""
        self._reader.close()
