"""The table: for a terminal, for Markdown, and as data."""

from __future__ import annotations

import json
import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.table import Table

from proof.figures import ORDER, Figures

FOLDER = Path(__file__).parent
PACKAGES = ("fastapi", "starlette", "sqlalchemy", "asyncpg", "uvicorn", "freehold")


def keep(found: dict[str, Figures], *, backend: str, seconds: float) -> dict[str, Any]:
    """Write results.json and RESULTS.md; the data."""
    results = {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "database": backend,
        "seconds": round(seconds),
        "cores": os.cpu_count(),
        "load_after": [round(each, 2) for each in os.getloadavg()],
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES},
        "found": {title: {what: count.plain() for what, count in each.items()} for title, each in found.items()},
    }
    (FOLDER / "results.json").write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    (FOLDER / "RESULTS.md").write_text(markdown(results), encoding="utf-8")
    return results


def rows(results: dict[str, Any]) -> list[list[str]]:
    """One for each thing that must not happen: its name, and so many of so many for each contender."""
    found = results["found"]
    shown = [what for what in ORDER if any(what in each for each in found.values())]
    return [[what, *(_cell(each.get(what)) for each in found.values())] for what in shown]


def _cell(count: dict[str, int] | None) -> str:
    return "" if count is None or not count["of"] else f"{count['found']:,} of {count['of']:,}"


def table(results: dict[str, Any]) -> Table:
    """For a terminal."""
    shown = Table(title=_circumstances(results), title_justify="left")
    for title in ("what must not happen", *results["found"]):
        shown.add_column(title, justify="left" if title.startswith("what") else "right")
    for row in rows(results):
        shown.add_row(*row)
    return shown


def markdown(results: dict[str, Any]) -> str:
    """RESULTS.md."""
    titles = ["what must not happen", *results["found"]]
    lines = [
        "# What `make proof` found",
        "",
        "Written by it; run it to have your own.",
        "",
        _circumstances(results),
        "",
    ]
    lines += ["| " + " | ".join(titles) + " |", "|---" + "|--:" * (len(titles) - 1) + "|"]
    lines += ["| " + " | ".join(row) + " |" for row in rows(results)]
    return "\n".join(lines) + "\n"


def _circumstances(results: dict[str, Any]) -> str:
    packages = ", ".join(f"{name} {number}" for name, number in results["packages"].items())
    return (
        f"{results['measured_at']}, {results['database']}, {results['cores']} cores, {results['seconds']} s in all; "
        f"Python {results['python']}, {packages}."
    )
