"""The port to a database as a whole: written into one file at one moment, and put back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sqlalchemy import make_url

from freehold.errors import ConfigurationError

Progress = Callable[[str, int, int], None]
"""Told what is done, how much of it, and of how much (0: not known)."""


@dataclass(frozen=True, slots=True)
class Dumped:
    """What was written. server: its version. tables: the rows of each at that moment."""

    server: str
    tables: dict[str, int]


class Dump(Protocol):
    """One database. Every method raises ConfigurationError with what to do about it."""

    kind: str
    entry: str

    async def write(self, path: Path, told: Progress) -> Dumped:
        """All of it, as it is at one moment not before the call; writers go on meanwhile."""
        ...

    async def put_back(self, path: Path, told: Progress) -> None:
        """Make the database what the dump is, all or nothing."""
        ...

    async def tables(self) -> dict[str, int]:
        """The rows of each table now; empty where there is no database yet."""
        ...

    async def faults(self) -> list[str]:
        """What the database itself finds wrong with its content."""
        ...

    async def look_at(self, path: Path, promised: dict[str, int]) -> list[str]:
        """What is wrong with a dump, as far as can be told without putting it back."""
        ...


def dump_of(url: str) -> Dump:
    """The form for this database. Raises ConfigurationError for one that has none."""
    kind = make_url(url).get_backend_name()
    if kind == "sqlite":
        from freehold.backup.sqlite_dump import SqliteDump  # noqa: PLC0415  # each form stands on this module

        return SqliteDump(url)
    if kind == "postgresql":
        from freehold.backup.postgresql_dump import PostgresqlDump  # noqa: PLC0415  # as above

        return PostgresqlDump(url)
    raise ConfigurationError(f"A {kind} database cannot be backed up.")


def differences(promised: dict[str, int], found: dict[str, int]) -> list[str]:
    """Where tables do not hold as many rows as they should."""
    return [
        f"{name} holds {found.get(name, 0):,} rows instead of {rows:,}"
        for name, rows in promised.items()
        if found.get(name) != rows
    ]
