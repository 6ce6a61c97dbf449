"""SQLite's driver, with one trip to its thread for each statement.

aiosqlite sends every call of a cursor to the connection's thread by itself: opening, executing, fetching and closing made four trips
of a statement, and the trips cost more than the statements. SQLAlchemy's adapter calls what stands here by aiosqlite's names.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any, Self, cast
from weakref import WeakSet

import aiosqlite

ROWS_AT_ONCE = 500
"""So many rows come with the statement; a longer answer is fetched when it is asked for, so that exports stay small."""


class DriverConnection(sqlite3.Connection):
    """Closes its cursors before it rolls back.

    A cancelled statement leaves a cursor that is not read to its end. SQLite then keeps an interrupt pending, which
    cuts off the ROLLBACK too, and a connection that is closed so keeps its transaction, and with it the write lock,
    until the garbage collector finds the cursor.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._cursors: WeakSet[sqlite3.Cursor] = WeakSet()

    def cursor(self, *args: Any, **kwargs: Any) -> Any:
        made = super().cursor(*args, **kwargs)
        self._cursors.add(made)
        return made

    @property
    def has_something_to_roll_back(self) -> bool:
        """Whether there is a transaction or a cursor. Safe from any thread."""
        return self.in_transaction or len(self._cursors) > 0

    def rollback(self) -> None:
        for each in list(self._cursors):
            each.close()
        super().rollback()


class OneTripCursor:
    """What SQLAlchemy uses of an aiosqlite cursor: the statement, its first rows and the end of the cursor in one trip."""

    def __init__(self, connection: OneTripConnection) -> None:
        self._connection = connection
        self._open: sqlite3.Cursor | None = None
        self._rows: list[Any] = []
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None
        self.arraysize = 1

    async def __aenter__(self) -> Self:
        return self

    async def execute(self, sql: str, parameters: Iterable[Any] = ()) -> OneTripCursor:
        """Run a statement. Raises what the driver raises."""
        await self._connection.run(self._execute, sql, parameters)
        return self

    async def executemany(self, sql: str, parameters: Iterable[Iterable[Any]]) -> OneTripCursor:
        """Run a statement for each."""
        await self._connection.run(self._execute_many, sql, parameters)
        return self

    async def fetchone(self) -> Any:
        """The next row; None at the end."""
        found = await self.fetchmany(1)
        return found[0] if found else None

    async def fetchmany(self, size: int | None = None) -> Sequence[Any]:
        """The next rows, at most `size` (default: `arraysize`)."""
        size = self.arraysize if size is None else size
        if len(self._rows) < size and self._open is not None:
            await self._connection.run(self._fetch, max(size - len(self._rows), ROWS_AT_ONCE))
        found, self._rows = self._rows[:size], self._rows[size:]
        return found

    async def fetchall(self) -> Sequence[Any]:
        """What is left."""
        if self._open is not None:
            await self._connection.run(self._fetch, None)
        found, self._rows = self._rows, []
        return found

    async def __aiter__(self) -> AsyncIterator[Any]:
        while found := await self.fetchmany(ROWS_AT_ONCE):
            for row in found:
                yield row

    async def close(self) -> None:
        """Let go of what was not fetched."""
        if self._open is not None:
            await self._connection.run(self._close)

    # From here on: in the connection's thread.

    def _execute(self, sql: str, parameters: Iterable[Any]) -> None:
        self._start().execute(sql, cast("Any", parameters))
        self._finish()

    def _execute_many(self, sql: str, parameters: Iterable[Iterable[Any]]) -> None:
        self._start().executemany(sql, cast("Any", parameters))
        self._finish()

    def _start(self) -> sqlite3.Cursor:
        self._close()
        self._rows = []
        self._open = self._connection.driver.cursor()
        return self._open

    def _finish(self) -> None:
        assert self._open is not None
        self.description = self._open.description
        self._fetch(ROWS_AT_ONCE)

    def _fetch(self, size: int | None) -> None:
        assert self._open is not None
        found = self._open.fetchall() if size is None else self._open.fetchmany(size)
        self._rows += found
        # Of a statement that returns rows, known only once it has come to its end.
        self.rowcount, self.lastrowid = self._open.rowcount, self._open.lastrowid
        if size is None or len(found) < size:
            self._close()

    def _close(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None


class OneTripConnection(aiosqlite.Connection):
    """An aiosqlite connection with cursors of the kind above."""

    _was_left = False

    def cursor(self) -> OneTripCursor:  # type: ignore[override]  # without a trip there is nothing to wait for
        return OneTripCursor(self)

    @property
    def driver(self) -> DriverConnection:
        """The connection itself. Raises ValueError where it is closed."""
        return cast("DriverConnection", self._conn)

    async def rollback(self) -> None:
        """Roll back what there is; the pool asks for it after every use.

        Where somebody was cancelled while waiting, the thread may be about to begin a transaction: it is asked in any case.
        """
        if self._was_left or self.driver.has_something_to_roll_back:
            await super().rollback()

    async def _execute(self, fn: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return await super()._execute(fn, *args, **kwargs)  # type: ignore[no-untyped-call]
        except asyncio.CancelledError:
            self._was_left = True
            raise

    async def run(self, function: Any, *args: Any) -> Any:
        """Call `function` in the connection's thread. Raises what it raises, and ValueError where the connection is closed."""
        return await self._execute(function, *args)


def connect(database: str, **options: Any) -> OneTripConnection:
    """As `aiosqlite.connect`: to be awaited. Its thread does not keep the process from ending."""
    made = OneTripConnection(
        lambda: sqlite3.connect(database, factory=DriverConnection, **options), iter_chunk_size=ROWS_AT_ONCE
    )
    made._thread.daemon = True  # noqa: SLF001 (SQLAlchemy does the same)
    return made
