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

import asyncpg
from bench.__main__ import RESULTS, circumstances
from bench.versus import data
from bench.versus.contenders import CONTENDERS
from bench.versus.measuring import Effort
from bench.versus.rounds import Ground, ground, play

READS = ("W1", "W2", "search", "deep")
MOST_TIMES = 1.3  # a read through an index may cost so many times what it did: a deeper index, colder pages


def main() -> int:
    """Measure, grow, measure again; 1 where a read grew too."""
    parser = argparse.ArgumentParser(prog="python -m bench.versus.growth", description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    found = asyncio.run(_grow(parser.parse_args().rows))
    (RESULTS / "growth.json").write_text(json.dumps(found, indent=2) + "\n")
    print(json.dumps(found, indent=2))
    return int(not all(each["met"] for each in found["targets"].values()))


async def _grow(rows: int) -> dict[str, Any]:
    around = circumstances()
    with tempfile.TemporaryDirectory() as folder:
        async with ground(Path(folder)) as on:
            few = await _costs(on)
            connection = await asyncpg.connect(on.url)
            try:
                await data.grow(connection, data.ROWS + 1, rows)
                await connection.execute("VACUUM ANALYZE properties", timeout=3600)
            finally:
                await connection.close()
            many = await _costs(on)
    targets = {name: _target(few[name], many[name]) for name in READS}
    return {"workload": "growth", **around, "rows": [data.ROWS, rows], "few": few, "many": many, "targets": targets}


async def _costs(on: Ground) -> dict[str, dict[str, float]]:
    found = await play(on, [CONTENDERS["freehold"]], READS, rounds=3, effort=Effort())
    names = ("server_us", "postgresql_us", "p50_ms", "p99_ms")
    return {
        name: {each: statistics.median(run[each] for run in runs["freehold"]) for each in names}
        for name, runs in found.items()
    }


def _target(few: dict[str, float], many: dict[str, float]) -> dict[str, Any]:
    before, after = (each["server_us"] + each["postgresql_us"] for each in (few, many))
    return {"most_times": MOST_TIMES, "found": round(after / before, 2), "met": after < MOST_TIMES * before}


if __name__ == "__main__":
    sys.exit(main())
