"""`python -m bench.versus.growth`: what reads cost at 100,000 rows, and at ten million."""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.__main__ import RESULTS, circumstances
from bench.versus import data
from bench.versus.contenders import CONTENDERS
from bench.versus.measuring import Effort
from bench.versus.rounds import Figures, Ground, ground, play

READS = ("W1", "W2", "deep")  # no search: what it looks through grows with the rows, and soon is more than memory holds
ROUNDS = 4
MOST_TIMES = 1.3  # a read through an index may cost so many times what it did: a deeper index, colder pages

KEPT = RESULTS / "growth.json"

Costs = dict[str, dict[str, float]]
"""By read: its figures."""


def main() -> int:
    """Fill two databases and measure them in turn; 1 where a read grew too."""
    parser = argparse.ArgumentParser(prog="python -m bench.versus.growth", description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    found = asyncio.run(_grow(parser.parse_args().rows))
    KEPT.write_text(json.dumps(found, indent=2) + "\n")
    print(json.dumps(found, indent=2))
    return int(not all(each["met"] for each in found["targets"].values()))


async def _grow(rows: int) -> dict[str, Any]:
    around = circumstances()
    with tempfile.TemporaryDirectory() as folder:
        async with ground(Path(folder), rows=rows) as much, ground(Path(folder)) as little:
            many, few = await compare(much, little)
    targets = {name: _target(few[name], many[name]) for name in READS}
    return {"workload": "growth", **around, "rows": [data.ROWS, rows], "few": few, "many": many, "targets": targets}


async def compare(much: Ground, little: Ground) -> tuple[Costs, Costs]:
    """What reads cost on either, measured in turn, so that what the machine does meanwhile falls on both."""
    found: dict[int, list[Figures]] = {id(much): [], id(little): []}
    for number in range(ROUNDS):
        for on in (much, little) if number % 2 else (little, much):
            found[id(on)].append(await play(on, [CONTENDERS["freehold"]], READS, rounds=1, effort=Effort()))
    return _costs(found[id(much)]), _costs(found[id(little)])


def _costs(rounds: list[Figures]) -> Costs:
    names = ("server_us", "postgresql_us", "p50_ms", "p99_ms")
    runs = {read: [found[read]["freehold"][0] for found in rounds] for read in READS}
    return {read: {name: statistics.median(run[name] for run in runs[read]) for name in names} for read in READS}


def _target(few: dict[str, float], many: dict[str, float]) -> dict[str, Any]:
    before, after = (each["server_us"] + each["postgresql_us"] for each in (few, many))
    return {"most_times": MOST_TIMES, "found": round(after / before, 2), "met": after < MOST_TIMES * before}


if __name__ == "__main__":
    sys.exit(main())
