"""What blocks the event loop is named by its line; what only waits is not."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from freehold import Freehold, Router, allow, anyone
from freehold.observe.blocking import Blocked, watched_loop
from freehold.observe.blocking_log import BlockingLog
from freehold.settings import Settings
from freehold.testing import LoopBlocked, unblocked

pytestmark = pytest.mark.anyio
HERE = Path(__file__)


def line_of(mark: str) -> int:
    lines = HERE.read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if line.endswith(f"# {mark}"))


async def blocks() -> None:
    time.sleep(0.3)  # noqa: ASYNC251  # planted


async def computes() -> int:
    ends, rounds = time.thread_time() + 0.2, 0
    while time.thread_time() < ends:  # busy
        rounds += 1
    return rounds


async def test_a_planted_sleep_is_named_by_file_line_and_code() -> None:
    with pytest.raises(LoopBlocked) as told:
        async with unblocked(threshold_ms=40):
            await asyncio.sleep(0.01)
            await blocks()
            await asyncio.sleep(0.01)
    # A busy machine may have kept the loop from its core besides.
    block = next(each for each in told.value.blocks if each.function == "blocks")
    assert (block.file, block.line) == (str(HERE), line_of("planted"))
    assert block.code.startswith("time.sleep(0.3)")
    assert f"{HERE}:{line_of('planted')}" in str(told.value)


async def test_a_computation_is_named_by_its_own_lines() -> None:
    with pytest.raises(LoopBlocked) as told:
        async with unblocked(threshold_ms=40):
            await computes()
    block = next(each for each in told.value.blocks if each.function == "computes")
    assert block.line in (line_of("busy"), line_of("busy") + 1)


async def test_waiting_and_work_in_threads_block_nothing() -> None:
    async with unblocked(threshold_ms=500):  # more than a busy machine keeps a loop from its core
        await asyncio.sleep(1)
        await asyncio.to_thread(time.sleep, 1)


async def test_each_block_is_told_once_and_the_watch_ends_with_its_block() -> None:
    found: list[Blocked] = []
    with watched_loop(threshold_seconds=0.03, told=found.append):
        for _ in range(2):
            await blocks()
            await asyncio.sleep(0.05)
    await blocks()
    assert [each.function for each in found if each.function == "blocks"] == ["blocks"] * 2
    assert not [each for each in threading.enumerate() if each.name == "freehold-loop-watch"]


async def test_the_log_names_a_line_once_a_minute(capsys: pytest.CaptureFixture[str]) -> None:
    log = BlockingLog()
    block = Blocked(0.2, "shop.py", 7, "pay", "time.sleep(1)", "pay")
    for _ in range(3):
        log(block)
    said = capsys.readouterr().out
    assert said.count("event_loop_blocked") == 1
    assert "shop.py:7" in said
    assert "line=time.sleep(1)" in said


async def served(folder: Path, **settings: Any) -> list[threading.Thread]:
    """The threads that watch while such a service runs."""
    router = Router()

    @router.get("/", dependencies=[allow(anyone)])
    async def root() -> dict[str, str]:
        return {}

    app = Freehold(routers=[router], settings=Settings(var_dir=folder, secret="s" * 40, log_level="error", **settings))
    async with app.router.lifespan_context(app):
        async with app.database.engine.connect() as connection:
            await connection.execute(text("SELECT 1"))
        return [each for each in threading.enumerate() if each.name == "freehold-loop-watch"]


async def test_only_development_is_watched_and_the_setting_turns_it_off(tmp_path: Path) -> None:
    assert len(await served(tmp_path, env="development")) == 1
    assert await served(tmp_path, env="development", blocking_ms=0) == []
    assert await served(tmp_path, env="test") == []
