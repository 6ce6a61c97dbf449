"""The servers that the service leans on, each with what has to be installed for it and how it says that it is ready."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from deploy.cluster.layout import Layout, NotPossible
from deploy.cluster.processes import TICK_SECONDS, Program
from find_services import exchange, postgres_binaries, postgres_state
from registry import uv_environment

S3_PACKAGE = "moto[s3,server]==5.2.5"
BUCKET = "media"
READY_SECONDS = 60.0


@dataclass(frozen=True)
class Server:
    """A program, the check that it answers, and what is done before it starts, and once it answers."""

    program: Program
    is_ready: Callable[[], bool]
    prepare: Callable[[], None] = lambda: None
    before: Callable[[], None] = lambda: None

    def bring_up(self) -> None:
        """Start it, unless it runs, and wait until it answers. Raises NotPossible with its log otherwise."""
        self.before()
        self.program.start()
        until = time.monotonic() + READY_SECONDS
        while not self.is_ready():
            self.program.require()
            if time.monotonic() > until:
                raise NotPossible(
                    f"{self.program.name} does not answer within {READY_SECONDS:.0f} s: {self.program.log}"
                )
            time.sleep(TICK_SECONDS)
        self.prepare()


def servers(layout: Layout) -> list[Server]:
    """Everything but the service itself and its proxy, in the order in which it is started."""
    return [postgres(layout), redis(layout), nats(layout), s3(layout), smtp(layout)]


def need(program: str, package: str) -> Path:
    """Where the program is. Raises NotPossible that names the Debian package."""
    found = shutil.which(program) or shutil.which(program, path="/usr/sbin:/usr/local/sbin")
    if found is None:
        raise NotPossible(f"{program} is not installed. On Debian and Ubuntu: apt-get install {package}")
    return Path(found)


def postgres(layout: Layout) -> Server:
    """A PostgreSQL cluster of its own, which waits for the disk as in production."""
    binaries = postgres_binaries()
    if binaries is None:
        raise NotPossible("PostgreSQL is not installed. On Debian and Ubuntu: apt-get install postgresql")
    data = layout.folder / "postgres"
    # It refuses to run as root, and must reach its folder as the account that it runs as.
    account = "postgres" if os.geteuid() == 0 else None
    options = f"-p {layout.postgres} -c listen_addresses=127.0.0.1 -c max_connections=200 -c unix_socket_directories="
    command: list[str | Path] = [binaries / "postgres", "-D", data, *options.split()]
    return Server(
        # SIGINT is its fast shutdown; on SIGTERM it would wait for its clients.
        Program("postgres", command, layout.folder, user=account, ends_by=signal.SIGINT),
        lambda: postgres_state("127.0.0.1", layout.postgres, "postgres") == "running",
        lambda: _create_database(binaries, layout),
        lambda: _initdb(binaries, data, account),
    )


def _initdb(binaries: Path, data: Path, account: str | None) -> None:
    if (data / "PG_VERSION").exists():
        return
    data.mkdir(mode=0o700, exist_ok=True)
    if account is not None:
        owner = pwd.getpwnam(account)
        os.chown(data, owner.pw_uid, owner.pw_gid)
    command: list[str | Path] = [
        binaries / "initdb",
        "-D",
        data,
        "-U",
        "postgres",
        "--auth=trust",
        "-E",
        "UTF8",
        "--locale=C.UTF-8",
    ]
    made = subprocess.run(command, user=account, group=account, cwd="/", capture_output=True, text=True, check=False)
    if made.returncode:
        raise NotPossible(
            f"initdb cannot make {data}: {made.stderr.strip()}\n"
            "The account postgres must be able to reach that folder, or another: make cluster CLUSTER_DIR=/tmp/imba-cluster"
        )


def _create_database(binaries: Path, layout: Layout) -> None:
    command: list[str | Path] = [
        binaries / "createdb",
        "-h",
        "127.0.0.1",
        "-p",
        str(layout.postgres),
        "-U",
        "postgres",
        "imba",
    ]
    subprocess.run(command, check=False, capture_output=True)  # it may be there


def redis(layout: Layout) -> Server:
    """Redis, or Valkey under its own name. It keeps nothing on disk: what is promised stands in PostgreSQL."""
    program = shutil.which("valkey-server") or need("redis-server", "redis-server")
    command: list[str | Path] = [
        program,
        "--port",
        str(layout.redis),
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--appendonly",
        "no",
    ]
    return Server(
        Program("redis", [*command, "--dir", layout.folder], layout.folder),
        lambda: b"PONG" in (exchange("127.0.0.1", layout.redis, b"PING\r\n") or b""),
    )


def nats(layout: Layout) -> Server:
    """NATS with JetStream."""
    command: list[str | Path] = [
        need("nats-server", "nats-server"),
        "-a",
        "127.0.0.1",
        "-p",
        str(layout.nats),
        "-js",
        "-sd",
    ]
    return Server(
        Program("nats", [*command, layout.folder / "nats"], layout.folder),
        lambda: b"INFO" in (exchange("127.0.0.1", layout.nats, b"") or b""),
    )


def s3(layout: Layout) -> Server:
    """A server that speaks S3, which keeps its objects in memory."""
    uv = Path(sys.executable).with_name("uv")
    command: list[str | Path] = [
        uv,
        "tool",
        "run",
        "--from",
        S3_PACKAGE,
        "moto_server",
        "-H",
        "127.0.0.1",
        "-p",
        str(layout.s3),
    ]
    address = f"http://127.0.0.1:{layout.s3}"
    return Server(
        Program("s3", command, layout.folder, uv_environment()),
        lambda: _listens(layout.s3),
        lambda: _put(f"{address}/{BUCKET}"),
    )


def _put(address: str) -> None:
    request = urllib.request.Request(address, method="PUT")  # noqa: S310  # our own server
    urllib.request.urlopen(request, timeout=10).close()  # noqa: S310


def smtp(layout: Layout) -> Server:
    """What is sent lands in var/cluster/mail, a maildir."""
    command = [sys.executable, "-m", "aiosmtpd", "-n", "-l", f"127.0.0.1:{layout.smtp}"]
    command += ["-c", "aiosmtpd.handlers.Mailbox", str(layout.folder / "mail")]
    return Server(Program("smtp", command, layout.folder), lambda: _listens(layout.smtp))


def _listens(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False
