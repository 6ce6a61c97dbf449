"""E06: readiness follows its checks, from memory."""

from __future__ import annotations

import asyncio
import time

import pytest
from tests.waiting import PATIENCE_SECONDS, until

from freehold.observe import health as module
from freehold.observe.health import Health

pytestmark = pytest.mark.anyio


async def test_E06_ready_follows_the_checks_in_both_directions() -> None:
    state = {"up": True}

    async def database() -> None:
        if not state["up"]:
            raise ConnectionError("postgresql://user:secret@db is away")

    health = Health(interval_seconds=0.01)
    health.register("database", database)
    await health.start()
    try:
        assert await health.is_ready()
        state["up"] = False
        await until(lambda: health.failing() == ["database"])
        assert not await health.is_ready()
        state["up"] = True
        await until(lambda: health.failing() == [])
        assert await health.is_ready()
    finally:
        await health.stop()


async def test_E06_a_check_that_hangs_fails_and_the_answer_does_not_wait_for_it() -> None:
    async def hangs() -> None:
        await asyncio.sleep(60)

    health = Health(interval_seconds=0.01, timeout_seconds=0.02)
    health.register("database", hangs)
    await health.start()
    async with asyncio.timeout(PATIENCE_SECONDS):  # half of what the check takes
        assert not await health.is_ready()
    await health.stop()


async def test_E06_a_result_that_grew_old_counts_as_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fine() -> None:
        return None

    health = Health(interval_seconds=3600)
    health.register("database", fine)
    await health.start()
    assert await health.is_ready()
    later = time.monotonic() + module.STALE_SECONDS + 0.1
    monkeypatch.setattr(module.time, "monotonic", lambda: later)
    assert not await health.is_ready()
    monkeypatch.undo()
    await health.stop()


async def test_E06_without_a_background_the_checks_run_at_once_within_their_budget() -> None:
    async def migrated() -> bool:
        return False

    health = Health()
    assert await health.is_ready()
    health.register("migrations", migrated)
    assert not await health.is_ready()
    await health.stop()


async def test_F04_a_check_that_is_not_needed_leaves_the_service_ready_and_degraded() -> None:
    async def away() -> bool:
        return False

    async def there() -> None:
        return None

    health = Health()
    health.register("database", there)
    health.register("redis", away, is_needed=False)
    assert await health.is_ready()
    assert health.is_degraded
    health.register("redis", there, is_needed=False)
    assert await health.is_ready()
    assert not health.is_degraded
