"""`freehold serve` as a process: signals, ports, workers, reload."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest
from tests.ports import free_port, listens

# Each test starts several interpreters, which takes long on a busy machine.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

TINY = """
import asyncio, os
from fastapi import FastAPI
app = FastAPI(title="Tiny")

@app.get("/slow")
async def slow(seconds: float = 0.0) -> dict[str, object]:
    print(f"asked for {seconds}", flush=True)
    await asyncio.sleep(seconds)
    return {"version": 1, "process": os.getpid()}
"""


SERVED = """
from freehold import Freehold, Router, allow, anyone

router = Router()

@router.get("/slow", dependencies=[allow(anyone)])
async def slow(seconds: float = 0.0) -> dict[str, float]:
    return {"seconds": seconds}

app = Freehold(title="Served", routers=[router])
"""


class Server:
    """A running command, its address and what it printed."""

    def __init__(self, command: subprocess.Popen[str], port: int, log: Path) -> None:
        self.command = command
        self.port = port
        self.address = f"http://127.0.0.1:{port}"
        self.log = log

    def get(self, seconds: float = 0.0) -> httpx2.Response:
        return httpx2.get(f"{self.address}/slow", params={"seconds": seconds}, timeout=60)

    def wait_for(self, condition: Callable[[], bool], *, seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                if condition():
                    return
            except httpx2.TransportError:
                pass
            assert self.command.poll() is None, self.log.read_text()
            time.sleep(0.1)
        raise AssertionError(self.log.read_text())

    def in_flight(self, seconds: float) -> tuple[threading.Thread, list[object]]:
        outcome: list[object] = []

        def ask() -> None:
            try:
                outcome.append(self.get(seconds).status_code)
            except httpx2.TransportError as error:
                outcome.append(error)

        before = self.log.read_text().count(asked := f"asked for {float(seconds)}")
        thread = threading.Thread(target=ask)
        thread.start()
        self.wait_for(lambda: self.log.read_text().count(asked) > before)
        return thread, outcome

    def signal(self, number: signal.Signals) -> None:
        self.command.send_signal(number)


Start = Callable[..., Server]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    (tmp_path / "tiny.py").write_text(TINY)
    running: list[Server] = []

    def command(*arguments: str, **environ: str) -> Server:
        port = free_port()
        log = tmp_path / "log"
        environment = {name: value for name, value in os.environ.items() if not name.startswith("FREEHOLD_")}
        environment |= {"FREEHOLD_VAR_DIR": str(tmp_path / "var"), **environ}
        with log.open("w") as file:
            process = subprocess.Popen(
                [sys.executable, "-m", "freehold.cli", *arguments, "--port", str(port)],
                cwd=tmp_path,
                env=environment,
                stdout=file,
                stderr=file,
                text=True,
            )
        server = Server(process, port, log)
        running.append(server)
        server.wait_for(lambda: server.get().status_code == 200)
        return server

    yield command
    for server in running:
        server.command.terminate()
        try:
            server.command.wait(10)
        except subprocess.TimeoutExpired:
            server.command.kill()


# The server that this command starts is tried in tests/web/test_edge_sockets.py: it ends so there, in half the time.
@pytest.mark.long
def test_F07_sigterm_lets_requests_in_flight_end_and_exits_0(start: Start) -> None:
    server = start("serve", "tiny:app")
    thread, outcome = server.in_flight(1.5)
    server.signal(signal.SIGTERM)
    assert server.command.wait(40) == 0
    thread.join()
    assert outcome == [200]
    assert server.address in server.log.read_text()


@pytest.mark.long
def test_F07_a_second_sigterm_ends_now(start: Start) -> None:
    server = start("serve", "tiny:app")
    thread, outcome = server.in_flight(45)
    server.signal(signal.SIGTERM)
    server.wait_for(lambda: not listens("127.0.0.1", server.port))  # it has heard: two at one moment would be one
    server.signal(signal.SIGTERM)
    assert server.command.wait(15) == -signal.SIGTERM, "before the request is over"
    thread.join()
    assert isinstance(outcome[0], httpx2.TransportError)


@pytest.mark.long
def test_the_answers_do_not_name_the_server(start: Start) -> None:
    headers = start("serve", "tiny:app").get().headers
    assert "server" not in headers
    assert "date" in headers


@pytest.mark.long
def test_a_port_that_is_taken_is_told_at_once(start: Start, tmp_path: Path) -> None:
    server = start("serve", "tiny:app")
    again = subprocess.run(
        [sys.executable, "-m", "freehold.cli", "serve", "tiny:app"],
        cwd=tmp_path,
        env={**os.environ, "PORT": str(server.port)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert again.returncode == 2
    assert "cannot be served" in again.stderr
    assert "Traceback" not in again.stderr


def test_F15_two_workers_on_sqlite_are_refused(tmp_path: Path) -> None:
    (tmp_path / "tiny.py").write_text(TINY)
    refused = subprocess.run(
        [sys.executable, "-m", "freehold.cli", "serve", "tiny:app", "--workers", "2", "--port", "0"],
        cwd=tmp_path,
        env={**os.environ, "FREEHOLD_VAR_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert refused.returncode == 2
    assert refused.stderr.startswith("freehold: FREEHOLD_WORKERS=2 with SQLite")


@pytest.mark.long
def test_F07_F08_workers_are_replaced_when_they_die_roll_one_by_one_and_end_together(
    start: Start, tmp_path: Path
) -> None:
    # The tiny app opens no database; the address only says that workers may share one.
    server = start("serve", "tiny:app", "--workers", "2", FREEHOLD_DATABASE_URL="postgresql://nobody@127.0.0.1/none")
    victim = server.get().json()["process"]
    assert victim != server.command.pid
    os.kill(victim, signal.SIGKILL)
    server.wait_for(lambda: "starting another" in server.log.read_text())
    server.wait_for(lambda: server.get().json()["process"] != victim)

    (tmp_path / "tiny.py").write_text(TINY.replace('"version": 1', '"version": 2'))
    thread, outcome = server.in_flight(4)
    server.signal(signal.SIGHUP)
    server.wait_for(lambda: "2 new workers serve" in server.log.read_text())
    assert {server.get().json()["version"] for _ in range(8)} == {2}
    thread.join()
    assert outcome == [200], "what an old one had begun it ended"

    thread, outcome = server.in_flight(1.5)
    server.signal(signal.SIGTERM)
    assert server.command.wait(40) == 0
    thread.join()
    assert outcome == [200]


@pytest.mark.long
def test_F07_a_proxy_has_time_to_notice_and_connections_are_closed_politely(start: Start, tmp_path: Path) -> None:
    (tmp_path / "served.py").write_text(SERVED)
    server = start("serve", "served:app", FREEHOLD_DRAIN_SECONDS="6")
    with httpx2.Client(base_url=server.address) as client:
        assert "connection" not in client.get("/health/ready").headers
        server.signal(signal.SIGTERM)
        server.wait_for(lambda: client.get("/health/ready").status_code == 503, seconds=5)
        # On new connections: it goes on listening. Told at the next tick of the server, a tenth of a second later.
        server.wait_for(lambda: server.get().headers.get("connection") == "close", seconds=5)
        assert server.get().status_code == 200
    assert server.command.wait(20) == 0


@pytest.mark.long
def test_dev_starts_again_when_a_file_changes(start: Start, tmp_path: Path) -> None:
    server = start("dev", "tiny:app")
    assert server.get().json()["version"] == 1
    (tmp_path / "tiny.py").write_text(TINY.replace('"version": 1', '"version": 2'))
    server.wait_for(lambda: server.get().json()["version"] == 2)
    server.signal(signal.SIGINT)
    assert server.command.wait(40) == 0
