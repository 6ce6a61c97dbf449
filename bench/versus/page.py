"""`docs/reference/speed.md` and its chart, from what was measured."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bench.versus.chart import chart
from bench.versus.contenders import CONTENDERS, ROOT
from bench.versus.workloads import CORE, WORKLOADS

PAGE = ROOT / "docs" / "reference" / "speed.md"
CHART = ROOT / "docs" / "images" / "speed.svg"
ABSENT = "·"

Runs = Sequence[Mapping[str, Any]]
Figures = Mapping[str, Mapping[str, Runs]]

_HEAD = """# Speed

Written by `make bench` from `bench/results/versus.json`. The peers, and what they leave out, are in
[bench/peers](../../bench/peers/README.md): each is the same service as its framework's documentation would have it, checked to
answer with the same JSON. Freehold's side is a declaration with every guard on: request ids, security headers, a counted
quota, a JSON access log, metrics, the access rule in the SQL, ETags, and for the insert the audit trail. The peers have none of these.

One server process on one core ({cores} in all), PostgreSQL and the load on the other; 100,000 properties, 64 connections that ask again
at once. **CPU microseconds of the server process per request** come first, since they hardly depend on what else the
machine does; behind the plus sign those of PostgreSQL. Medians of {rounds} rounds in turn, the least and the most in
brackets. Measured {measured_at} on {system}, Python {python}; load before it {load}. Compare within a table, not with
another machine.

![CPU per request, by contender](../images/speed.svg)
"""
_FOOT = """
## Again

`make bench-quick` compares three of them in under two minutes and keeps nothing; `make bench` measures all and writes this
page; `make bench-growth` asks Freehold with ten million rows. `python -m bench.versus --help` narrows by contender and workload.
"""


def write_page(found: Mapping[str, Any]) -> None:
    """Write the page and the chart."""
    figures: Figures = found["rounds"]
    load = ", ".join(str(each) for each in found["load_before"])
    head = _HEAD.format(**{**found, "rounds": len(figures["W1"]["freehold"]), "load": load})
    PAGE.write_text("\n".join([head, *_sections(found), _FOOT]))
    medians = {name: {who: _median(runs, "server_us") for who, runs in each.items()} for name, each in figures.items()}
    CHART.write_text(chart({name: medians[name] for name in CORE if name in medians}))


def _sections(found: Mapping[str, Any]) -> Iterator[str]:
    figures: Figures = found["rounds"]
    yield "## CPU per request, microseconds: server + PostgreSQL\n"
    yield _table(figures, list(CORE), _cost)
    yield _table(figures, [name for name in figures if name not in CORE], _cost)
    yield "## Requests per second, and milliseconds that half and 99 of 100 took\n"
    yield _table(figures, list(figures), _rate)
    further = {
        "tokens_remembered": ("With verified tokens remembered by the peers too", _cost),
        "many_routes": ("W1 with 300 path operations more", _cost),
        "half_of_peak": ("W1 at half of what each does at most", _rate),
        "sqlite": ("On one SQLite file", _cost),
    }
    for name, (title, cell) in further.items():
        if name in found:
            yield f"## {title}\n"
            yield _table(found[name], list(found[name]), cell)
    if "workers" in found:
        yield "## W1 by several processes, on both cores with the load beside them: requests per second\n"
        yield _workers(found["workers"])
    yield "## What was compared\n"
    for who, versions in found["versions"].items():
        yield f"- {CONTENDERS[who].title}: {', '.join(f'{name} {number}' for name, number in sorted(versions.items()))}"


def _table(figures: Figures, names: Sequence[str], cell: Any) -> str:
    people = [who for who in CONTENDERS if any(who in figures[name] for name in names)]
    heads = [f"{name}: {WORKLOADS[name].title}" for name in names]
    lines = [f"| | {' | '.join(heads)} |", "|---" * (len(names) + 1) + "|"]
    for who in people:
        cells = [cell(figures[name][who]) if who in figures[name] else ABSENT for name in names]
        lines.append(f"| {CONTENDERS[who].title} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _workers(found: Mapping[str, Figures]) -> str:
    lines = ["| | " + " | ".join(found) + " |", "|---" * (len(found) + 1) + "|"]
    for who in found["1"]["W1"]:
        cells = [f"{_median(each['W1'][who], 'per_second'):.0f}" for each in found.values()]
        lines.append(f"| {CONTENDERS[who].title} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _median(runs: Runs, name: str) -> float:
    return float(statistics.median(each[name] for each in runs))


def _cost(runs: Runs) -> str:
    least, most = min(each["server_us"] for each in runs), max(each["server_us"] for each in runs)
    return f"{_median(runs, 'server_us'):.0f} ({least:.0f} to {most:.0f}) + {_median(runs, 'postgresql_us'):.0f}"


def _rate(runs: Runs) -> str:
    p50, p99 = _median(runs, "p50_ms"), _median(runs, "p99_ms")
    return f"{_median(runs, 'per_second'):.0f}/s, {p50:.1f}, {p99:.1f}"
