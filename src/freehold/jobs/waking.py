"""Who is told, in this process, that a commit has left work behind. Polling finds what nobody was told of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol
from weakref import WeakSet

if TYPE_CHECKING:
    from freehold.store.unit import Unit


class Sleeper(Protocol):
    """A runner that waits for work."""

    def wake(self) -> None:
        """Look for work soon. Safe from any thread."""
        ...


_sleepers: WeakSet[Sleeper] = WeakSet()


def register(sleeper: Sleeper) -> None:
    """Have `sleeper` woken by every commit of this process that enqueued a job."""
    _sleepers.add(sleeper)


def unregister(sleeper: Sleeper) -> None:
    """Let it sleep."""
    _sleepers.discard(sleeper)


def wake_all() -> None:
    """Wake every runner of this process. One that serves another database looks once in vain."""
    for sleeper in list(_sleepers):
        sleeper.wake()


def wake_after_commit(unit: Unit) -> None:
    """Wake the runners when `unit` has committed."""
    unit.after_commit(wake_all)
