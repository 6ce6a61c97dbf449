"""Who is told that a commit has left work behind. Polling finds what nobody was told of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol
from weakref import WeakSet

if TYPE_CHECKING:
    from freehold.store.unit import Unit


class Sleeper(Protocol):
    """One who waits for work, or who tells others of it."""

    def wake(self) -> None:
        """Look for work soon. Safe from any thread; never waits and never raises."""
        ...


class Waking:
    """A part of a database: the runners and relays of this process, and those who tell other processes."""

    def __init__(self) -> None:
        self._here: WeakSet[Sleeper] = WeakSet()
        self._messengers: WeakSet[Sleeper] = WeakSet()

    def register(self, sleeper: Sleeper, *, tells_others: bool = False) -> None:
        """Have `sleeper` woken. tells_others: only by commits of this process, not by what others have told it."""
        (self._messengers if tells_others else self._here).add(sleeper)

    def unregister(self, sleeper: Sleeper) -> None:
        """Let it sleep."""
        self._here.discard(sleeper)
        self._messengers.discard(sleeper)

    def wake(self) -> None:
        """Wake those of this process."""
        for each in list(self._here):
            each.wake()

    def announce(self) -> None:
        """Wake those of this process, and have the others told."""
        self.wake()
        for each in list(self._messengers):
            each.wake()


def announce_after_commit(unit: Unit) -> None:
    """Wake whoever can do the work that `unit` leaves behind, once it has committed."""
    waking: Waking | None = unit.parts.get(Waking)
    if waking is not None:
        unit.after_commit(waking.announce)
