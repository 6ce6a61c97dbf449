"""A contender as it serves: a process on a core of its own, until the block ends."""

from __future__ import annotations

import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.versus import cpu
from bench.versus.contenders import PEERS, Contender

SERVER_CORES, OTHER_CORES = {0}, {1}
PATIENCE_SECONDS = 60
RESTS_SECONDS, RESTS_BELOW = 0.4, 0.1  # a start is over when this share of a core is enough for so long
SECRET = "bench-" + "0123456789abcdef" * 3


@dataclass(frozen=True, slots=True)
class Served:
    """A running server."""

    contender: Contender
    port: int
    pid: int

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def processes(self) -> list[int]:
        """All that it consists of."""
        return cpu.tree(self.pid)


@contextmanager
def served(
    contender: Contender,
    database_url: str,
    folder: Path,
    *,
    extra: Mapping[str, str] | None = None,
    pinned: bool = True,
) -> Iterator[Served]:
    """Start it, and end it after the block. folder: for its log. pinned: to one core, its share of this machine.

    Raises AssertionError, with the log, where it does not come up.
    """
    port = _free_port()
    environment = _environment(contender, database_url, folder, port) | contender.environment | (extra or {})
    log = folder / f"{contender.name}.log"
    with log.open("ab") as out:
        process = subprocess.Popen(
            contender.command(port),
            cwd=contender.working_folder,
            env=environment,
            stdout=subprocess.DEVNULL if contender.is_ours else out,
            stderr=out,
        )
        try:
            found = Served(contender, port, process.pid)
            _wait(found, process, log)
            _settle(found)
            if pinned and len(os.sched_getaffinity(0)) > 1:
                cpu.pin(found.processes(), SERVER_CORES)
            yield found
        finally:
            process.terminate()
            try:
                process.wait(40)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _environment(contender: Contender, database_url: str, folder: Path, port: int) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FREEHOLD_")}
    if contender.is_ours:
        return kept | {
            "FREEHOLD_ENV": "test",
            "FREEHOLD_DATABASE_URL": database_url,
            "FREEHOLD_VAR_DIR": str(folder / "var"),
            "FREEHOLD_PUBLIC_URL": "http://127.0.0.1:8000",
            "FREEHOLD_LIMITS": "x1000",
            "FREEHOLD_LOG_FORMAT": "json",
            "FREEHOLD_METRICS": "on",
        }
    path = os.pathsep.join([str(PEERS / contender.folder), str(PEERS)])
    return kept | {"DATABASE_URL": database_url, "PORT": str(port), "TOKEN_SECRET": SECRET, "PYTHONPATH": path}


def _wait(found: Served, process: subprocess.Popen[bytes], log: Path) -> None:
    ends = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < ends and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{found.url}/v1/status", timeout=5) as answer:  # noqa: S310  # our own server
                if answer.status == 200:
                    return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    raise AssertionError(f"{found.contender.name} did not come up:\n{log.read_text(errors='replace')[-4000:]}")


def _settle(found: Served) -> None:
    """Wait until its processes rest. The first one answers while the others still start, and would get every connection."""
    ends = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < ends:
        before = cpu.spent(found.processes())
        time.sleep(RESTS_SECONDS)
        after = found.processes()
        if after == list(before) and cpu.since(before) < RESTS_BELOW * RESTS_SECONDS:
            return


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
