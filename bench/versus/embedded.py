"""The same questions of one SQLite file: what a service without any server costs."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.versus import data
from bench.versus.contenders import CONTENDERS
from bench.versus.measuring import Effort, Watch
from bench.versus.people import Callers
from bench.versus.rounds import Figures, Ground, play
from bench.versus.serving import served

from freehold.resource.grams import document

_COLUMNS = (
    "id, title, description, city, kind, bedrooms, bathrooms, area_m2, price_amount, price_currency, latitude, longitude, "
    "built_in, owner_id, search, created_at, updated_at, row_version"
)


async def play_embedded(folder: Path, *, rounds: int, effort: Effort) -> Figures:
    """W1 and W2, Freehold and FastAPI with aiosqlite."""
    file = folder / "bench.db"
    url = f"sqlite+aiosqlite:///{file}"
    contenders = [each for each in CONTENDERS.values() if "sqlite" in each.databases]
    with served(CONTENDERS["freehold"], url, folder, pinned=False):
        pass
    _fill(file)
    on = Ground(url, Callers([], []), folder, Watch(None))
    return await play(on, contenders, ("W1", "W2"), rounds=rounds, effort=effort)


def _fill(file: Path) -> None:
    places = ", ".join("?" * len(_COLUMNS.split(", ")))
    connection = sqlite3.connect(file)
    connection.executemany(f"INSERT INTO properties ({_COLUMNS}) VALUES ({places})", _rows())  # noqa: S608  # names of ours
    connection.commit()
    connection.execute("ANALYZE")
    connection.commit()
    connection.close()


def _rows() -> Iterator[tuple[Any, ...]]:
    titles = data.titles()
    terms = [document([each]) for each in titles]
    for n in range(1, data.ROWS + 1):
        chosen = (n // 3) % len(titles)
        at = f"2024-01-{1 + n // 86_400:02} {n % 86_400 // 3600:02}:{n % 3600 // 60:02}:{n % 60:02}.000000"
        yield (
            data.property_id(n).replace("-", ""), titles[chosen], data.DESCRIPTION, f"City {n % data.CITIES:03}",
            data.KINDS[n // data.CITIES % 4], 1 + n // 7 % 5, 1 + n // 11 % 3, 30 + n * 7 % 250, 100_000 + n * 37 % 900_000,
            "EUR", 47 + n * 13 % 1000 / 1000, 8 + n * 17 % 1000 / 1000, 1900 + n % 125,
            f"018e0000000070008000{n % data.USERS:012x}", terms[chosen], at, at, 1,
        )  # fmt: skip
