"""A long queue slows no request (J05): the same requests on a service that has one and on one that has none, in turn."""

from __future__ import annotations

import sqlite3
import statistics
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import MetaData, insert
from sqlalchemy.orm import Mapped

from freehold import Access, Freehold, Resource, Session, anyone, job
from freehold import Base as FreeholdBase
from freehold.jobs import Queue
from freehold.jobs.overview import backlogs
from freehold.jobs.tables import JOBS
from freehold.resource.base import NAMING, new_id
from freehold.resource.clock import now
from freehold.resource.principal import Principal, system
from freehold.settings import Settings

pytestmark = [pytest.mark.anyio, pytest.mark.faults, pytest.mark.timeout(900)]

WAITING = 100_000
ROUNDS, REQUESTS = 40, 10


@job("backlog.short", system="work")
async def short(db: Session) -> None: ...


@job("backlog.waits", system="work", queue=Queue("elsewhere"))
async def waits(db: Session) -> None: ...


def service(url: str, folder: Path) -> Freehold:
    """Its requests leave a short job behind, which it runs itself; `elsewhere` is served by others."""

    class Base(FreeholdBase):
        __abstract__ = True
        metadata = MetaData(naming_convention=NAMING)

    class Line(Base):
        __tablename__ = "lines"
        text: Mapped[str]

    async def create(db: Session, actor: Principal, draft: Any) -> Any:
        line = Line(text=draft.text)
        db.add(line)
        await short.enqueue(db)
        return line

    settings = Settings(
        env="test", var_dir=folder, database_url=url, secret="x" * 40, limits="off", log_level="error"
    )  # fmt: skip
    lines = Resource(Line, name="lines", create=create, access=Access(read=anyone, create=anyone))
    app = Freehold(lines, jobs=[short, waits], settings=settings)
    app.jobs.serve(["default"])
    return app


@asynccontextmanager
async def running(app: Freehold) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app=app)
    async with app.running(), httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
        yield client


async def fill(app: Freehold) -> None:
    """Half of it is due and half waits for tomorrow."""
    rows = [
        {
            "id": new_id(),
            "name": ("backlog.waits", "backlog.short")[number % 2],
            "payload": {},
            "principal": {"id": None, "roles": [], "scopes": None, "reason": "test"},
            "run_at": now() + timedelta(days=number % 2, seconds=-(number % 600)),
        }
        for number in range(WAITING)
    ]
    for start in range(0, WAITING, 1000):
        async with app.database.writing(system("test")) as unit:
            await unit.session.execute(insert(JOBS), rows[start : start + 1000])
    if app.database.dialect_name == "sqlite":  # a queue that long was not written a moment ago
        with closing(sqlite3.connect(app.database.url.database or "")) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


async def ask(client: httpx2.AsyncClient) -> list[float]:
    seconds = []
    for _ in range(REQUESTS):
        began = time.perf_counter()
        answer = await client.post("/v1/lines", json={"text": "x"})
        seconds.append(time.perf_counter() - began)
        assert answer.status_code == 201
    return seconds


@pytest.fixture(params=["sqlite", "postgresql"])
def urls(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    """Two databases of one kind."""
    if request.param == "sqlite":
        return {name: f"sqlite+aiosqlite:///{tmp_path}/{name}/test.db" for name in ("empty", "filled")}
    return {
        "empty": request.getfixturevalue("house_database"),
        "filled": request.getfixturevalue("postgres_url"),
    }


async def test_J05_a_queue_of_100000_does_not_slow_requests(
    urls: dict[str, str], tmp_path: Path, figures: Callable[..., None]
) -> None:
    async with AsyncExitStack() as stack:
        clients, apps = {}, {}
        for name in ("empty", "filled"):
            (tmp_path / name).mkdir()
            apps[name] = service(urls[name], tmp_path / name)
            clients[name] = await stack.enter_async_context(running(apps[name]))
        await fill(apps["filled"])
        seconds: dict[str, list[float]] = {"empty": [], "filled": []}
        for number in range(ROUNDS):
            for name in sorted(clients, reverse=bool(number % 2)):
                seconds[name] += await ask(clients[name])
        async with apps["filled"].database.reading(system("test")) as session:
            left = {each.name: each.due + each.later for each in await backlogs(session)}
        assert left["backlog.waits"] == WAITING / 2
        began = time.perf_counter()
        assert await apps["filled"].jobs.oldest_waiting_age() > timedelta(minutes=9)
        look_ms = (time.perf_counter() - began) * 1000
    # The lower quartile: what else the machine does only ever adds.
    ms = {name: round(statistics.quantiles(each)[0] * 1000, 2) for name, each in seconds.items()}
    medians = {f"{name}_median_ms": round(statistics.median(each) * 1000, 2) for name, each in seconds.items()}
    ratio = ms["filled"] / ms["empty"]
    figures(**ms, **medians, ratio=round(ratio, 3), look_ms=round(look_ms, 2))
    assert ratio <= 1.10
