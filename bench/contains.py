"""`__contains` over 21,000 titles, with its index and without: CPU and time per request, on both databases.

CPU is that of the process, the client of the measurement included; PostgreSQL works elsewhere, so there the time on the
wall tells of it. What the index costs is told as the time to write the rows. About a minute.
"""

from __future__ import annotations

import csv
import gzip
import statistics
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx2
from bench._postgres import database
from services.library.demo import FILE
from sqlalchemy import String, insert
from sqlalchemy.orm import Mapped, mapped_column

from freehold import Access, Base, Freehold, Queries, Resource, anyone, system
from freehold.fields import folded, new_id
from freehold.settings import Settings

ROWS = 21_000
ROUNDS = 31
MOST_MS = 5
NEEDLES = {
    "few rows": "mockingbird", "no row": "zzyzx", "every tenth row": "the", "a rare run": "hobbit",
    "two characters": "zq", "few rows, counted": "mockingbird&count=true", "every tenth row, counted": "the&count=true",
}  # fmt: skip


class Looked(Base):
    """A title with the index."""

    __tablename__ = "bench_looked"

    title: Mapped[str] = mapped_column(String(500))
    title_key: Mapped[str] = folded("title", index=True, contains=True)


class Scanned(Base):
    """The same without."""

    __tablename__ = "bench_scanned"

    title: Mapped[str] = mapped_column(String(500))
    title_key: Mapped[str] = folded("title", index=True)


async def run() -> dict[str, Any]:
    """Measure. Where there is no PostgreSQL, SQLite alone."""
    found: dict[str, Any] = {"rows": ROWS, "requests_each": ROUNDS}
    with TemporaryDirectory() as folder:
        found["sqlite"] = await _measure(f"sqlite+aiosqlite:///{folder}/bench.db", Path(folder))
        try:
            async with database() as url:
                found["postgresql"] = await _measure(url, Path(folder))
        except OSError as error:
            found["postgresql"] = f"not measured: {error}"
    cpu = found["sqlite"]["with the index"]["few rows"]["cpu_median"]
    return found | {"targets": {"sqlite_cpu_ms": {"most": MOST_MS, "found": cpu, "met": cpu < MOST_MS}}}


async def _measure(url: str, folder: Path) -> dict[str, Any]:
    core = Settings(
        env="development", database_url=url, var_dir=folder, limits="off", secret="s" * 40, log_level="error"
    )
    queries = Queries(filters=["title__contains"], sort=["-created_at"])
    kinds = {"with the index": Looked, "without": Scanned}
    resources = [Resource(model, access=Access(read=anyone), queries=queries) for model in kinds.values()]
    app = Freehold(*resources, settings=core)
    measured: dict[str, Any] = {}
    async with app.router.lifespan_context(app):
        for name, model in kinds.items():
            measured[name] = {"write_seconds": await _write(app, model)}
        if app.database.dialect_name == "postgresql":
            async with app.database.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
                await connection.exec_driver_sql("ANALYZE")
        transport = httpx2.ASGITransport(app=app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
            for name, model in kinds.items():
                path = f"/v1/{model.__tablename__.replace('_', '-')}"
                measured[name] |= {said: await _ask(client, path, needle) for said, needle in NEEDLES.items()}
    return measured


async def _write(app: Freehold, model: type[Base]) -> float:
    with gzip.open(FILE, "rt", encoding="utf-8", newline="") as file:
        titles = [row["title"] for row in csv.DictReader(file)]
    rows = [{"id": new_id(), "title": f"{titles[n % len(titles)]} {n}"} for n in range(ROWS)]
    began = time.perf_counter()
    async with app.database.writing(system("fill the table")) as unit:
        for start in range(0, ROWS, 500):
            await unit.session.execute(insert(model), rows[start : start + 500])
    return round(time.perf_counter() - began, 1)


async def _ask(client: httpx2.AsyncClient, path: str, needle: str) -> dict[str, Any]:
    cpu, wall, answer = [], [], None
    for _ in range(ROUNDS + 1):  # the first compiles its statements
        began, worked = time.perf_counter(), time.process_time()
        answer = await client.get(f"{path}?limit=20&title__contains={needle}")
        cpu.append((time.process_time() - worked) * 1000)
        wall.append((time.perf_counter() - began) * 1000)
        assert answer.status_code == 200, answer.text
    assert answer is not None
    return {
        "cpu_median": round(statistics.median(cpu[1:]), 2),
        "wall_median": round(statistics.median(wall[1:]), 2),
        "rows": len(answer.json()["items"]),
    }
