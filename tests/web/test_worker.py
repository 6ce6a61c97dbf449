"""The worker of an application that Freehold was installed in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import create_async_engine

from freehold import Session, install, job, system
from freehold.cli.running import process_or_refuse
from freehold.errors import ConfigurationError
from freehold.settings import Settings
from freehold.web.worker import Worker, Workplace
from tests.waiting import until

pytestmark = pytest.mark.anyio


class Adopted:
    """One process of an application with one job, which notes what it is told and what was open by then."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.opened, self.noted = False, list[tuple[str, bool]]()
        self.app = FastAPI(title="Adopted", lifespan=self._open)

        @job("adopted.note")
        async def note(db: Session, *, text: str) -> None:
            self.noted.append((text, self.opened))

        self.job = note
        engine = create_async_engine(f"sqlite+aiosqlite:///{folder}/adopted.db")
        given = Settings(env="test", secret="s" * 40, var_dir=folder, **settings) if settings else None
        self.database = install(self.app, engine, jobs=[note], settings=given)

    @asynccontextmanager
    async def _open(self, app: FastAPI) -> AsyncIterator[None]:
        self.opened = True
        yield

    @property
    def workplace(self) -> Workplace:
        return Workplace.of_installed(self.app, process_or_refuse(self.app, None))


# Nothing connects to it: SQLite alone has no workers.
APART = {"jobs": "apart", "database_url": "postgresql://nobody@127.0.0.1/none"}


async def test_it_runs_what_a_process_that_serves_leaves_to_it(tmp_path: Path) -> None:
    serving, working = Adopted(tmp_path, **APART), Adopted(tmp_path, **APART)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(serving.app.router.lifespan_context(serving.app))
        async with serving.database.writing(system("test")) as unit:
            await serving.job.enqueue(unit.session, text="soup")
        worker = Worker(working.workplace)
        await stack.enter_async_context(worker.router.lifespan_context(worker))
        await until(lambda: bool(working.noted))
        transport = httpx2.ASGITransport(app=worker)
        asked = await stack.enter_async_context(httpx2.AsyncClient(transport=transport, base_url="http://localhost"))
        assert (await asked.get("/health/ready")).status_code == 200
        assert "freehold_jobs" in (await asked.get("/metrics")).text
    assert working.noted == [("soup", True)]
    assert serving.noted == []


async def test_it_is_refused_where_the_processes_that_serve_run_the_jobs(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="Set FREEHOLD_JOBS=apart"):
        Worker(Adopted(tmp_path, limits="off").workplace)
    with pytest.raises(ConfigurationError, match=r"install\(..., settings=Settings.load\(\)\)"):
        _ = Adopted(tmp_path).workplace
