"""What Freehold owes against each peer, and what must stay flat; judged from the figures of one run."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Runs = Sequence[Mapping[str, Any]]
Figures = Mapping[str, Mapping[str, Runs]]

OURS = "freehold"
# Times Freehold's CPU per request, by peer and workload: what must hold, and what is sought.
GOALS: Mapping[str, Mapping[str, tuple[float, float]]] = {
    "fastapi-sqlalchemy": {"W1": (10, 15), "W2": (8, 12), "W3": (12, 18), "W4": (8, 15)},
    "drf": {"W1": (20, 30), "W2": (18, 28), "W3": (18, 30), "W4": (14, 25)},
    "starlette-asyncpg": {"W1": (1.2, 2), "W2": (1.2, 2), "W3": (1.8, 3), "W4": (1.2, 2)},
}


@dataclass(frozen=True, slots=True)
class Ratio:
    """How many times the CPU of one thing another costs: the median of the rounds, the least and the most."""

    median: float
    least: float
    most: float

    def __str__(self) -> str:
        return f"{self.median:.1f} ({self.least:.1f} to {self.most:.1f})"


def ratio(theirs: Runs, ours: Runs) -> Ratio:
    """Of the rounds in turn: what was measured minutes apart is not compared."""
    found = [one["server_us"] / other["server_us"] for one, other in zip(theirs, ours, strict=True)]
    return Ratio(statistics.median(found), min(found), max(found))


@dataclass(frozen=True, slots=True)
class Flatness:
    """What must not grow. times: found, against `most` or, where `is_least`, at least so many."""

    title: str
    times: float
    limit: float
    is_least: bool = False

    @property
    def is_met(self) -> bool:
        """Whether it holds."""
        return self.times >= self.limit if self.is_least else self.times <= self.limit


def flatness(found: Mapping[str, Any]) -> Iterator[Flatness]:
    """Each that this run has figures for."""
    rounds: Figures = found["rounds"]
    yield Flatness("CPU of page 1,000 against page 1", _times(rounds, "deep", rounds, "first", "server_us"), 1.2)
    if "many_routes" in found:
        yield Flatness(
            "CPU of W1 among 300 further routes", _times(found["many_routes"], "W1", rounds, "W1", "server_us"), 1.1
        )
    if "workers" in found:
        four, two = found["workers"]["4"], found["workers"]["2"]
        each = zip(four["W1"][OURS], two["W1"][OURS], strict=True)  # round against round, as with `ratio`
        found_times = statistics.median(more["per_second"] / fewer["per_second"] for more, fewer in each)
        yield Flatness("W1 a second by 4 processes against 2", found_times, 1, is_least=True)
    if "half_of_peak" in found:
        (half,) = found["half_of_peak"]["W1"][OURS]
        yield Flatness("p99 against p50 of W1 at half of peak load", half["p99_ms"] / half["p50_ms"], 5)


def _times(after: Figures, name: str, before: Figures, other: str, figure: str) -> float:
    return median(after[name][OURS], figure) / median(before[other][OURS], figure)


def median(runs: Runs, figure: str) -> float:
    """Of one figure, over the rounds."""
    return float(statistics.median(each[figure] for each in runs))
