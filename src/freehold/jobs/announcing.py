"""`Announcer`: tells the processes of other machines by a broker that there is work, and hears them.

No commit waits for it and nothing depends on it. What is owed to a broker that is away is one message, however many
commits there were.
"""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress

from freehold.jobs.waking import Broker
from freehold.observe.logs import get_logger
from freehold.observe.metrics import Metrics
from freehold.own_id import OwnId
from freehold.store.waking import Waking

_log = get_logger("freehold.jobs")

_STEP_SECONDS = 5.0  # past it a broker that hangs counts as lost
_CHECK_SECONDS = 5.0
_CLOSE_SECONDS = 1.0
_REST_SECONDS = 0.02  # between two messages: the commits of this time share one
_LONGEST_PAUSE_SECONDS = 10.0


class Announcer:
    """See the module. A broker that cannot be reached is said once, and tried again, longer apart each time."""

    def __init__(self, broker: Broker, waking: Waking, *, metrics: Metrics | None = None) -> None:
        self._broker = broker
        self._waking = waking
        self._own_id = OwnId()  # what this process says comes back to it
        self._owed = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._connected: bool | None = None
        if metrics is not None:
            text = "1 while the broker carries wake-ups; at 0 jobs are found by polling"
            metrics.gauge("freehold_broker_connected", text, lambda: float(bool(self._connected)))

    async def is_there(self) -> bool:
        """For health: whether the broker was there when it was asked last, 5 s ago at most."""
        return self._connected is not False

    async def start(self) -> None:
        """Begin to connect; does not wait for it."""
        self._loop = asyncio.get_running_loop()
        self._waking.register(self, tells_others=True)
        self._task = asyncio.create_task(self._stay_connected(), name="freehold-announcer")

    async def stop(self) -> None:
        """Leave. What was not said yet is found by polling."""
        self._waking.unregister(self)
        task, self._task = self._task, None
        # Asked again where it goes on: in Python 3.11 a driver's wait_for swallows a cancellation that meets its result.
        while task is not None and not task.done():
            task.cancel()
            await asyncio.wait({task}, timeout=_REST_SECONDS)

    def wake(self) -> None:
        """Have the others told soon. Safe from any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._owed.set)

    async def _stay_connected(self) -> None:
        failures = 0
        while True:
            try:
                async with asyncio.timeout(_STEP_SECONDS):
                    await self._broker.connect(self._heard)
                self._found()
                failures = 0
                await self._carry()
            except Exception as error:  # noqa: BLE001  # whatever it is, the rows are safe and are polled
                self._lost(error)
                failures += 1
            finally:
                await self._leave()
            await asyncio.sleep(min(2.0**failures / 8, _LONGEST_PAUSE_SECONDS) * random.uniform(0.8, 1.2))  # noqa: S311

    async def _carry(self) -> None:
        """Say what is owed, and make sure of the connection in between, until it is lost."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(_CHECK_SECONDS):
                    await self._owed.wait()
            async with asyncio.timeout(_STEP_SECONDS):
                if self._owed.is_set():
                    self._owed.clear()
                    await self._broker.send(self._own_id().hex.encode())
                else:
                    await self._broker.check()
            await asyncio.sleep(_REST_SECONDS)

    def _heard(self, message: bytes) -> None:
        if message != self._own_id().hex.encode():
            self._waking.wake()

    def _found(self) -> None:
        if self._connected is False:
            _log.warning("broker_is_back")
        self._connected = True
        # Who was away heard nothing, and was not heard.
        self._waking.wake()
        self._owed.set()

    def _lost(self, error: Exception) -> None:
        if self._connected is not False:
            _log.error("broker_away", error=type(error).__name__, because="jobs are found by polling meanwhile")
        self._connected = False

    async def _leave(self) -> None:
        with suppress(Exception):
            async with asyncio.timeout(_CLOSE_SECONDS):
                await self._broker.close()
