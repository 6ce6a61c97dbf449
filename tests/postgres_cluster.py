"""PostgreSQL clusters of a test's own: a primary, streaming replicas of it, to be held up, killed and started again."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from find_services import postgres_binaries, postgres_state
from tests.ports import free_port
from tests.redis_server import missing

ACCOUNT = "postgres" if os.geteuid() == 0 else None  # the server refuses to run as root
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


class Cluster:
    """One server on a folder of its own. It waits for no disk: tests kill servers, not machines.

    dies_with_us: even when this process is killed; for one that is started in the main thread.
    """

    def __init__(self, binaries: Path, folder: Path, *options: str, dies_with_us: bool = False) -> None:
        self.binaries = binaries
        self.data = folder / "data"
        self.port = free_port()
        self._options = ["-c", "fsync=off", *options]
        self._wrapped = ["setpriv", "--pdeathsig", "QUIT", "--"] if dies_with_us and shutil.which("setpriv") else []
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """Of its first database, for the superuser, who needs no password."""
        return f"postgresql+asyncpg://postgres@{self.host}/postgres"

    @property
    def is_running(self) -> bool:
        """Whether its first process is there."""
        return self._process is not None and self._process.poll() is None

    def initialise(self) -> None:
        self._run("initdb", "-D", self.data, "-U", "postgres", "--auth=trust", "-E", "UTF8", "--locale=C.UTF-8", "-N")

    def copy_from(self, primary: Cluster) -> None:
        """Become a streaming replica."""
        command = ["-h", "127.0.0.1", "-p", str(primary.port), "-U", "postgres", "-R", "-X", "stream", "-c", "fast"]
        self._run("pg_basebackup", "-D", self.data, "--no-sync", *command)

    def start(self) -> None:
        """Start, and wait until it takes connections."""
        self.begin()
        ends = time.monotonic() + 60
        while postgres_state("127.0.0.1", self.port, "postgres") != "running":
            assert time.monotonic() < ends, "PostgreSQL does not answer"
            time.sleep(0.02)

    def begin(self) -> None:
        """Start, and do not wait."""
        addresses = ["-p", str(self.port), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="]
        command = [*self._wrapped, self.binaries / "postgres", "-D", self.data, *addresses, *self._options]
        log = (self.data.parent / "log").open("ab")
        self._process = subprocess.Popen(command, user=ACCOUNT, group=ACCOUNT, cwd="/", stdout=log, stderr=log)
        log.close()

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """SIGKILL as when the power fails, for every process of it; SIGINT for an end in order."""
        if self._process is None:
            return
        if number is signal.SIGKILL:
            self._signal_all(number)
        else:
            self._process.send_signal(number)
        self._process.wait(30)
        self._process = None

    def freeze(self) -> None:
        """From now on it takes what is sent and says nothing."""
        self._signal_all(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal_all(signal.SIGCONT)

    def _signal_all(self, number: signal.Signals) -> None:
        assert self._process is not None
        for pid in (self._process.pid, *_children(self._process.pid)):
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def _run(self, program: str, *arguments: str | Path) -> None:
        command = [self.binaries / program, *arguments]
        subprocess.run(command, user=ACCOUNT, group=ACCOUNT, cwd="/", check=True, stdout=subprocess.DEVNULL)


def _children(pid: int) -> list[int]:
    """Backends put themselves into groups of their own."""
    try:
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


@contextmanager
def cluster(
    *options: str, of: Cluster | None = None, folder: Path | None = None, dies_with_us: bool = False
) -> Iterator[Cluster]:
    """A server, started; gone with its folder at the end. of: whose replica it is. folder: where there is little room."""
    binaries = postgres_binaries()
    if binaries is None:
        missing("PostgreSQL is not installed here; `make services` installs it")
        raise AssertionError
    made = Path(tempfile.mkdtemp(prefix="fh_cluster_", dir=folder or MEMORY))
    made.chmod(0o755)
    if ACCOUNT is not None:
        owner = pwd.getpwnam(ACCOUNT)
        os.chown(made, owner.pw_uid, owner.pw_gid)
    server = Cluster(binaries, made, *options, dies_with_us=dies_with_us)
    try:
        if of is None:
            server.initialise()
        else:
            server.copy_from(of)
        server.start()
        yield server
    finally:
        if server.is_running:
            server.thaw()
            server.kill(signal.SIGQUIT)
        shutil.rmtree(made, ignore_errors=True)
