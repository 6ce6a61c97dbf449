"""From what a calendar says and what is stored to what has to change: doing it twice changes nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from freehold.calendar.events import Event

K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class KnownEvent(Generic[K]):
    """An event of this source that is stored. key: what its row is found by. fingerprint: stored with it."""

    key: K
    uid: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class ImportPlan(Generic[K]):
    """What has to change."""

    inserts: tuple[Event, ...]
    updates: tuple[tuple[K, Event], ...]
    deletes: tuple[K, ...]
    unchanged: int

    @property
    def is_empty(self) -> bool:
        """Whether all is as the calendar says."""
        return not (self.inserts or self.updates or self.deletes)


def plan_import(known: Iterable[KnownEvent[K]], events: Iterable[Event]) -> ImportPlan[K]:
    """Compare by uid. An event that is cancelled, takes no time, or is gone from the calendar is a delete.

    known: the stored events of this source that overlap the window which was read; others would count as gone.
    """
    wanted = {event.uid: event for event in events if event.blocks}
    stored: dict[str, KnownEvent[K]] = {}
    deletes: list[K] = []
    for row in known:
        if row.uid in wanted and row.uid not in stored:
            stored[row.uid] = row
        else:
            deletes.append(row.key)
    changed = [(row.key, wanted[uid]) for uid, row in stored.items() if row.fingerprint != wanted[uid].fingerprint]
    return ImportPlan(
        inserts=tuple(event for uid, event in wanted.items() if uid not in stored),
        updates=tuple(changed),
        deletes=tuple(deletes),
        unchanged=len(stored) - len(changed),
    )
