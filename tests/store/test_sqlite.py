"""SQLite's one writer: its turn among processes, and the lock that a cancelled statement leaves behind."""

from __future__ import annotations

import asyncio
import gc
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from pathlib import Path

import pytest
import structlog
from sqlalchemy import event, make_url, text
from sqlalchemy.ext.asyncio import AsyncEngine

from freehold.errors import Unavailable
from freehold.store import sqlite, sqlite_driver
from freehold.store.database import Database
from freehold.store.functions import register_sqlite
from freehold.store.network_drive import network_file_system, warn_of_network_drive
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.anyio

HOLDER = """
import fcntl, sys
with open(sys.argv[1], "r+b") as file:
    fcntl.lockf(file, fcntl.LOCK_EX)
    print("held", flush=True)
    sys.stdin.read()
"""
INSERT = "INSERT INTO notes VALUES (1)"
# The first of its two rows takes long: cancelled before it came, the statement is left open in front of the second.
SLOW = text(
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 8000000) "
    "SELECT count(*) FROM n UNION ALL SELECT 0"
)


@pytest.fixture
def lock(tmp_path: Path) -> Iterator[sqlite.WriterLock]:
    lock = sqlite.WriterLock(tmp_path / "db.lock")
    yield lock
    lock.close()


@contextmanager
def held_by_another(path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Another process has the writers' turn for the length of the block."""
    other = subprocess.Popen([sys.executable, "-c", HOLDER, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert other.stdout is not None
    assert other.stdout.readline() == b"held\n"
    try:
        yield other
    finally:
        other.communicate()


async def enter(lock: sqlite.WriterLock, seconds: float) -> None:
    async with lock.held(time.monotonic() + seconds):
        pass


async def test_V11_waiting_for_another_process_ends_at_the_deadline(lock: sqlite.WriterLock, tmp_path: Path) -> None:
    with held_by_another(tmp_path / "db.lock"):
        for _ in range(2):  # the second one finds the first one's place in the kernel's queue still taken
            with pytest.raises(Unavailable):
                await asyncio.wait_for(enter(lock, 0.2), PATIENCE_SECONDS)
        cancelled = asyncio.create_task(enter(lock, 30))
        await asyncio.sleep(0.05)
        cancelled.cancel()
        with pytest.raises(asyncio.CancelledError):
            await cancelled
    await enter(lock, 5)


async def test_V12_a_turn_that_came_too_late_is_given_back(lock: sqlite.WriterLock, tmp_path: Path) -> None:
    with held_by_another(tmp_path / "db.lock"):
        with pytest.raises(Unavailable):
            await enter(lock, 0.05)
        next_in_line = asyncio.create_task(enter(lock, 30))
        await asyncio.sleep(0.05)
        assert not next_in_line.done()
    async with asyncio.timeout(PATIENCE_SECONDS):
        await next_in_line
    with held_by_another(tmp_path / "db.lock"):
        pass  # another process gets it, too


async def test_F15_waiting_in_the_kernel_is_first_come_first_served_inside(
    lock: sqlite.WriterLock, tmp_path: Path
) -> None:
    order: list[int] = []

    async def writer(number: int) -> None:
        async with lock.held(time.monotonic() + 30):
            order.append(number)
            await asyncio.sleep(0)

    with held_by_another(tmp_path / "db.lock"):
        writers = [asyncio.create_task(writer(number)) for number in range(10)]
        await asyncio.sleep(0.1)
        assert order == []
    await asyncio.gather(*writers)
    assert order == list(range(10))


async def test_a_lock_that_is_closed_while_it_is_waited_for_is_no_trouble(tmp_path: Path) -> None:
    lock = sqlite.WriterLock(tmp_path / "db.lock")
    with held_by_another(tmp_path / "db.lock"):
        with pytest.raises(Unavailable):
            await enter(lock, 0.05)
        lock.close()
    await asyncio.sleep(0.2)
    with held_by_another(tmp_path / "db.lock"):
        pass


async def test_V11_without_a_thread_to_wait_on_it_is_503_and_the_turn_is_free(
    lock: sqlite.WriterLock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: object) -> None:
        raise RuntimeError("can't start new thread")

    with held_by_another(tmp_path / "db.lock"), monkeypatch.context() as patch:
        patch.setattr("threading.Thread.start", refuse)
        with pytest.raises(Unavailable):
            await enter(lock, 5)
    await enter(lock, 5)


async def cancel_a_statement(engine: AsyncEngine, *first: str) -> BaseException:
    """Begin a transaction, run the first statements, and be cancelled during the slow one.

    What was raised is handed back, as one who logs it would keep it: its frames hold the cursor.
    """

    async def work() -> None:
        async with engine.begin() as connection:
            for statement in first:
                await connection.execute(text(statement))
            began.set()
            await connection.execute(SLOW)

    began = asyncio.Event()
    task = asyncio.create_task(work())
    await began.wait()
    await asyncio.sleep(0.05)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError as cancelled:
        return cancelled
    raise AssertionError("not cancelled")


@pytest.mark.parametrize("weakened", [False, True])
async def test_V11_a_cancelled_statement_does_not_keep_the_write_lock(tmp_path: Path, weakened: bool) -> None:
    with closing(sqlite3.connect(tmp_path / "one.db")) as other:
        other.execute("CREATE TABLE notes (id INTEGER)")
    engine = sqlite.writer_engine(make_url(f"sqlite+aiosqlite:///{tmp_path}/one.db"), register_sqlite)
    if weakened:
        event.remove(engine.sync_engine, "invalidate", sqlite._roll_back)
    gc.disable()
    try:
        cancelled = await cancel_a_statement(engine, INSERT)
        with closing(sqlite3.connect(tmp_path / "one.db", timeout=0.2, isolation_level=None)) as other:
            if weakened:
                with pytest.raises(sqlite3.OperationalError, match="locked"):
                    other.execute("BEGIN IMMEDIATE")
            else:
                other.execute("BEGIN IMMEDIATE")
                assert other.execute("SELECT count(*) FROM notes").fetchone() == (0,)
        assert cancelled.__traceback__ is not None
    finally:
        gc.enable()
        await engine.dispose()


@pytest.mark.parametrize("writes", [False, True])
@pytest.mark.parametrize("weakened", [False, pytest.param(True, marks=pytest.mark.long)])
@pytest.mark.slow
async def test_V11_a_cancelled_statement_stops(tmp_path: Path, writes: bool, weakened: bool) -> None:
    url = make_url(f"sqlite+aiosqlite:///{tmp_path}/one.db")
    if writes:
        engine = sqlite.writer_engine(url, register_sqlite)
    else:
        engine = sqlite.reader_engine(url, register_sqlite, size=1)
    if weakened:
        event.remove(engine.sync_engine, "invalidate", sqlite._interrupt)
    began = time.monotonic()
    await cancel_a_statement(engine)
    assert (time.monotonic() - began < 0.5) is not weakened
    async with engine.connect() as connection:
        assert await connection.scalar(text("SELECT 1")) == 1
    await engine.dispose()


MOUNTS = """\
22 1 254:0 / / rw,relatime - ext4 /dev/root rw
23 22 0:21 / /srv rw - nfs4 files:/srv rw
24 23 254:1 / /srv/local\\040disk rw - xfs /dev/sdb rw
25 22 0:30 / /home/share rw shared:7 - ext4 /dev/sdc rw
26 22 0:31 / /home/share rw shared:8 - fuse.sshfs far:/ rw
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/data/one.db", None),
        ("/srv/one.db", "nfs4"),
        ("/srv/deep/er/one.db", "nfs4"),
        ("/srvother/one.db", None),
        ("/srv/local disk/one.db", None),
        ("/home/share/one.db", "fuse.sshfs"),
    ],
)
async def test_F15_a_file_on_a_network_drive_is_warned_of(tmp_path: Path, path: str, kind: str | None) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(MOUNTS)
    with structlog.testing.capture_logs() as lines:
        warn_of_network_drive(Path(path), mounts=mounts)
    assert [line["file_system"] for line in lines] == ([kind] if kind else [])


async def test_F15_where_the_kernel_tells_no_mounts_nothing_is_said(tmp_path: Path) -> None:
    assert network_file_system(tmp_path, mounts=tmp_path / "none") is None
    assert network_file_system(tmp_path) is None


async def test_F15_a_database_looks_at_its_drive_when_it_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Path] = []
    monkeypatch.setattr("freehold.store.database.warn_of_network_drive", seen.append)
    database = Database.open(f"sqlite+aiosqlite:///{tmp_path}/one.db")
    await database.start()
    await database.close()
    assert seen == [tmp_path / "one.db"]


@pytest.mark.parametrize(
    ("factory", "outcome"),
    [(sqlite3.Connection, pytest.raises(sqlite3.OperationalError)), (sqlite_driver.DriverConnection, nullcontext())],
)
def test_V11_an_interrupt_that_is_pending_does_not_keep_the_write_lock(
    tmp_path: Path, factory: type[sqlite3.Connection], outcome: AbstractContextManager[object]
) -> None:
    """SQLite interrupts every statement that begins before the last open one ends: a plain ROLLBACK as well."""
    path = tmp_path / "x.db"
    with closing(sqlite3.connect(path, isolation_level=None, factory=factory)) as connection:
        connection.execute("CREATE TABLE t (n)")
        connection.execute("BEGIN IMMEDIATE")
        left_open = connection.cursor().execute("INSERT INTO t VALUES (1), (2) RETURNING n")
        connection.interrupt()
        with outcome:
            connection.rollback()
    with closing(sqlite3.connect(path, isolation_level=None, timeout=0)) as next_writer, outcome:
        next_writer.execute("BEGIN IMMEDIATE")
    del left_open


async def test_a_statement_waits_for_a_stranger_who_writes_and_then_runs(tmp_path: Path) -> None:
    engine = sqlite.writer_engine(make_url(f"sqlite+aiosqlite:///{tmp_path}/a.db"), lambda _: None)
    async with engine.connect() as connection:
        await connection.execute(text("CREATE TABLE t (n)"))
        await connection.commit()
        other = sqlite3.connect(tmp_path / "a.db", isolation_level=None, check_same_thread=False)
        other.execute("BEGIN IMMEDIATE")
        asyncio.get_running_loop().call_later(0.25, other.execute, "COMMIT")
        assert await connection.scalar(text("SELECT 1")) == 1
    other.close()
    await engine.dispose()
