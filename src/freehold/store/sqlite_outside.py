"""Whether somebody else has written to an SQLite file: another process, such as the command line, or another program."""

from __future__ import annotations

import sqlite3
from pathlib import Path


class Outside:
    """Looks at a file through a connection of its own, in the loop: a look reads no page and takes microseconds.

    What this process commits looks the same as what others do: say so with `pass_over`, while nobody else can write.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._known: int | None = None

    def has_written(self) -> bool:
        """Whether there was a commit since the last look, or it cannot be told."""
        before, self._known = self._known, self._version()
        return before is None or before != self._known

    def pass_over(self) -> None:
        """Take what is there now as seen."""
        self._known = self._version()

    def close(self) -> None:
        """Give the file back; the next look opens it again."""
        if self._connection is not None:
            self._connection.close()
        self._connection = self._known = None

    def _version(self) -> int | None:
        try:
            if self._connection is None:
                self._connection = sqlite3.connect(f"file:{self._path}?mode=ro", uri=True, timeout=0)
            return int(self._connection.execute("PRAGMA data_version").fetchone()[0])
        except sqlite3.Error:
            return None
