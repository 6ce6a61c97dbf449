"""A few connections of asyncpg for statements that stand by themselves, outside any transaction.

They are borrowed from the readers' pool and kept, so that a process holds no more connections than it may. Nothing of a
caller is ever left on one: everything that a statement depends on are its text and its values.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

import asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.util import greenlet_spawn

MOST_STATEMENTS: Final = 200
"""Prepared per connection; the one that was not used for longest goes."""
_PATIENCE_SECONDS: Final = 5.0
"""Beyond the server's own time limit: after that the connection is taken for dead."""
# A statement that failed on its own account leaves its connection as it was.
HARMLESS: Final = (
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.QueryCanceledError,
    asyncpg.SyntaxOrAccessError,
    asyncpg.LockNotAvailableError,
)


class Lane:
    """One connection, and the statements that are prepared on it. place: of the connection in its pool."""

    def __init__(self, place: Any, *, is_lent: bool, timeout_seconds: float) -> None:
        self._place = place
        self._raw: Any = place.driver_connection
        self._is_lent = is_lent
        self._timeout = timeout_seconds
        self._is_cut = False
        # With the connection, which may be given back and lent again.
        self._statements: OrderedDict[str, Any] = place.info.setdefault("fh_statements", OrderedDict())

    @property
    def is_open(self) -> bool:
        """Whether the connection is still there, as far as this side knows, and may take another statement."""
        return not (self._is_cut or self._raw.is_closed())

    def cut_short(self) -> None:
        """Ask the server to give up the statement that runs here. It is the last one: the word may come late."""
        self._is_cut = True
        self._raw._cancel_current_command(asyncio.get_running_loop().create_future())  # noqa: SLF001 (as it does when a fetch is cancelled)

    async def fetch(self, sql: str, values: Sequence[Any]) -> tuple[Sequence[Any], Sequence[int]]:
        """The rows, and the OIDs of their columns. Raises what asyncpg raises."""
        if self._is_lent:  # a pooler gives the connection behind it for the length of a transaction
            async with self._raw.transaction():
                statement = await self._raw.prepare(sql, name="")
                return await statement.fetch(*values, timeout=self._timeout), _oids(statement)
        statement, oids = self._statements.get(sql) or await self._prepare(sql)
        try:
            return await statement.fetch(*values, timeout=self._timeout), oids
        except (asyncpg.InvalidCachedStatementError, asyncpg.OutdatedSchemaCacheError):  # a migration ran meanwhile
            self._statements.clear()
            statement, oids = await self._prepare(sql)
            return await statement.fetch(*values, timeout=self._timeout), oids

    async def _prepare(self, sql: str) -> tuple[Any, Sequence[int]]:
        statement = await self._raw.prepare(sql)
        self._statements[sql] = found = statement, _oids(statement)
        if len(self._statements) > MOST_STATEMENTS:
            self._statements.popitem(last=False)
        return found

    async def give_back(self) -> None:
        """Let the pool have the connection again."""
        with suppress(Exception):
            await greenlet_spawn(self._place.close)

    def drop(self) -> None:
        """Close the connection at once; the pool opens another where it needs one."""
        self._raw.terminate()
        with suppress(Exception):
            self._place.invalidate()


class Lanes:
    """At most `most` connections, lent to one statement each. Waiters are served in order.

    kept: so many that nobody uses stay; the pool gets back the others. Default: all of them.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        *,
        most: int,
        kept: int | None = None,
        is_lent: bool = False,
        statement_seconds: float = 30.0,
    ) -> None:
        self._engine = engine
        self._most = most
        self._kept = most if kept is None else kept
        self._given_back: set[asyncio.Task[None]] = set()
        self._is_lent = is_lent
        self._timeout = statement_seconds + _PATIENCE_SECONDS
        self._idle: list[Lane] = []
        self._open = 0
        self._waiting: deque[asyncio.Future[Lane | None]] = deque()
        self._closed = False

    @property
    def in_use(self) -> int:
        """Connections that a statement has at this moment."""
        return self._open - len(self._idle)

    async def fetch(self, sql: str, values: Sequence[Any]) -> tuple[Sequence[Any], Sequence[int]]:
        """Run one statement. Raises what asyncpg, or opening a connection, raises.

        A statement that is cancelled takes its connection along: nobody waits for what it may still send.
        """
        return await self.run(self._at_hand() or await self._take(), sql, values)

    async def lane(self) -> Lane:
        """A lane for one statement; hand it to `run`. Raises what opening a connection raises."""
        return self._at_hand() or await self._take()

    def _at_hand(self) -> Lane | None:
        while self._idle:
            lane = self._idle.pop()
            if lane.is_open:
                return lane
            self._drop(lane)
        return None

    async def run(self, lane: Lane, sql: str, values: Sequence[Any]) -> tuple[Sequence[Any], Sequence[int]]:
        """As `fetch`, on a lane that was taken for it."""
        try:
            found = await lane.fetch(sql, values)
        except HARMLESS:
            self.release(lane)
            raise
        except BaseException:
            self._drop(lane)
            raise
        self.release(lane)
        return found

    async def close(self) -> None:
        """Give every connection back. Statements that still run lose theirs when they are done."""
        self._closed = True
        while self._idle:
            lane = self._idle.pop()
            self._open -= 1
            await lane.give_back()

    async def _take(self) -> Lane:
        while True:
            if self._open < self._most:
                self._open += 1
                try:
                    place = await greenlet_spawn(self._engine.sync_engine.pool.connect)
                except BaseException:
                    self._open -= 1
                    self._let_next_open()
                    raise
                return Lane(place, is_lent=self._is_lent, timeout_seconds=self._timeout)
            turn: asyncio.Future[Lane | None] = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            try:
                lane = await turn
            except asyncio.CancelledError:
                if turn.done() and not turn.cancelled():
                    self._pass_on(turn.result())
                raise
            if lane is not None:
                return lane

    def release(self, lane: Lane) -> None:
        """Take back a lane that nothing runs on."""
        if self._closed or not lane.is_open:
            self._drop(lane)
        else:
            self._pass_on(lane)

    def _pass_on(self, lane: Lane | None) -> None:
        """To who waits longest; a lane to nobody is idle. None: there is room to open one."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(lane)
                return
        if lane is None:
            return
        if len(self._idle) < self._kept:
            self._idle.append(lane)
            return
        self._open -= 1
        task = asyncio.get_running_loop().create_task(lane.give_back())
        self._given_back.add(task)
        task.add_done_callback(self._given_back.discard)

    def _drop(self, lane: Lane) -> None:
        lane.drop()
        self._open -= 1
        self._let_next_open()

    def _let_next_open(self) -> None:
        self._pass_on(None)


def _oids(statement: Any) -> Sequence[int]:
    return [attribute.type.oid for attribute in statement.get_attributes()]
