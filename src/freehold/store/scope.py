"""The scope of a session, and what is raised where a statement does not fit it."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

from sqlalchemy.exc import DontWrapMixin

from freehold.resource.principal import ANONYMOUS, Principal
from freehold.store.caller import Told
from freehold.store.protection import Shape

SCOPE_OPTION = "fh_scope"
JUDGED = "fh_judged"
"""Of a statement that locks rows: those alone that the caller may change, as the database's own wall has it."""

# Set only while an execution context is built, which is synchronous: two sessions can never share it.
CALLER: ContextVar[Principal] = ContextVar("fh_caller", default=ANONYMOUS)


class UnscopedStatement(Exception, DontWrapMixin):
    """A statement on a protected table that no access rule could be written into. It did not run."""


class ReadOnlySession(Exception, DontWrapMixin):
    """A write in a reading session. It did not run."""


class TransactionControl(Exception, DontWrapMixin):
    """COMMIT, ROLLBACK or BEGIN as text inside a unit of work. It did not run."""


class Scope:
    """The scope of a session, for life: its principal, the shape of its rules, and whether it is flushing.

    written: the tables that its statements write; those of one unit share a set.
    """

    __slots__ = ("_told", "flushing", "principal", "read_only", "shape", "written")

    def __init__(self, principal: Principal, shape: Shape) -> None:
        self._told: dict[Any, Told] = {}
        self.principal = principal
        self.shape = shape
        self.flushing = False
        self.read_only = False
        self.written: set[str] = set()

    def told(self, bare: frozenset[str], locks: frozenset[str]) -> Told:
        """What the database itself is to know of it for a statement; see `Told`."""
        found = self._told.get((bare, locks))
        if found is None:
            found = self._told[bare, locks] = Told(self.principal, self.shape.grant, bare, locks)
        return found
