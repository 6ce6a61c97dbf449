"""How many statements an operation runs: the N+1 that a test can see."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from freehold.store.database import Database

_FRAME = ("SAVEPOINT", "RELEASE", "ROLLBACK", "BEGIN", "COMMIT")


class OverBudget(AssertionError):
    """An operation ran more statements than it may. The message lists them."""


class Statements(list[str]):
    """The statements that ran, in order, without those that only frame a transaction."""

    def note(self, *args: Any) -> None:
        """A listener for SQLAlchemy's `before_cursor_execute`."""
        self.ran(args[2])

    def ran(self, statement: str) -> None:
        """A listener of the database's read path."""
        if not statement.lstrip().upper().startswith(_FRAME):
            self.append(statement)


def watch(database: Database) -> Statements:
    """Note every statement of `database` from now on; connections that are open already stay unwatched."""
    found = Statements()
    engines = (database.engine, database._readers)  # noqa: SLF001  # reads have an engine of their own on SQLite
    for engine in {id(each): each.sync_engine for each in engines}.values():
        event.listen(engine, "before_cursor_execute", found.note)
    database.listeners.append(found.ran)
    return found


@contextmanager
def budget(statements: Statements, at_most: int) -> Iterator[None]:
    """Fail with OverBudget when the block runs more than `at_most` statements."""
    before = len(statements)
    yield
    ran = statements[before:]
    if len(ran) > at_most:
        raise OverBudget(f"{len(ran)} statements where at most {at_most} may run:\n{listed(ran)}")


def listed(statements: Sequence[str]) -> str:
    """Statements for a person to read, one a line."""
    return "\n".join(f"{number}. {' '.join(each.split())}" for number, each in enumerate(statements, 1))
