"""`docs/reference/speed.md` and its chart, from what was measured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.versus.chart import chart
from bench.versus.contenders import CONTENDERS, ROOT
from bench.versus.goals import GOALS, OURS, Figures, Runs, flatness, median, ratio
from bench.versus.workloads import CORE, WORKLOADS

PAGE = ROOT / "docs" / "reference" / "speed.md"
CHART = ROOT / "docs" / "images" / "speed.svg"
BOUNDS = Path(__file__).with_name("bounds.md")
ABSENT = "·"

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
    """Write the page and the chart. found: what `make bench` kept, and under `growth` what `make bench-growth` did."""
    figures: Figures = found["rounds"]
    PAGE.write_text(page(found))
    medians = {name: {who: median(runs, "server_us") for who, runs in each.items()} for name, each in figures.items()}
    CHART.write_text(chart({name: medians[name] for name in CORE if name in medians}))


def page(found: Mapping[str, Any]) -> str:
    """All of it, in Markdown."""
    load = ", ".join(str(each) for each in found["load_before"])
    head = _HEAD.format(**{**found, "rounds": len(found["rounds"]["W1"][OURS]), "load": load})
    return "\n".join([head, *_sections(found), _FOOT])


def _sections(found: Mapping[str, Any]) -> Iterator[str]:
    figures: Figures = found["rounds"]
    yield "## How many times Freehold's CPU per request each takes\n"
    yield "Of the server process, round against round.\n"
    yield _table(figures, [name for name in CORE if name in figures], lambda runs, ours: str(ratio(runs, ours)))
    yield "## Against what is owed\n"
    yield _goals(figures)
    yield _flat(found)
    yield BOUNDS.read_text()
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
    if "growth" in found:
        yield from _growth(found["growth"])
    if "workers" in found:
        yield "## W1 by several processes, on both cores with the load beside them: requests per second\n"
        yield _workers(found["workers"])
        yield (
            "The load and PostgreSQL stay on one of the cores, where servers are scheduled too; measured as root the load has the higher priority, since a "
            "load that waits for its turn asks less of more servers. Connections are kept, and fall to whichever process accepts them first: with more processes "
            "than cores some have many and some few, which read fewer rows by one statement.\n"
        )
    yield "## What was compared\n"
    for who, versions in found["versions"].items():
        yield f"- {CONTENDERS[who].title}: {', '.join(f'{name} {number}' for name, number in sorted(versions.items()))}"


def _table(figures: Figures, names: Sequence[str], cell: Any) -> str:
    people = [who for who in CONTENDERS if any(who in figures[name] for name in names)]
    heads = [f"{name}: {WORKLOADS[name].title}" for name in names]
    lines = [f"| | {' | '.join(heads)} |", "|---" * (len(names) + 1) + "|"]
    for who in people:
        cells = [cell(figures[name][who], figures[name][OURS]) if who in figures[name] else ABSENT for name in names]
        lines.append(f"| {CONTENDERS[who].title} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _growth(found: Mapping[str, Any]) -> Iterator[str]:
    few, many = (f"{rows:,} rows" for rows in found["rows"])
    yield "## What stays flat as a table grows\n"
    yield f"Freehold's CPU and PostgreSQL's together, medians of rounds in turn, by `make bench-growth` on {found['measured_at']}.\n"
    lines = [f"| | {few} | {many} | times | owed | |", "|---" * 6 + "|"]
    for name, target in found["targets"].items():
        costs = [
            f"{each['server_us']:.0f} + {each['postgresql_us']:.0f}"
            for each in (found["few"][name], found["many"][name])
        ]
        word = "met" if target["met"] else "missed"
        lines.append(
            f"| {name}: {WORKLOADS[name].title} | {' | '.join(costs)} | {target['found']} | under {target['most_times']} | {word} |"
        )
    yield "\n".join(lines) + "\n"


def _goals(figures: Figures) -> str:
    lines = ["| against | " + " | ".join(CORE[:4]) + " |", "|---" * 5 + "|"]
    for who, owed in GOALS.items():
        if who in figures["W1"]:
            cells = [_goal(owed[name], figures[name], who) for name in CORE[:4]]
            lines.append(f"| {CONTENDERS[who].title} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _goal(owed: tuple[float, float], of: Mapping[str, Runs], who: str) -> str:
    least, sought = owed
    found = ratio(of[who], of[OURS]).median
    word = "missed" if found < least else "met" if found < sought else "goal met"
    return f"{found:.{2 if found < 10 else 1}f} of {least:g}, goal {sought:g}: {word}"


def _flat(found: Mapping[str, Any]) -> str:
    lines = ["| what stays flat | found | owed | |", "|---" * 4 + "|"]
    for each in flatness(found):
        bound = "at least" if each.is_least else "at most"
        lines.append(
            f"| {each.title} | {each.times:.2f} | {bound} {each.limit:g} | {'met' if each.is_met else 'missed'} |"
        )
    return "\n".join(lines) + "\n"


def _workers(found: Mapping[str, Figures]) -> str:
    lines = ["| | " + " | ".join(found) + " |", "|---" * (len(found) + 1) + "|"]
    for who in found["1"]["W1"]:
        cells = [f"{median(each['W1'][who], 'per_second'):.0f}" for each in found.values()]
        lines.append(f"| {CONTENDERS[who].title} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _cost(runs: Runs, _ours: Runs) -> str:
    least, most = min(each["server_us"] for each in runs), max(each["server_us"] for each in runs)
    return f"{median(runs, 'server_us'):.0f} ({least:.0f} to {most:.0f}) + {median(runs, 'postgresql_us'):.0f}"


def _rate(runs: Runs, _ours: Runs) -> str:
    p50, p99 = median(runs, "p50_ms"), median(runs, "p99_ms")
    return f"{median(runs, 'per_second'):.0f}/s, {p50:.1f}, {p99:.1f}"
