"""The port that wakes workers: inside a process and by each broker, the same contract."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from tests.jobs import brokers
from tests.tcp_proxy import TcpProxy, tcp_proxy
from tests.waiting import PATIENCE_SECONDS, at_rest, until

from freehold.errors import ConfigurationError
from freehold.jobs import Announcer, open_broker
from freehold.observe.metrics import Metrics
from freehold.store.waking import Waking

pytestmark = pytest.mark.anyio


@dataclass(eq=False)
class Runner:
    """As the runner of a process: it is woken, and looks."""

    woken: int = 0
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def wake(self) -> None:
        self.woken += 1
        self.changed.set()

    async def hears(self, cause: Callable[[], object]) -> None:
        """Be woken by what `cause` does."""
        self.changed.clear()
        cause()
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self.changed.wait()


@dataclass
class Pair:
    """Two processes of one service, so to speak, and what lies between."""

    here: Waking
    there: Waking
    runner_here: Runner
    runner_there: Runner
    announcers: list[Announcer]
    metrics: Metrics
    proxy: TcpProxy | None

    async def connected(self) -> None:
        """Return once both have heard of the other."""
        for teller, hearer in ((self.here, self.runner_there), (self.there, self.runner_here)):
            await self._until_heard(teller, hearer)

    async def at_rest(self) -> None:
        """Return once nothing is on its way any more."""
        await at_rest(lambda: self.runner_here.woken + self.runner_there.woken, seconds=0.5)

    async def _until_heard(self, teller: Waking, hearer: Runner) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            before = hearer.woken
            while hearer.woken == before:
                teller.announce()
                await asyncio.sleep(0.02)


@pytest.fixture(params=["embedded", *brokers.KINDS])
async def pair(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Pair]:
    kind = request.param
    async with AsyncExitStack() as stack:
        metrics, here = Metrics(), Waking()
        announcers: list[Announcer] = []
        proxy = None
        there = here if kind == "embedded" else Waking()
        if kind != "embedded":
            url = stack.enter_context(brokers.running(kind, tmp_path))
            parts = urlsplit(url)
            proxy = await stack.enter_async_context(tcp_proxy(parts.hostname or "", parts.port or 0))
            topic = f"freehold-{uuid4().hex}"
            for waking, counted in ((here, metrics), (there, None)):
                broker = open_broker(brokers.through(url, proxy.port), topic=topic)
                announcers.append(Announcer(broker, waking, metrics=counted))
                await announcers[-1].start()
                stack.push_async_callback(announcers[-1].stop)
        runners = Runner(), Runner()
        here.register(runners[0])
        there.register(runners[1])
        yield Pair(here, there, *runners, announcers, metrics, proxy)


async def test_a_commit_here_wakes_the_runner_there(pair: Pair) -> None:
    await pair.connected()
    await pair.runner_there.hears(pair.here.announce)
    await pair.runner_here.hears(pair.there.announce)


async def test_what_was_heard_is_not_told_on(pair: Pair) -> None:
    """Two processes that told each other on would never come to rest."""
    await pair.connected()
    await pair.at_rest()
    before = pair.runner_here.woken, pair.runner_there.woken
    await pair.runner_there.hears(pair.here.announce)
    await pair.at_rest()
    assert (pair.runner_here.woken - before[0], pair.runner_there.woken - before[1]) == (1, 1)


@pytest.mark.parametrize("pair", brokers.KINDS, indirect=True)
async def test_many_commits_at_one_moment_are_few_messages(pair: Pair) -> None:
    await pair.connected()
    await pair.at_rest()
    before = pair.runner_there.woken
    for _ in range(1000):
        pair.here.announce()
    await until(lambda: pair.runner_there.woken > before)
    await pair.at_rest()
    assert 1 <= pair.runner_there.woken - before <= 3


@pytest.mark.parametrize("pair", brokers.KINDS, indirect=True)
@pytest.mark.parametrize("fault", ["cut", pytest.param("frozen", marks=pytest.mark.faults)])
@pytest.mark.long
async def test_F04_a_broker_that_is_away_holds_nobody_up_and_is_found_again(
    pair: Pair, fault: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("freehold.jobs.announcing._CHECK_SECONDS", 0.1)
    monkeypatch.setattr("freehold.jobs.announcing._STEP_SECONDS", 2.0)
    assert pair.proxy is not None
    await pair.connected()
    if fault == "cut":
        await pair.proxy.cut()
    else:
        pair.proxy.freeze()
    async with asyncio.timeout(PATIENCE_SECONDS):
        while any([await each.is_there() for each in pair.announcers]):
            pair.here.announce()  # returns at once, whatever the broker does
            await asyncio.sleep(0.02)
    assert "freehold_broker_connected 0.0" in pair.metrics.exposition().decode()
    await asyncio.sleep(0.5)
    await pair.proxy.start()
    await pair.connected()
    assert caplog.text.count("broker_away") == 2  # each process says it once, however often it tries
    assert "freehold_broker_connected 1.0" in pair.metrics.exposition().decode()


async def test_a_broker_without_its_client_is_told_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "freehold.jobs.brokers.nats", None)
    with pytest.raises(ConfigurationError, match=r"pip install freehold\[nats\]"):
        open_broker("nats://127.0.0.1", topic="x")
