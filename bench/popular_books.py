"""The ten most borrowed books, three ways: sorted in Python, ranked by SQL over an indexed counter, and kept.

On SQLite, in one process, over 10,000 and over a million titles. CPU is that of the process. `sorted in Python` is the
function alone, with three columns of each row and nothing else to do; the other two are whole requests over HTTP. About
two minutes. Writes a chart beside the service.
"""

from __future__ import annotations

import math
import sqlite3
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx2
from services.library.books.models import Book
from services.library.service import build
from services.library.settings import LibrarySettings
from sqlalchemy import select

from freehold import Freehold, system
from freehold.settings import Settings

SIZES = {10_000: 21, 1_000_000: 3}
"""How many titles, and how many rounds of what is slow with them."""
ROUNDS = 201
MOST_MS = 10
CHART = Path(__file__).parents[1] / "docs" / "images" / "library" / "popular_books.svg"
WAYS = ("sorted in Python", "SQL, indexed counter", "kept answer")

# Every title has been borrowed some time, in no order that an index would help to guess.
FILL = """
WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < ?)
INSERT INTO books (id, title, author, ratings_count, times_borrowed, title_key, author_key, search, created_at, updated_at,
  row_version)
SELECT printf('%032x', n), 'Title ' || n, 'Author ' || (n % 5000), 0, (n * 48271) % 2147483647 % 100000, 'title ' || n,
  'author ' || (n % 5000), '', '2026-01-01 00:00:00.000000', '2026-01-01 00:00:00.000000', 1 FROM number
"""


async def run() -> dict[str, Any]:
    """Measure, and draw the chart."""
    found: dict[str, Any] = {str(size): await _of_size(size, rounds) for size, rounds in SIZES.items()}
    CHART.parent.mkdir(parents=True, exist_ok=True)
    CHART.write_text(chart(found), encoding="utf-8")
    million = found[str(max(SIZES))]
    return {
        "milliseconds": found,
        "targets": {
            f"{way}_cpu_ms": {"most": MOST_MS, "found": million[way]["cpu"], "met": million[way]["cpu"] < MOST_MS}
            for way in WAYS[1:]
        },
    }


async def _of_size(size: int, rounds: int) -> dict[str, Any]:
    with TemporaryDirectory() as folder:
        path = Path(folder)
        core = Settings(
            env="development",
            database_url=f"sqlite+aiosqlite:///{path}/library.db",
            var_dir=path,
            limits="off",
            secret="s" * 40,
            log_level="error",
        )
        async with _running(core):
            pass  # its tables are there now
        _fill(path / "library.db", size)
        async with _running(core) as app:
            return await _measure(app, rounds)


@asynccontextmanager
async def _running(core: Settings) -> AsyncIterator[Freehold]:
    app = build(core=core, own=LibrarySettings(), migrations=None)
    async with app.router.lifespan_context(app):
        yield app


def _fill(file: Path, size: int) -> None:
    with sqlite3.connect(file) as connection:
        # What keeps the index of words up to date has nothing to do with ranks, and takes minutes of a million rows.
        words = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'books' AND sql LIKE '%search%'"
        for (name,) in connection.execute(words).fetchall():
            connection.execute(f'DROP TRIGGER "{name}"')  # a name from the schema
        connection.execute(FILL, (size,))
        connection.execute("ANALYZE")


async def _measure(app: Freehold, rounds: int) -> dict[str, Any]:
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://localhost") as client:

        async def in_python() -> list[str]:
            async with app.database.reading(system("measure")) as session:
                rows = (await session.execute(select(Book.title, Book.times_borrowed, Book.id))).all()
            return [row[0] for row in sorted(rows, key=lambda row: (row[1], row[2]), reverse=True)[:10]]

        async def in_sql() -> list[str]:
            answer = await client.get("/v1/books?sort=-times_borrowed&limit=10")
            return [book["title"] for book in answer.json()["items"]]

        async def kept() -> list[str]:
            return [book["title"] for book in (await client.get("/v1/books/popular")).json()]

        ways = dict(zip(WAYS, ((in_python, rounds), (in_sql, ROUNDS), (kept, ROUNDS)), strict=True))
        measured = {way: await _repeat(function, times) for way, (function, times) in ways.items()}
        assert len({tuple(each.pop("titles")) for each in measured.values()}) == 1, "three ways, one answer"
        return measured


async def _repeat(function: Callable[[], Awaitable[list[str]]], times: int) -> dict[str, Any]:
    titles = await function()  # the first compiles its statement, or fills the cache
    cpu, wall = [], []
    for _ in range(times):
        began, worked = time.perf_counter(), time.process_time()
        await function()
        cpu.append((time.process_time() - worked) * 1000)
        wall.append((time.perf_counter() - began) * 1000)
    middle = {"cpu": round(statistics.median(cpu), 2), "wall": round(statistics.median(wall), 2)}
    return {**middle, "rounds": times, "titles": titles}


def table(found: dict[str, Any]) -> str:
    """The figures as the service's README shows them: milliseconds of CPU."""
    rows = ["| titles | " + " | ".join(WAYS) + " |", "|---:" * (len(WAYS) + 1) + "|"]
    rows += [
        f"| {int(size):,} | " + " | ".join(f"{ways[way]['cpu']:,} ms" for way in WAYS) + " |"
        for size, ways in found.items()
    ]
    return "\n".join(rows)


def chart(found: dict[str, Any]) -> str:
    """Bars over a logarithmic scale, as SVG."""
    bars, height = [], 34
    for size, ways in found.items():
        bars.append(f'<text x="8" y="{height}" font-weight="bold">{int(size):,} titles</text>')
        for way in WAYS:
            height += 24
            bars.append(_bar(way, ways[way]["cpu"], height))
        height += 40
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 700 {height}" font-family="system-ui, sans-serif" font-size="13">'
        '<title>CPU for the ten most borrowed books, logarithmic scale</title><rect width="100%" height="100%" fill="#fff"/>'
        + "".join(bars)
        + "</svg>\n"
    )


def _bar(way: str, milliseconds: float, height: int) -> str:
    length = max(4.0, 75 * math.log10(milliseconds * 10))
    return (
        f'<text x="20" y="{height}">{way}</text>'
        f'<rect x="170" y="{height - 12}" width="{length:.0f}" height="16" fill="#35524d"/>'
        f'<text x="{178 + length:.0f}" y="{height}">{milliseconds:,} ms</text>'
    )
