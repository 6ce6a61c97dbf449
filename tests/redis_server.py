"""A Redis of a test's own, to be stopped, emptied and killed. Tests that only use Redis take `redis_url`."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


class OwnRedis:
    """One `redis-server` on a Unix socket, keeping nothing on disk. port: 0 for no TCP."""

    def __init__(self, folder: Path, *options: str, port: int = 0) -> None:
        self.socket = folder / "redis.sock"
        self.url = f"unix://{self.socket}"
        self._command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--unixsocket", str(self.socket)]
        self._command += ["--save", "", "--appendonly", "no", "--dir", str(folder), "--logfile", "log", *options]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, and wait until it answers."""
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        ends = time.monotonic() + 60
        while not self._answers():
            assert time.monotonic() < ends, "redis-server does not answer"
            time.sleep(0.01)

    def say(self, *words: str) -> bytes:
        """The first bytes of the answer to one command."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(2)
            connection.connect(str(self.socket))
            connection.sendall(" ".join(words).encode() + b"\r\n")
            return connection.recv(65_536)

    def freeze(self) -> None:
        """From now on it takes what is sent and says nothing, as behind a black hole."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """As when the power fails."""
        if self._process is not None:
            self._signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def _answers(self) -> bool:
        try:
            return self.say("PING").startswith((b"+PONG", b"-NOAUTH"))
        except OSError:
            return False

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)


@contextmanager
def own_redis(folder: Path, *options: str, port: int = 0) -> Iterator[OwnRedis]:
    """Started, and gone afterwards."""
    if shutil.which("redis-server") is None:
        missing("redis-server is not on the PATH; `make services` installs it")
    server = OwnRedis(folder, *options, port=port)
    server.start()
    try:
        yield server
    finally:
        server.kill()


def missing(message: str) -> None:
    """End the test: it fails where every service must be there."""
    if os.environ.get("FREEHOLD_REQUIRE_SERVICES") == "1":
        pytest.fail(message)
    pytest.skip(message)
