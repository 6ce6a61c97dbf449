"""`python -m tests.faults.campaign [--rounds N] [--only SHAPE]`: run it, and write docs/reference/faults.md.

Rounds are those of kill -9 (FREEHOLD_TEST_KILL_ROUNDS, 10 by default); every other fault has a tenth of them. Figures
of profiles that are not run stay as they were.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from rich.console import Console
from tests.faults.campaign import strikes
from tests.faults.campaign.events import subscribe
from tests.faults.campaign.judge import Verdict, judge
from tests.faults.campaign.profiles import LIB_FAKETIME, Cluster, Embedded, Profile
from tests.faults.campaign.report import keep
from tests.faults.campaign.strikes import Fault
from tests.faults.campaign.traffic import CONTENDERS, TENANTS, Told, clients
from tests.faults.served import people

from freehold.testing import Receiver, receiving

CONSOLE = Console(highlight=False)
# With the same people, whose tokens are good for ten minutes. After each batch all jobs are waited for, and a lease is a minute.
BATCH, BATCH_SECONDS = 50, 300
BETWEEN = 12  # writes that are acknowledged before the next strike


@dataclass
class Outcome:
    """Of one fault on one profile."""

    fault: str
    profile: str
    rounds: int = 0
    acknowledged: int = 0
    again: Counter[str] = field(default_factory=Counter)
    verdict: Verdict = field(default_factory=Verdict)
    surprises: list[str] = field(default_factory=list)
    longest_in_flight: float = 0.0
    starts: list[float] = field(default_factory=list)
    recoveries: list[float] = field(default_factory=list)


async def campaign(profile: Profile, faults: Sequence[Fault], rounds: int) -> list[Outcome]:
    """Every fault in turn."""
    try:
        await profile.start()
        async with receiving() as receiver:
            return [
                await _all_rounds(profile, fault, max(1, round(rounds * fault.share)), receiver) for fault in faults
            ]
    finally:
        await profile.stop()


async def _all_rounds(profile: Profile, fault: Fault, rounds: int, receiver: Receiver) -> Outcome:
    outcome = Outcome(fault.name, profile.name)
    while outcome.rounds < rounds:
        await _batch(profile, fault, min(BATCH, rounds - outcome.rounds), outcome, receiver)
        keep(asdict(outcome) | {"again": dict(outcome.again)})  # as far as it got: what follows may take an hour
        CONSOLE.print(f"{profile.name}, {fault.name}: {outcome.rounds} rounds, {_in_short(outcome)}")
    return outcome


def _in_short(outcome: Outcome) -> str:
    found = outcome.verdict
    return (
        f"{outcome.acknowledged} acknowledged, {len(found.lost)} lost, {len(found.doubled)} doubled, {found.overlaps} overlaps, "
        f"{found.jobs_left} jobs left, {found.jobs_dead} dead, {found.jobs_parked} parked, {found.events.taken} events, {found.events.amiss} amiss, "
        f"{len(outcome.surprises)} surprises"
    )


async def _batch(profile: Profile, fault: Fault, rounds: int, outcome: Outcome, receiver: Receiver) -> None:
    tag = f"-{random.getrandbits(32):08x}"
    world = await people(profile.url, profile.folder, tenants=TENANTS, houses=TENANTS - CONTENDERS + 1, tag=tag)
    told, stop = Told(), asyncio.Event()
    subscriber = await subscribe(world, receiver, profile.ports[0], f"/hooks/{tag}")
    async with asyncio.TaskGroup() as group:
        group.create_task(profile.keep_workers(stop))
        for work in clients(world, profile.ports, told, stop, tag):
            group.create_task(work)
        ends, done = time.monotonic() + BATCH_SECONDS, 0
        while done < rounds and time.monotonic() < ends:
            done += 1
            await _until(told, BETWEEN)
            await asyncio.sleep(random.uniform(0, 0.3))
            start = await fault.strike(profile)
            outcome.starts += [] if start is None else [start]
            outcome.recoveries.append(await _until(told, 1))
            outcome.rounds += 1
        stop.set()
    outcome.acknowledged += told.acknowledged
    outcome.again += told.again
    outcome.surprises += told.surprises
    outcome.longest_in_flight = max(outcome.longest_in_flight, told.longest_in_flight)
    judged = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(profile.keep_workers(judged))
        await judge(profile, world, told, subscriber, outcome.verdict)
        judged.set()


async def _until(told: Told, more: int) -> float:
    """Wait for so many further acknowledgements; the seconds that took."""
    began, before = time.monotonic(), told.acknowledged
    while told.acknowledged < before + more:  # the clients make it true
        await asyncio.sleep(0.01)
        assert time.monotonic() - began < 120, f"nothing is acknowledged any more: {told.again}"
    return time.monotonic() - began


@contextmanager
def _folder(*, small: bool = False) -> Iterator[Path]:
    """Of its own. small: a volume of 48 MiB, which only root can make."""
    with tempfile.TemporaryDirectory(prefix="freehold-faults-") as made:
        folder = Path(made)
        folder.chmod(0o755)  # PostgreSQL runs under another account
        if small:
            subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", folder], check=True)
        try:
            yield folder
        finally:
            if small:
                subprocess.run(["umount", "-l", folder], check=True)


@dataclass(frozen=True)
class Shape:
    """A profile, and what it is put through. lacks: says what the machine has not, where it has to have it."""

    name: str
    make: Callable[[Path], Profile]
    faults: Sequence[Fault]
    lacks: Callable[[], str] | None = None


def _no_root() -> str:
    return "" if os.geteuid() == 0 else "only root can make a small volume"


def _no_faketime() -> str:
    return "" if LIB_FAKETIME else "libfaketime is not installed: apt-get install libfaketime"


SHAPES = (
    Shape("embedded", lambda folder: Embedded(folder, 18500), strikes.EMBEDDED),
    Shape("disk", lambda folder: Embedded(folder, 18530), strikes.ON_A_SMALL_DISK, _no_root),
    Shape("clock", lambda folder: Embedded(folder, 18560, moves_clock=True), strikes.CLOCK, _no_faketime),
    Shape("cluster", lambda folder: Cluster(folder, 18590), strikes.CLUSTER),
    Shape("cluster-clock", lambda folder: Cluster(folder, 18620, moves_clock=True), strikes.CLOCK, _no_faketime),
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=int(os.environ.get("FREEHOLD_TEST_KILL_ROUNDS", "10")))
    parser.add_argument("--only", choices=[each.name for each in SHAPES])
    asked = parser.parse_args()
    outcomes: list[Outcome] = []
    for shape in SHAPES:
        if asked.only not in (None, shape.name):
            continue
        if shape.lacks is not None and (said := shape.lacks()):
            CONSOLE.print(f"{shape.name}: left out, {said}")
            continue
        with _folder(small=shape.name == "disk") as folder:
            outcomes += asyncio.run(campaign(shape.make(folder), shape.faults, asked.rounds))
    return int(any(each.verdict.is_amiss for each in outcomes))


if __name__ == "__main__":
    sys.exit(main())
