"""Kept answers while somebody cannot say what it changes: a process that is cut off from Redis and not from the database.

Such a process notes in the database, along with its first commit, that it is silent. Everybody looks there twice a second:
as long as somebody is silent no kept answer counts. When it is heard again, or was gone for so long that it is no more,
all that is kept is dropped, and the note with it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from freehold.observe.logs import get_logger
from freehold.own_id import OwnId
from freehold.remote import Away, RedisServer
from freehold.resource.principal import system
from freehold.store.silence import Silent, fall_silent, silent_writers, speaks_again
from freehold.store.touched import Change

if TYPE_CHECKING:
    from freehold.store.database import Database

LOOK_SECONDS = 0.5
# A look that began before that says nothing of now: so long after it was noted, all know of a process that cannot tell.
TRUST_SECONDS = 4 * LOOK_SECONDS
NOTED_FOR = timedelta(minutes=2)
# So long after a look that found the note of this process, with half of its time to go, commits make no other.
_NOTED_SECONDS = 4 * LOOK_SECONDS
_log = get_logger("freehold.cache")


class Silence:
    """Who is silent, as far as this process knows, and this process itself."""

    def __init__(self, database: Database, redis: RedisServer) -> None:
        self._database = database
        self._redis = redis
        self._at_end: list[Callable[[], Awaitable[None]]] = []
        self._own_id = OwnId()
        self._committing: set[str] = set()
        self._noted_until = 0.0
        self._ended: UUID | None = None
        self._known_from: float | None = None
        self._owning_up = asyncio.Lock()
        self._looked_at = -TRUST_SECONDS
        self._task: asyncio.Task[None] | None = None
        self.is_broken = True
        """Whether somebody is silent, or nobody has looked yet: no kept answer counts."""

    @property
    def is_trusted(self) -> bool:
        """Whether a look that is not old found that nobody is silent."""
        return not self.is_broken and time.monotonic() - self._looked_at < TRUST_SECONDS

    def on_end(self, callback: Callable[[], Awaitable[None]]) -> None:
        """Before somebody counts as heard again, have this one set right what it missed. It may raise Away."""
        self._at_end.append(callback)

    async def start(self) -> None:
        """Look, and go on looking until `stop`."""
        if self._task is None:
            await self.look()
            self._task = asyncio.create_task(self._go_on(), name="silent writers")

    async def stop(self) -> None:
        """Look no more; no kept answer counts from here on."""
        task, self._task = self._task, None
        self.is_broken = True
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def begin(self, change: Change) -> None:
        """A commit is about to begin of which nobody can be told: note it along with the commit."""
        self.is_broken = True
        self._committing.add(change.id)
        if change.session is not None and time.monotonic() >= self._noted_until:
            await fall_silent(change.session, self._own_id(), lasting=NOTED_FOR)

    async def own_up(self, change: Change) -> None:
        """A commit is done of which nobody could be told: return once all know at least that somebody is silent."""
        self.is_broken = True
        self._committing.add(change.id)
        async with self._owning_up:
            if self._known_from is None:
                async with self._database.writing(system("a change that nobody was told of")) as unit:
                    await fall_silent(unit.session, self._own_id(), lasting=NOTED_FOR)
                self._known_from = time.monotonic() + TRUST_SECONDS
            known_from = self._known_from
        await asyncio.sleep(known_from - time.monotonic())

    def end(self, change: Change) -> None:
        """The commit is over."""
        self._committing.discard(change.id)

    async def look(self) -> None:
        """Who is silent by now. What is over is ended where Redis is there. Raises Away."""
        began = time.monotonic()
        async with self._database.reading(system("who cannot tell of its changes")) as session:
            found = await silent_writers(session, lasting=NOTED_FOR)
        mine = next((each for each in found if each.process_id == self._own_id()), None)
        if mine is not None and mine.stamp != self._ended and not mine.is_ending:
            self._noted_until = began + _NOTED_SECONDS
        self.is_broken, self._looked_at = bool(found) or bool(self._committing), began
        over = [each for each in found if each.is_over or each is mine]
        # A commit that is under way without a word may be one that relied on the note.
        if over and not self._redis.is_away and not self._committing:
            await self._end_all(over, mine)

    async def _end_all(self, over: list[Silent], mine: Silent | None) -> None:
        if mine is not None:
            self._noted_until, self._ended, self._known_from = 0.0, mine.stamp, None
        for callback in self._at_end:
            await callback()
        async with self._database.writing(system("every change is told of again")) as unit:
            for each in over:
                await speaks_again(unit.session, each)

    async def _go_on(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self.look()
            except Away:
                continue
            except Exception as error:  # noqa: BLE001  # a process without its database commits nothing either
                _log.debug("silent writers not looked for", error=type(error).__name__)
