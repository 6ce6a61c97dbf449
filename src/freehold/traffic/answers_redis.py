"""Kept answers for all processes, in Redis. Nothing of them is held here: what is lost with Redis is lost for everyone."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import suppress
from typing import TYPE_CHECKING

from freehold.own_id import OwnId
from freehold.remote import Away, RedisServer
from freehold.store.touched import Change
from freehold.traffic import answers_scripts as scripts
from freehold.traffic.answers import Kept
from freehold.traffic.silence import Silence

if TYPE_CHECKING:
    from freehold.store.database import Database

COMMIT_SECONDS = 60  # a commit that was begun so long ago is over, whether it said so or not
MAKING_SECONDS = 5  # whoever makes an answer for longer is not waited for
NEVER = -1
"""The mark of an answer that is not kept: Redis was away."""


class RedisAnswers:
    """Answers that all processes share.

    limit_bytes: one answer takes at most an eighth; all together take what Redis allows. release: of the code that makes
    them, known at the start; another release keeps its own. keeps: whether
    this service keeps answers at all; asked from the start on. Where it does not, no commit is told of.
    """

    def __init__(
        self,
        database: Database,
        redis: RedisServer,
        *,
        limit_bytes: int = 32 * 1024 * 1024,
        release: Callable[[], str] = str,
        keeps: Callable[[], bool] = lambda: True,
    ) -> None:
        self._redis = redis
        self._silence = Silence(database, redis)
        self._silence.on_end(self.has_been_replaced)
        self._release_of = release
        self._keeps = keeps
        self._release = ""
        self._most = limit_bytes // 8
        self._own_id = OwnId()

    @property
    def silence(self) -> Silence:
        """Who cannot tell of its commits."""
        return self._silence

    async def start(self) -> None:
        """See `Answers.start`."""
        self._release = self._release_of()
        if self._keeps():
            await self._silence.start()

    async def close(self) -> None:
        """See `Answers.close`."""
        await self._silence.stop()

    async def mark(self) -> int:
        """See `Answers.mark`."""
        try:
            return int(await self._redis.run(scripts.MARK, self._order))
        except Away:
            return NEVER

    async def get(self, key: str) -> Kept | None:
        """See `Answers.get`."""
        if self._silence.is_broken:
            return None
        try:
            found = await self._redis.run(scripts.GET, [*self._order, self._answer(key)])
        except Away:
            return None
        return None if found is None else Kept(found[0], int(found[1]), max(0, int(found[2])) / 1000)

    async def put(self, key: str, value: bytes, *, tables: Collection[str], mark: int, seconds: float) -> bool:
        """See `Answers.put`."""
        if self._silence.is_broken or mark == NEVER or len(value) > self._most:
            return False
        keys, milliseconds = [*self._order, self._answer(key)], max(1, round(seconds * 1000))
        try:
            return bool(await self._redis.run(scripts.PUT, keys, mark, milliseconds, value, *sorted(tables)))
        except Away:
            return False

    async def is_current(self, tables: Collection[str], mark: int) -> bool:
        """See `Answers.is_current`. Nobody can tell while Redis is away."""
        if self._silence.is_broken or mark == NEVER:
            return False
        try:
            return bool(await self._redis.run(scripts.IS_CURRENT, self._order, mark, *sorted(tables)))
        except Away:
            return False

    async def begin(self, key: str) -> bool:
        """See `Answers.begin`. While Redis is away each process makes its own."""
        try:
            (reply,) = await self._redis.ask(("SET", self._maker(key), self._own_id().hex, "NX", "EX", MAKING_SECONDS))
        except Away:
            return True
        return reply is not None

    async def end(self, key: str) -> None:
        """See `Answers.end`."""
        with suppress(Away):
            await self._redis.run(scripts.END, [self._maker(key)], self._own_id().hex)

    def joins(self, change: Change) -> bool:
        """See `Watcher`: a word along with it, where Redis is away."""
        return self._keeps()

    async def will_change(self, change: Change) -> None:
        """See `Watcher`."""
        if not self._keeps():
            return
        try:
            milliseconds = COMMIT_SECONDS * 1000
            await self._redis.run(scripts.WILL_CHANGE, self._order, change.id, milliseconds, *sorted(change.tables))
        except Away:
            await self._silence.begin(change)

    async def has_changed(self, change: Change) -> None:
        """See `Watcher`. Where Redis is away by now the commit counts as running, until it must be over."""
        if not self._keeps():
            return
        with suppress(Away):
            await self._redis.run(scripts.HAS_CHANGED, self._order, change.id, *sorted(change.tables))
        self._silence.end(change)

    async def has_been_replaced(self) -> None:
        """See `Watcher`. Raises Away."""
        await self._redis.run(scripts.REPLACED, self._order)

    @property
    def _order(self) -> list[str]:
        # A server that was started anew, or took over, may hold what it had long before: it has another id.
        return [self._redis.key("answers", self._redis.run_id, name) for name in ("order", "commits")]

    def _answer(self, key: str) -> str:
        return self._redis.key("answers", self._redis.run_id, self._release, key)

    def _maker(self, key: str) -> str:
        return self._redis.key("making", self._release, key)
