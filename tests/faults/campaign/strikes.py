"""The faults: each strikes, and mends what it broke."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tests.faults.campaign.profiles import Profile, is_ready, kill, kill_all, serving

Strike = Callable[[Profile], Awaitable[float | None]]


@dataclass(frozen=True)
class Fault:
    """share: of the rounds asked for. strike: gives the seconds that a start took, where one was needed."""

    name: str
    strike: Strike
    share: float = 0.1


async def kill_serving(profile: Profile) -> float:
    """The process that answers, as when memory ends: its supervisor puts another in its place."""
    program = random.choice(list(profile.apis))
    began, victim = asyncio.get_running_loop().time(), await asyncio.to_thread(serving, program)
    os.kill(victim, signal.SIGKILL)
    while not await is_ready(profile.apis[program]) or victim == await asyncio.to_thread(serving, program):  # noqa: ASYNC110  # they are other processes
        await asyncio.sleep(0.02)
    return asyncio.get_running_loop().time() - began


async def kill_worker(profile: Profile) -> None:
    """The process that runs jobs; another comes in its place, as for the one that answers."""
    os.kill(await asyncio.to_thread(serving, random.choice(profile.workers)), signal.SIGKILL)


async def kill_api_program(profile: Profile) -> float:
    """All processes of one at once, as when a container or a unit of systemd is killed; started again as those are."""
    program = random.choice(list(profile.apis))
    await asyncio.to_thread(kill_all, program)
    return await profile.start_api(program)


async def kill_supervisor(profile: Profile) -> float:
    """That of an API alone: its workers serve until those of the next start do. The seconds until the address is ready."""
    program = random.choice(list(profile.apis))
    await asyncio.to_thread(kill, program)
    seconds = await profile.start_api(program)
    await asyncio.to_thread(serving, program)
    return seconds


async def kill_program(profile: Profile) -> float | None:
    """The same of an API program or of a worker, which is started again as all that have ended."""
    if random.random() < 0.6:
        return await kill_api_program(profile)
    await asyncio.to_thread(kill_all, random.choice(profile.workers))
    return None


async def kill_postgres(profile: Profile) -> float:
    return await _kill_server(profile, "postgres")


async def kill_redis(profile: Profile) -> float:
    return await _kill_server(profile, "redis")


async def kill_broker(profile: Profile) -> float:
    return await _kill_server(profile, "nats")


async def _kill_server(profile: Profile, name: str) -> float:
    server = profile.servers[name]
    await asyncio.to_thread(kill, server.program)
    began = asyncio.get_running_loop().time()
    await asyncio.sleep(0.3)  # what it leaves behind ends by itself
    await asyncio.to_thread(server.bring_up)
    while not all([await is_ready(port) for port in profile.ports]):  # noqa: ASYNC110  # they are other processes
        await asyncio.sleep(0.02)
    return asyncio.get_running_loop().time() - began


async def kill_any(profile: Profile) -> float | None:
    """An API process half of the time, then a worker, then PostgreSQL."""
    strikes: list[Strike] = [kill_serving, kill_worker, kill_postgres]
    return await random.choices(strikes, (5, 3, 2))[0](profile)


async def cut(profile: Profile) -> None:
    """Every connection to PostgreSQL, Redis and the broker; for half a second none is taken."""
    for proxy in profile.proxies.values():
        proxy.is_refusing = True
        proxy.cut()
    await asyncio.sleep(0.5)
    for proxy in profile.proxies.values():
        proxy.is_refusing = False


async def slow(profile: Profile) -> None:
    """Every message 100 ms late, Redis two seconds, for three seconds."""
    for name, proxy in profile.proxies.items():
        proxy.delay = 2.0 if name == "redis" else 0.1
    await asyncio.sleep(3)
    for proxy in profile.proxies.values():
        proxy.delay = 0.0


async def jump(profile: Profile) -> None:
    """One node's clock an hour forward, then an hour back, three seconds each."""
    for offset in ("+3600s", "-3600s", "+0"):
        await asyncio.to_thread(profile.clock.write_text, offset)
        await asyncio.sleep(3 if offset != "+0" else 0)


async def fill_disk(profile: Profile) -> None:
    """The volume with rows, files and mail is full for two seconds."""
    filler = profile.folder / "filler"
    await asyncio.to_thread(_fill, filler)
    await asyncio.sleep(2)
    await asyncio.to_thread(filler.unlink)


def _fill(filler: object) -> None:
    with open(str(filler), "wb", buffering=0) as file:  # noqa: PTH123  # unbuffered, so that ENOSPC is met here
        try:
            while True:
                file.write(b"\0" * 65536)
        except OSError:
            return


EMBEDDED = (
    Fault("kill -9 of the process that serves", kill_serving, 1.0),
    Fault("kill -9 of the program, all its processes", kill_api_program, 0.3),
)
CLOCK = (Fault("a node's clock an hour forward, and back", jump),)
ON_A_SMALL_DISK = (Fault("disk full", fill_disk),)
CLUSTER = (
    Fault("kill -9 of a random process (API, worker, PostgreSQL)", kill_any, 1.0),
    Fault("kill -9 of a program (API, worker), all its processes", kill_program, 0.3),
    Fault("kill -9 of a supervisor (API)", kill_supervisor, 0.3),
    Fault("kill -9 of PostgreSQL", kill_postgres),
    Fault("kill -9 of Redis", kill_redis),
    Fault("kill -9 of the broker", kill_broker),
    Fault("connections cut (PostgreSQL, Redis, broker)", cut),
    Fault("connections slow (100 ms; Redis 2 s)", slow),
)
