"""The ten most borrowed books, three ways: sorted in Python, ranked by SQL over an indexed counter, and kept.

In one process, over 10,000 and over a million titles, on both databases. CPU is that of the process: PostgreSQL works
elsewhere, so there the time on the wall tells of it. `sorted in Python` is the function alone, with three columns of each
row and nothing else to do; the other two are whole requests over HTTP. About five minutes. Writes a chart beside the service.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx2
from bench._postgres import database
from services.library.books.models import Book
from services.library.service import build
from services.library.settings import LibrarySettings
from sqlalchemy import select, text

from freehold import Freehold
from freehold.resource.text_index import TextIndex
from freehold.settings import Settings
from freehold.store.plain_engine import plain_engine

SIZES = {10_000: 21, 1_000_000: 3}
"""How many titles, and how many rounds of what is slow with them."""
ROUNDS = 201
MOST_MS = 10
CHART = Path(__file__).parents[1] / "docs" / "images" / "library" / "popular_books.svg"
WAYS = ("sorted in Python", "SQL, indexed counter", "kept answer")

# Every title has been borrowed some time, in no order that an index would help to guess.
FILL = """
WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < :rows)
INSERT INTO books (id, title, author, ratings_count, times_borrowed, title_key, author_key, search, created_at, updated_at,
  row_version)
SELECT printf('%032x', n), 'Title ' || n, 'Author ' || (n % 5000), 0, (n * 48271) % 2147483647 % 100000, 'title ' || n,
  'author ' || (n % 5000), '', '2026-01-01 00:00:00.000000', '2026-01-01 00:00:00.000000', 1 FROM number
"""
FILL_POSTGRESQL = """
INSERT INTO books (id, title, author, ratings_count, times_borrowed, title_key, author_key, search, created_at, updated_at,
  row_version)
SELECT lpad(to_hex(n), 32, '0')::uuid, 'Title ' || n, 'Author ' || (n % 5000), 0, (n * 48271) % 2147483647 % 100000,
  'title ' || n, 'author ' || (n % 5000), '', now(), now(), 1 FROM generate_series(1::bigint, :rows) AS n
"""


async def run() -> dict[str, Any]:
    """Measure, and draw the chart. Where there is no PostgreSQL, SQLite alone."""
    found: dict[str, Any] = {"SQLite": {}}
    for size, rounds in SIZES.items():
        with TemporaryDirectory() as folder:
            url = f"sqlite+aiosqlite:///{folder}/library.db"
            found["SQLite"][str(size)] = await _of_size(url, Path(folder), size, rounds)
    try:
        async with database() as url:
            pass
        found["PostgreSQL"] = {}
        for size, rounds in SIZES.items():
            with TemporaryDirectory() as folder:
                async with database() as url:
                    found["PostgreSQL"][str(size)] = await _of_size(url, Path(folder), size, rounds)
    except OSError as error:
        print(f"PostgreSQL is not measured: {error}")
    CHART.parent.mkdir(parents=True, exist_ok=True)
    CHART.write_text(chart(found), encoding="utf-8")
    return {
        "milliseconds": found,
        "targets": {name: target for kind in found for name, target in _targets(kind, found)},
    }


def _targets(kind: str, found: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    million = found[kind][str(max(SIZES))]
    for way in WAYS[1:]:
        cpu = million[way]["cpu"]
        yield f"{kind}, {way}: CPU ms", {"most": MOST_MS, "found": cpu, "met": cpu < MOST_MS}


async def _of_size(url: str, folder: Path, size: int, rounds: int) -> dict[str, Any]:
    core = Settings(
        env="development", database_url=url, var_dir=folder, limits="off", secret="s" * 40, log_level="error"
    )
    async with _running(core) as app:
        await _fill(app, size)
    async with _running(core) as app:
        return await _measure(app, rounds)


@asynccontextmanager
async def _running(core: Settings) -> AsyncIterator[Freehold]:
    app = build(core=core, own=LibrarySettings(), migrations=None)
    async with app.router.lifespan_context(app):
        yield app


async def _fill(app: Freehold, size: int) -> None:
    # What keeps the indexes over words has nothing to do with ranks, and takes minutes of a million rows.
    async with plain_engine(app.database.engine.url) as engine, engine.begin() as connection:
        for index in (
            each for each in Book.metadata.tables[Book.__tablename__].info["fh_ddl"] if isinstance(each, TextIndex)
        ):
            for statement in index.drop(connection.dialect.name):
                await connection.exec_driver_sql(statement)
        fill = FILL if connection.dialect.name == "sqlite" else FILL_POSTGRESQL
        await connection.execute(text(fill), {"rows": size})
        await connection.exec_driver_sql("ANALYZE")


async def _measure(app: Freehold, rounds: int) -> dict[str, Any]:
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://localhost") as client:

        async def in_python() -> list[str]:
            # Past the toolkit, which ends a statement that takes as long as this one.
            async with plain_engine(app.database.engine.url) as engine, engine.connect() as connection:
                rows = (await connection.execute(select(Book.title, Book.times_borrowed, Book.id))).all()
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
    """The figures as the service's README shows them: milliseconds of CPU, and on the wall."""
    rows = ["| database | titles | " + " | ".join(WAYS) + " |", "|---" + "|---:" * (len(WAYS) + 1) + "|"]
    rows += [
        f"| {kind} | {int(size):,} | "
        + " | ".join(f"{ways[way]['cpu']:,} ms ({ways[way]['wall']:,})" for way in WAYS)
        + " |"
        for kind, sizes in found.items()
        for size, ways in sizes.items()
    ]
    return "\n".join(rows)


def chart(found: dict[str, Any]) -> str:
    """Bars over a logarithmic scale, as SVG."""
    bars, height = [], 34
    sets = [(kind, size, ways) for kind, sizes in found.items() for size, ways in sizes.items()]
    for kind, size, ways in sets:
        bars.append(f'<text x="8" y="{height}" font-weight="bold">{int(size):,} titles on {kind}</text>')
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
