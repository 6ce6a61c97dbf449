"""Rounds: everyone in turn, several times over, so that what the machine does meanwhile falls on all of them."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
from bench._postgres import database
from bench.versus import agreement, data
from bench.versus.contenders import CONTENDERS, Contender
from bench.versus.measuring import Effort, Watch, measure
from bench.versus.people import Callers, register
from bench.versus.serving import served
from bench.versus.workloads import WORKLOADS, Asked

Figures = dict[str, dict[str, list[dict[str, Any]]]]
"""By workload, by contender: what each round found."""


@dataclass(slots=True)
class Ground:
    """A database with everybody's rows, who may ask, and a folder for logs."""

    url: str
    callers: Callers
    folder: Path
    watch: Watch
    rows: int = data.ROWS
    agreed: dict[str, Any] = field(default_factory=dict)


@asynccontextmanager
async def ground(folder: Path, *, rows: int = data.ROWS) -> Any:
    """PostgreSQL, filled; gone after the block."""
    async with database() as name:
        url = name.replace("postgresql+asyncpg:", "postgresql:")
        _say("making the tables and filling them")
        ours = CONTENDERS["freehold"]
        with served(ours, url, folder, pinned=False):
            pass
        await data.fill(url, rows=rows)
        connection = await asyncpg.connect(url)
        try:
            with served(ours, url, folder, pinned=False) as server:
                callers = register(server)
                await data.give_notes(url)
                found = Ground(url, callers, folder, Watch(connection), rows)
                found.agreed = agreement.answers(server, callers)
                await found.watch.tidy()
            yield found
        finally:
            await connection.close()


async def check(on: Ground, contenders: Sequence[Contender]) -> None:
    """Ask everyone everything once. Raises Disagreement."""
    for contender in contenders:
        with served(contender, on.url, on.folder, pinned=False) as server:
            found = agreement.answers(server, on.callers)
            await on.watch.tidy()
        agreement.compare(on.agreed, found, contender.name)
        _say(f"{contender.name} answers as Freehold does")


async def play(
    on: Ground,
    contenders: Sequence[Contender],
    workloads: Sequence[str],
    *,
    rounds: int,
    effort: Effort,
    extra: Mapping[str, str] | None = None,
    pinned: bool = True,
) -> Figures:
    """Measure; each contender's server is started anew in each round. extra: variables for the servers."""
    found: Figures = defaultdict(lambda: defaultdict(list))
    for number in range(rounds):
        for contender in contenders:
            with served(contender, on.url, on.folder, extra=extra, pinned=pinned) as server:
                for name in workloads:
                    workload = WORKLOADS[name]
                    plan = workload.plan(Asked(server, on.callers, on.rows))
                    figures = await measure(server, workload, plan, on.watch, effort)
                    found[name][contender.name].append(figures)
                    _say(f"round {number + 1}, {name:9} {contender.name:18} {_line(figures)}")
                    if name == "W4":
                        await on.watch.tidy()
    return {name: dict(each) for name, each in found.items()}


def _line(figures: Mapping[str, Any]) -> str:
    return (
        f"{figures['server_us']:7.0f} us + {figures['postgresql_us']:5.0f} us PostgreSQL, "
        f"{figures['per_second']:8.0f}/s, p50 {figures['p50_ms']:6.1f} ms, p99 {figures['p99_ms']:6.1f} ms"
    )


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
