"""One Redis or Valkey for a process: asked with a time limit, and left alone while it is away."""

from __future__ import annotations

import asyncio
import hashlib
import random
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from freehold.errors import ConfigurationError
from freehold.observe.logs import get_logger
from freehold.observe.metrics import Metrics
from freehold.remote.driver import connect, require_driver
from freehold.remote.lane import Away, Command, Lane, Refused, Reply
from freehold.remote.subscription import Subscription
from freehold.settings.redis import RedisAddress

ANSWER_SECONDS = 0.25
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.05, 2.0
_log = get_logger("freehold.redis")


class Script:
    """A Lua script, known to the server by its digest once it ran there."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.digest = hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest()


class RedisServer:
    """The server behind `FREEHOLD_REDIS_URL`.

    prefix: what the keys of this service begin with (`key`); another service on the same server has another one.
    answer_seconds: longer no question waits. It is away from a lost connection, or some questions without an answer, on:
    from then until it is back, which a task of its own finds out, questions fail at once. It says so once.
    """

    def __init__(
        self, url: str, *, prefix: str = "fh", metrics: Metrics | None = None, answer_seconds: float = ANSWER_SECONDS
    ) -> None:
        self.address = RedisAddress.parse(url)
        self._prefix = prefix
        self._answer_seconds = answer_seconds
        self._lane: Lane | None = None
        self._closing: set[asyncio.Task[None]] = set()
        self._returning: asyncio.Task[None] | None = None
        self._subscriptions: list[Subscription] = []
        self._away_since = time.monotonic()
        self._refusal = ""
        self.run_id = ""
        """Of the server as it runs: another one where it was started anew, or another one took over."""
        self._failures = (
            None if metrics is None else metrics.counter("freehold_redis_lost", "Times that Redis was lost")
        )
        if metrics is not None:
            metrics.gauge("freehold_redis_up", "Whether Redis answers", lambda: 0 if self.is_away else 1)
        require_driver()

    @property
    def is_away(self) -> bool:
        """Whether questions fail at once."""
        return self._lane is None

    def key(self, *parts: str) -> str:
        """The name of a key or channel of this service."""
        return ":".join((self._prefix, *parts))

    async def open(self) -> None:
        """Connect; where that fails go on without it, and try again in the background.

        Raises ConfigurationError where the server is there and refuses the password or the database.
        """
        from redis.exceptions import AuthenticationError, ResponseError  # noqa: PLC0415 (an extra)

        try:
            await self._connect()
        except Exception as error:  # noqa: BLE001  # whatever else it is, the service starts without
            if isinstance(error.__cause__ or error, AuthenticationError | ResponseError):
                raise ConfigurationError(f"FREEHOLD_REDIS_URL: {self.address.without_password}: {error}") from None
            self._is_lost(error)

    async def close(self) -> None:
        """Give back the connections. It may be opened again."""
        for subscription in list(self._subscriptions):
            await subscription.close()
        returning, self._returning = self._returning, None
        if returning is not None:
            returning.cancel()
            with suppress(asyncio.CancelledError):
                await returning
        lane, self._lane = self._lane, None
        if lane is not None:
            await lane.close()
        await asyncio.gather(*self._closing)

    async def ask(self, *commands: Command) -> list[Reply]:
        """The replies, in order. The commands run side by side, other clients' maybe in between (`MULTI` if not so).

        What the server refuses stands in the list as a `redis.exceptions.ResponseError`. Raises Away within the time
        limit; the commands may have run then.
        """
        if self._lane is None:
            raise Away("Redis is away")
        return await self._lane.ask(commands)

    async def run(self, script: Script, keys: Sequence[str], *args: str | bytes | float) -> Reply:
        """Run a script; it is sent whole where the server does not know it (any more).

        Raises Away, and of that Refused where the script or the server answers with an error.
        """
        from redis.exceptions import NoScriptError  # noqa: PLC0415 (an extra)

        lane = self._lane
        (reply,) = await self.ask(("EVALSHA", script.digest, len(keys), *keys, *args))
        if isinstance(reply, NoScriptError):
            if lane is not self._lane:
                raise Away("Redis was lost meanwhile")  # the keys may be those of the server as it ran before
            (reply,) = await self.ask(("EVAL", script.source, len(keys), *keys, *args))
        if isinstance(reply, Exception):
            self._tell_refusal(str(reply))
            raise Refused(str(reply)) from reply
        return reply

    async def is_there(self) -> bool:
        """For health: whether it answers. Never asks while it is known to be away."""
        return not self.is_away

    def subscribe(
        self, *channels: str, told: Callable[[str, bytes], None], gap: Callable[[], None] | None = None
    ) -> Subscription:
        """Listen to channels until the subscription or this server is closed, over a connection of its own.

        told: called in the loop for each message, with channel and payload; must be quick. gap: called whenever it
        listens (again), also at first: messages before that may have been missed.
        """
        subscription = Subscription(
            lambda: connect(self.address, name="freehold-listener"),
            channels,
            told=told,
            gap=gap,
            ended=self._subscriptions.remove,
        )
        self._subscriptions.append(subscription)
        return subscription

    def _tell_refusal(self, reason: str) -> None:
        """Once, until it is another one."""
        if reason != self._refusal:
            self._refusal = reason
            _log.error("redis refuses", server=self.address.without_password, reason=reason)

    async def _connect(self) -> None:
        connection = await connect(self.address, name="freehold")
        lane = Lane(connection, seconds=self._answer_seconds, lost=self._is_lost)
        try:
            (about,) = await lane.ask([("INFO", "server")])
        except BaseException as error:
            await lane.close(error if isinstance(error, Exception) else None)
            raise
        if lane.is_lost:
            raise Away("lost as soon as it was made")
        self._lane, self.run_id = lane, _run_id(about)

    def _is_lost(self, reason: Exception) -> None:
        lane, self._lane = self._lane, None
        if lane is not None:
            task = asyncio.create_task(lane.close(reason))
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)
        if self._returning is not None:
            return
        self._away_since = time.monotonic()
        if self._failures is not None:
            self._failures.inc()
        _log.warning("redis is away; going on without it", server=self.address.without_password, reason=str(reason))
        self._returning = asyncio.create_task(self._return(), name="redis return")

    async def _return(self) -> None:
        pause = _FIRST_PAUSE_SECONDS
        while self._lane is None:
            await asyncio.sleep(pause * random.uniform(0.5, 1))  # noqa: S311 (spreads the clients, guards nothing)
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
            with suppress(Exception):
                await self._connect()
        self._returning = None
        seconds = round(time.monotonic() - self._away_since, 3)
        _log.warning("redis is back", server=self.address.without_password, seconds=seconds)


def _run_id(about: Reply) -> str:
    """From what INFO says; empty where this user may not ask for it."""
    lines = about.decode().splitlines() if isinstance(about, bytes) else []
    return next((line.removeprefix("run_id:") for line in lines if line.startswith("run_id:")), "")
