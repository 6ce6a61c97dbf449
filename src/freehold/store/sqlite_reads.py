"""Short statements of SQLite in the event loop itself: a trip to a thread costs more than they do.

None may hold the loop up: past a millisecond or two a statement is broken off, and the same plan goes to the readers'
threads for a while.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

LONGEST_SECONDS: Final = 0.002
"""Of the processor. A machine with too much to do takes it away from any statement, and that is when threads cost most."""
LONGEST_WAIT_SECONDS: Final = 0.1
"""By the clock: it may wait for the disk."""
_LOOK_EVERY: Final = 2_000
"""Steps of SQLite's machine between two looks at the clock: some tens of microseconds."""
_KEPT: Final = 256


class TooLong(Exception):
    """The statement was broken off."""


class LoopReader:
    """One connection that cannot write, used by the thread of the loop alone. Each statement sees the newest commit."""

    def __init__(self, path: Path, register: Callable[[Any], None]) -> None:
        self._connection = sqlite3.connect(
            path, isolation_level=None, timeout=0.0, cached_statements=_KEPT, check_same_thread=False
        )
        register(self._connection)
        self._connection.execute("PRAGMA query_only=ON")
        self._began: tuple[float, float] | None = None
        self._connection.set_progress_handler(self._is_over, _LOOK_EVERY)

    def fetch(self, sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        """The rows. Raises TooLong, and what sqlite3 raises (a lock is not waited for)."""
        self._began = None
        try:
            return self._connection.execute(sql, values).fetchall()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
                raise TooLong from error
            raise

    def begin(self) -> None:
        """Have what follows see one moment, the next one: to take and leave the lock is a fifth of what a row by its key takes."""
        with suppress(sqlite3.Error):  # then each statement meets it by itself, and says so
            self._connection.execute("BEGIN")

    def end(self) -> None:
        """Leave that moment."""
        with suppress(sqlite3.Error):
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _is_over(self) -> bool:
        now = time.thread_time(), time.perf_counter()
        if self._began is None:  # by the first look, which most statements end before
            self._began = now
            return False
        return now[0] - self._began[0] > LONGEST_SECONDS or now[1] - self._began[1] > LONGEST_WAIT_SECONDS
