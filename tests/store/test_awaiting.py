"""A start waits for a PostgreSQL that is starting, and says in one line what no waiting would help (F03, F14)."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import create_async_engine

from freehold.errors import ConfigurationError
from freehold.store.awaiting import await_server
from tests.ports import free_port
from tests.postgres_cluster import Cluster, cluster
from tests.store.roles import walled

pytestmark = [pytest.mark.anyio, pytest.mark.services]


async def said_by(url: str, *, seconds: float) -> list[str]:
    said: list[str] = []
    engine = create_async_engine(url)
    try:
        await await_server(engine, seconds=seconds, say=said.append)
    finally:
        await engine.dispose()
    return said


async def test_F14_what_no_waiting_helps_is_said_at_once(postgres_url: str) -> None:
    server = make_url(postgres_url)
    async with walled(postgres_url):
        for changed, reason in (
            (server.set(database="not_there"), 'database "not_there" does not exist'),
            (server.set(username="nobody_here"), 'role "nobody_here" does not exist'),
        ):
            with pytest.raises(ConfigurationError, match=f"refuses: .*{reason}") as refused:
                await said_by(changed.render_as_string(hide_password=False), seconds=60)
            assert "\n" not in str(refused.value)


async def test_F03_where_nobody_listens_the_start_ends_with_one_line() -> None:
    said: list[str] = []
    engine = create_async_engine(f"postgresql+asyncpg://app:secret@127.0.0.1:{free_port()}/x")
    with pytest.raises(ConfigurationError, match=r"PostgreSQL at 127.0.0.1:\d+ is not there, 0.3 s after") as ended:
        await await_server(engine, seconds=0.3, say=said.append)
    assert "\n" not in str(ended.value) and "secret" not in str(ended.value)
    assert len(said) == 1 and "waiting for PostgreSQL" in said[0]


async def test_a_file_is_waited_for_by_nobody(tmp_path: Path) -> None:
    assert await said_by(f"sqlite+aiosqlite:///{tmp_path}/x.db", seconds=0) == []


@pytest.fixture
def server() -> Iterator[Cluster]:
    with cluster() as found:
        yield found


@pytest.mark.long
@pytest.mark.timeout(600)
async def test_F03_freehold_serve_waits_for_a_server_that_is_starting(server: Cluster, tmp_path: Path) -> None:
    await asyncio.to_thread(server.kill, signal.SIGINT)
    (tmp_path / "tiny.py").write_text("from freehold import Freehold\napp = Freehold(title='Tiny')\n")
    given = {
        **{name: value for name, value in os.environ.items() if not name.startswith("FREEHOLD_")},
        "FREEHOLD_DATABASE_URL": server.url,
        "FREEHOLD_VAR_DIR": str(tmp_path),
    }
    command = [sys.executable, "-m", "freehold.cli", "serve", "tiny:app", "--port", str(free_port())]

    def run(**settings: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            command,
            cwd=tmp_path,
            env={**given, **settings},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    refused = run(FREEHOLD_START_SECONDS="0.5")
    output, _ = await asyncio.to_thread(refused.communicate, timeout=60)
    assert refused.returncode == 2
    assert "Traceback" not in output
    assert output.strip().splitlines()[-1].startswith("freehold: PostgreSQL at 127.0.0.1")
    serving = run(FREEHOLD_START_SECONDS="60")
    try:
        assert serving.stdout is not None
        assert "waiting for PostgreSQL" in await asyncio.to_thread(serving.stdout.readline)
        await asyncio.to_thread(server.start)
        for line in iter(serving.stdout.readline, ""):
            if "is served at" in line:
                break
        else:
            pytest.fail("it did not start")
    finally:
        serving.terminate()
        await asyncio.to_thread(serving.communicate, timeout=60)
