"""The brokers that the suite knows. NATS and Redis it starts for itself; RabbitMQ takes too long for that (own_rabbit)."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from tests.ports import free_port, listens
from tests.redis_server import missing, own_redis

KINDS = ("nats", "rabbitmq", "redis", "postgresql")
_PROGRAMS = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"])  # where Debian keeps nats-server


class OwnNats:
    """A nats-server of a test's own, on the same port from start to start."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"nats://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        program = shutil.which("nats-server", path=_PROGRAMS)
        if program is None:
            missing("nats-server is not installed; `make services` installs it")
        command = [program, "--addr", "127.0.0.1", "--port", str(self.port)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        ends = time.monotonic() + 60
        while not listens("127.0.0.1", self.port):
            assert time.monotonic() < ends, "nats-server does not answer"
            time.sleep(0.01)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@contextmanager
def running(kind: str, folder: Path) -> Iterator[str]:
    """The address of a broker of this kind; the test is skipped where there is none."""
    if kind == "nats":
        nats = OwnNats()
        nats.start()
        try:
            yield nats.url
        finally:
            nats.kill()
    elif kind == "redis":
        port = free_port()
        with own_redis(folder, port=port):
            yield f"redis://127.0.0.1:{port}"
    else:
        url = _shared(kind)
        parts = urlsplit(url)
        if not listens(parts.hostname or "", parts.port or 0):
            missing(f"{kind} does not listen at {parts.hostname}:{parts.port}; start it with `make services`")
        yield url


def through(url: str, port: int) -> str:
    """The address of the same broker behind a proxy."""
    parts = urlsplit(url)
    who, _, _ = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{who}@127.0.0.1:{port}" if who else f"127.0.0.1:{port}").geturl()


def _shared(kind: str) -> str:
    if kind == "rabbitmq":
        return os.environ.get("FREEHOLD_TEST_RABBITMQ", "amqp://guest:guest@127.0.0.1:5672/")
    url = os.environ.get("FREEHOLD_TEST_POSTGRES", "postgresql+asyncpg://postgres@127.0.0.1:5432/postgres")
    # Half a handshake of TLS leaves a future behind whose error nobody reads.
    return f"{url.replace('+asyncpg', '')}?sslmode=disable"
