"""How many of a kind may be in progress at the same time: nobody waits, whoever finds no place is refused.

`Places` is the port; `MemoryPlaces` counts in one process, `RedisPlaces` over all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol, TypeAlias

Wanted: TypeAlias = tuple[str, int]
"""What is counted, and how many of it there may be."""


class Full(Exception):
    """As many are in progress as may be. name: of what."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class Places(Protocol):
    """Counts by name. One contract, an embedded and a shared form."""

    def held(self, wanted: Sequence[Wanted]) -> AbstractAsyncContextManager[None]:
        """A place of each for the length of the block, or none of any. Raises Full."""
        ...


class MemoryPlaces:
    """Places within one process."""

    def __init__(self) -> None:
        self._taken: Counter[str] = Counter()

    @asynccontextmanager
    async def held(self, wanted: Sequence[Wanted]) -> AsyncIterator[None]:
        """See `Places.held`."""
        for name, most in wanted:
            if self._taken[name] >= most:
                raise Full(name)
        self._taken.update(name for name, _ in wanted)
        try:
            yield
        finally:
            for name, _ in wanted:
                self._taken[name] -= 1
                if not self._taken[name]:
                    del self._taken[name]
