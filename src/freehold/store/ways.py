"""Where units of one statement go: a way has turns, one for each, on connections that nobody else uses meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from freehold.store.prepared import Prepared
    from freehold.store.together import Together
    from freehold.store.touched import Watchers


class NotAtOnce(Exception):
    """Nothing was done: this takes more than one statement."""


class NotTaken(Exception):
    """Nothing was done: the database refused it. The cause is what the driver says."""


class Turn(Protocol):
    """A connection for one statement, which has to be run, or left."""

    async def run(self, sql: str, values: Sequence[Any]) -> tuple[Sequence[Any], Sequence[int]]:
        """The rows, and the OIDs of their columns.

        Raises NotAtOnce and NotTaken where nothing was done, OutcomeUnknown where nobody knows. What else is raised may come
        after the commit.
        """
        ...

    def cut_short(self) -> None:
        """Have the database give up what is running."""
        ...

    def leave(self) -> None:
        """Run nothing."""
        ...


class Way(Protocol):
    """Runs statements that stand by themselves, each a transaction of its own."""

    async def turn(self) -> Turn:
        """For the next statement. Raises NotAtOnce where there is none to be had."""
        ...

    def tell(self, sql: str) -> None:
        """Those who listen, of a statement that is sent for whoever calls this."""
        ...

    async def look(self, prepared: Prepared, values: list[Any], key: str) -> Sequence[Any]:
        """The rows of a statement that changes nothing: the one of a key, or none. key: what its value is called.

        Raises NotAtOnce and NotTaken.
        """
        ...

    def together(self, prepared: Prepared, watchers: Watchers) -> Together | None:
        """Where units of this statement meet; None for one that has no text for many."""
        ...

    async def close(self) -> None:
        """Give its connections back."""
        ...
