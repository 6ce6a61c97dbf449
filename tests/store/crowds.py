"""Many readers at once, beside somebody who writes or who kills connections."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

from sqlalchemy import text

from freehold import system
from freehold.store.database import Database
from tests.waiting import until


async def stale_reads(
    database: Database, numbers: Iterable[int], change: Callable[[int], Any], read: Callable[[], Awaitable[int]]
) -> int:
    """How many of eight readers' reads gave less than was committed before they began. change: the statement that writes a number.

    The numbers rise; the first stale read ends it.
    """
    committed, stale, is_over, dice = 0, 0, False, random.Random(3)

    async def reads() -> None:
        nonlocal stale
        while not is_over:
            await asyncio.sleep(dice.random() * 0.004)  # not all in step
            least = committed
            stale += await read() < least

    async def writes() -> None:
        nonlocal committed, is_over
        for number in numbers:
            async with database.writing(system("a write")) as unit:
                await unit.session.execute(change(number))
            committed = number
            if stale:
                break
            await asyncio.sleep(0.003)
        is_over = True

    await asyncio.gather(writes(), *(reads() for _ in range(8)))
    return stale


async def leave_and_die(
    database: Database,
    killed: str,
    read: Callable[[random.Random], Awaitable[None]],
    *,
    pauses: Sequence[float] = (0,),
) -> None:
    """Twelve readers, one read in ten given up after a pause, while connections are killed. killed: what their query holds."""
    dice, is_over, done = random.Random(7), False, 0

    async def reads() -> None:
        nonlocal done
        while not is_over:
            reading = asyncio.ensure_future(read(dice))
            if dice.random() < 0.1:
                await asyncio.sleep(dice.choice(pauses))
                reading.cancel()
                await asyncio.wait([reading])
            else:
                await reading
                done += 1

    async def kills() -> None:
        nonlocal is_over
        kill = text(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE :killed LIMIT 1"
        )
        for least in range(0, 80, 10):
            await until(lambda: done > least)  # noqa: B023  # asked before the next is killed
            async with database.writing(system("kill a backend")) as unit:
                await unit.session.execute(kill, {"killed": f"%{killed}%"})
        is_over = True

    await asyncio.gather(kills(), *(reads() for _ in range(12)))
