"""Planned reads of SQLite: short ones in the event loop, the others in the readers' threads."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Mapping, Sequence
from contextvars import Context
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Row
from sqlalchemy.engine import Dialect

from freehold.resource.principal import Principal
from freehold.store.executor import Plan
from freehold.store.fetched import Fetched
from freehold.store.functions import register_sqlite
from freehold.store.prepared import Prepared, prepare
from freehold.store.questions import Answer, Question
from freehold.store.read_path import Listeners, Unserved, bound_values, kept_for
from freehold.store.sqlite_reads import LoopReader, TooLong
from freehold.store.touched import note_read

# What was slow once may have met a cold disk or a crowded machine. To try again costs the loop no more than the first time.
_REST_SECONDS: Final = 10.0


class LoopReads:
    """The reads of one plan in the event loop. slow_until: it took long there (monotonic). See `Responder`."""

    def __init__(self, reader: LoopReader, prepared: Prepared, listeners: Listeners) -> None:
        self.prepared = prepared
        self.slow_until = 0.0
        self._reader = reader
        self._listeners = listeners
        self._waiting: list[tuple[list[Any], Answer]] = []

    def ask(self, values: list[Any], answer: Answer) -> None:
        """See `Responder`."""
        self._waiting.append((values, answer))
        if len(self._waiting) == 1:
            # What the one who asked first has in their context is nothing to the others.
            asyncio.get_running_loop().call_soon(self._answer, context=Context())

    def _answer(self) -> None:
        asked, self._waiting = [each for each in self._waiting if not each[1].done()], []
        if len(asked) > 1:
            self._reader.begin()
        outcomes = [self._outcome(values) for values, _ in asked]
        if len(asked) > 1:
            self._reader.end()
        for (_, answer), outcome in zip(asked, outcomes, strict=True):
            if answer.done():
                continue
            if isinstance(outcome, Exception):
                answer.set_exception(outcome)
            else:
                answer.set_result(outcome)

    def _outcome(self, values: list[Any]) -> Sequence[Sequence[Any]] | Exception:
        try:
            return self.found(values)
        except Exception as error:  # noqa: BLE001 (who asked judges it)
            return error

    def leave(self, answer: Answer) -> None:
        """See `Responder`. It is never on its way."""

    def rows(self, found: Sequence[Sequence[Any]]) -> Fetched:
        """See `Responder`."""
        return Fetched(found, self.prepared)

    def fault(self, error: Exception) -> Exception | None:
        """See `Responder`."""
        return None if isinstance(error, Unserved) else error

    def found(self, values: list[Any]) -> Sequence[Sequence[Any]]:
        """The rows of one, as the driver gives them. It waits neither for a lock nor for another statement. Raises Unserved."""
        if self.slow_until and time.monotonic() < self.slow_until:
            raise Unserved
        prepared = self.prepared
        try:
            rows = self._reader.fetch(prepared.sql, values)
        except TooLong as error:
            self.slow_until = time.monotonic() + _REST_SECONDS
            raise Unserved from error
        except (sqlite3.Error, OverflowError) as error:
            raise Unserved from error
        for each in self._listeners:
            each(prepared.sql)
        if prepared.decoders is None:
            prepared.describe([None] * prepared.width)
        return rows


class SqliteReads:
    """See `ReadPath`."""

    def __init__(self, path: Path, listeners: Listeners) -> None:
        self._reader = LoopReader(path, register_sqlite)
        self._listeners = listeners

    async def fetch(
        self, plan: Plan, params: Mapping[str, Any], *, principal: Principal, dialect: Dialect
    ) -> Sequence[Row[Any]]:
        """See `ReadPath`."""
        reads = kept_for(self, plan, dialect, self._made)
        note_read(reads.prepared.tables)
        return reads.rows(reads.found(bound_values(reads.prepared, params, principal)))

    def question(
        self, plan: Plan, params: Mapping[str, Any], *, principal: Principal, dialect: Dialect
    ) -> Question | None:
        """See `ReadPath`."""
        reads = kept_for(self, plan, dialect, self._made)
        return reads, bound_values(reads.prepared, params, principal)

    def _made(self, plan: Plan, dialect: Dialect) -> LoopReads | None:
        prepared = prepare(plan, dialect)
        return None if prepared is None else LoopReads(self._reader, prepared, self._listeners)

    async def close(self) -> None:
        """See `ReadPath`."""
        self._reader.close()
