"""The port of the response cache: answers kept under a key, each with the tables that it was made from.

`MemoryAnswers` keeps them in one process, `RedisAnswers` for all.

A *mark* is a place in the order of all changes. Whoever makes an answer takes the mark first and hands it in with the
answer: what was changed since then makes the answer old, also when the change came while it was being made. So no answer
from before a commit is ever given after it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from freehold.store.touched import Change

MOST_NAMES = 10_000  # of tables and tags that are told apart; when there are more all count as changed


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer. mark: from before it was made. age_seconds: since it was kept."""

    value: bytes
    mark: int
    age_seconds: float


class Answers(Protocol):
    """Keeps answers. One contract, an embedded and a shared form.

    It is also a watcher of commits (`freehold.store.touched.Watcher`): what a commit changes is old from then on.
    """

    async def mark(self) -> int:
        """The mark of now."""
        ...

    async def get(self, key: str) -> Kept | None:
        """The answer, unless its time is over or something that it was made from has changed."""
        ...

    async def put(self, key: str, value: bytes, *, tables: Collection[str], mark: int, seconds: float) -> bool:
        """Keep an answer, unless something that it was made from has changed since `mark`; whether it was kept.

        tables: names of tables and tags; none means that no change makes it old. seconds: for how long at most.
        """
        ...

    async def is_current(self, tables: Collection[str], mark: int) -> bool:
        """Whether none of these has changed since `mark`."""
        ...

    async def begin(self, key: str) -> bool:
        """Whether nobody in another process is making this answer; then it is for the caller to make, until `end`.

        Whoever dies over it holds nobody up for long.
        """
        ...

    async def end(self, key: str) -> None:
        """It is made, or will not be."""
        ...

    def joins(self, change: Change) -> bool:
        """See `Watcher`."""
        ...

    async def will_change(self, change: Change) -> None:
        """See `Watcher`."""
        ...

    async def has_changed(self, change: Change) -> None:
        """See `Watcher`."""
        ...

    async def has_been_replaced(self) -> None:
        """See `Watcher`: no answer is kept any more, and none that is being made will be."""
        ...

    async def start(self) -> None:
        """Before the first answer; whoever shares a database with others looks there. It may be started again."""
        ...

    async def close(self) -> None:
        """Give back what it holds open."""
        ...
