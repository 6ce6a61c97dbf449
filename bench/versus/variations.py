"""The same workloads under other circumstances: remembered tokens, 300 routes, several processes, half of the peak, SQLite."""

from __future__ import annotations

import statistics
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from bench.versus.contenders import CONTENDERS, Contender
from bench.versus.embedded import play_embedded
from bench.versus.measuring import Effort, WrongAnswers
from bench.versus.rounds import Figures, Ground, play

PYTHON = ("freehold", "fastapi-sqlalchemy", "sqlmodel-template", "litestar", "drf", "django-ninja", "starlette-asyncpg")
PAIR = ("freehold", "fastapi-sqlalchemy")
MANY_ROUTES = 300
WORKERS = (1, 2, 3, 4)
WORKER_ROUNDS = 5  # which of the processes takes how many connections is chance: it takes more rounds to see


async def play_all(on: Ground, found: Figures, *, rounds: int, effort: Effort) -> AsyncIterator[tuple[str, Any]]:
    """Each variation by its name, as soon as it is measured. found: of the rounds before, which tell the peak of each."""
    pair, again = [CONTENDERS[name] for name in PAIR], {"rounds": rounds, "effort": effort}
    yield "tokens_remembered", await play(on, _named(PYTHON), ("W3", "W4"), **again, extra={"TOKEN_CACHE": "1"})
    yield "many_routes", await play(on, pair, ("W1",), **again, extra={"ROUTES": str(MANY_ROUTES)})
    yield "workers", await workers(on, WORKERS, rounds=max(rounds, WORKER_ROUNDS), effort=effort)
    yield "half_of_peak", await half_of_peak(on, found["W1"], effort)
    yield "sqlite", await play_embedded(on.folder, rounds=rounds, effort=effort)


def _named(names: tuple[str, ...]) -> list[Contender]:
    return [CONTENDERS[name] for name in names]


async def workers(on: Ground, counts: Sequence[int], *, rounds: int, effort: Effort) -> dict[str, Figures]:
    """W1 by so many processes, in turn, on every core there is, with the load beside them, which comes before them."""
    found: dict[str, Figures] = {str(count): {"W1": {name: [] for name in PAIR}} for count in counts}
    for number in range(rounds):
        for count in counts if number % 2 == 0 else reversed(counts):
            several = [replace(each, arguments=(*each.arguments, "--workers", str(count))) for each in _named(PAIR)]
            favoured = replace(effort, favoured=True)
            played = await play(on, several, ("W1",), rounds=1, effort=favoured, pinned=False)
            for name, runs in played["W1"].items():
                found[str(count)]["W1"][name] += runs
    return found


async def half_of_peak(on: Ground, peaks: Mapping[str, list[dict[str, Any]]], effort: Effort) -> Figures:
    """W1 at half of what each one did at most: the latency that its users would see."""
    found: dict[str, list[dict[str, Any]]] = {}
    for name, runs in peaks.items():
        rate = statistics.median(each["per_second"] for each in runs) / 2
        try:
            played = await play(on, [CONTENDERS[name]], ("W1",), rounds=1, effort=replace(effort, rate=rate))
        except WrongAnswers as reason:
            if CONTENDERS[name].is_ours:
                raise
            print(f"left out: {reason}", file=sys.stderr)  # a peer that hangs up has no latency to show
        else:
            found |= played["W1"]
    return {"W1": found}
