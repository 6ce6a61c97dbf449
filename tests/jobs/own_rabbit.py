"""A RabbitMQ of a test's own, to be stopped and killed; it takes some ten seconds to start."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from tests.ports import free_port, listens
from tests.redis_server import missing

# The server itself: what Debian puts into the PATH wants to be another account, whose folders are not the test's.
_PROGRAMS = sorted(Path("/usr/lib/rabbitmq/lib").glob("*/sbin/rabbitmq-server"))
_START_SECONDS = 120


class OwnRabbit:
    """One node without plugins, on the same port from start to start; what it keeps is in the folder."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"amqp://guest:guest@127.0.0.1:{self.port}/"
        self._distribution = free_port()
        self._folder = folder / "rabbitmq"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, and wait until it takes connections."""
        program = _PROGRAMS[-1] if _PROGRAMS else shutil.which("rabbitmq-server")
        if program is None:
            missing("rabbitmq-server is not installed; `make services` installs it")
        self._folder.mkdir(exist_ok=True)
        (self._folder / "plugins").write_text("[].")
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [program], env=self._environment(), stdout=log, stderr=log, start_new_session=True
            )
        ends = time.monotonic() + _START_SECONDS
        while not listens("127.0.0.1", self.port):
            assert self._process.poll() is None, (self._folder / "log").read_text()
            assert time.monotonic() < ends, "rabbitmq-server does not answer"
            time.sleep(0.1)

    def kill(self) -> None:
        """As when the power fails."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def _environment(self) -> dict[str, str]:
        here = str(self._folder)
        return {
            "PATH": os.environ.get("PATH", ""),
            "HOME": here,  # where Erlang keeps the cookie
            "RABBITMQ_NODENAME": f"freehold-{self.port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(self._distribution),
            "RABBITMQ_MNESIA_BASE": f"{here}/rows",
            "RABBITMQ_LOG_BASE": f"{here}/logs",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{here}/plugins",
            "RABBITMQ_CONFIG_FILE": f"{here}/none",
        }
