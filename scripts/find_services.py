"""Find what the suite needs beside Python: PostgreSQL and RabbitMQ, which are started, and the programs that it starts itself.

    python scripts/find_services.py

What is missing is installed where that is possible, and each is named with its state.
It looks for PostgreSQL at FREEHOLD_TEST_POSTGRES, by default postgres@127.0.0.1:5432 without a password, for RabbitMQ at
FREEHOLD_TEST_RABBITMQ, by default guest:guest@127.0.0.1:5672, and for a browser at FREEHOLD_TEST_CHROMIUM, by default on the PATH. With Node.js
it runs the upload client that browsers use, which npm installs. `make cluster` and `make faults` want nginx and libfaketime beside. Ends with 1
where one of them cannot be had and FREEHOLD_REQUIRE_SERVICES=1 asks for it.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from find_programs import find, install, provide, provide_chromium, provide_libfaketime, provide_nginx, provide_node

DEFAULT_RABBITMQ = "amqp://guest:guest@127.0.0.1:5672/"
DEFAULT_POSTGRES = "postgresql+asyncpg://postgres@127.0.0.1:5432/postgres"
TIMEOUT_SECONDS = 3


def exchange(host: str, port: int, send: bytes) -> bytes | None:
    """The first bytes that a server says, None where nobody listens."""
    try:
        with socket.create_connection((host, port), timeout=TIMEOUT_SECONDS) as connection:
            if send:
                connection.sendall(send)
            return connection.recv(64)
    except TimeoutError:
        return b""
    except OSError:
        return None


def _says(port: int, send: bytes, marks: tuple[bytes, ...]) -> str:
    answer = exchange("127.0.0.1", port, send)
    if answer is None:
        return "not running"
    return "running" if any(mark in answer for mark in marks) else "something else listens there"


def postgres_state(host: str, port: int, user: str) -> str:
    """Ask for a session as the suite will (protocol 3.0, AuthenticationOk means no password is wanted)."""
    startup = struct.pack("!i", 196608) + f"user\0{user}\0database\0postgres\0\0".encode()
    answer = exchange(host, port, struct.pack("!i", len(startup) + 4) + startup)
    if answer is None:
        return "not running"
    if answer[:1] == b"R":
        return "running" if answer[5:9] == b"\0\0\0\0" else "wants a password"
    return "refuses the session" if answer[:1] == b"E" else "something else listens there"


def postgres_binaries() -> Path | None:
    """The folder that holds initdb and pg_ctl: Debian keeps them off the PATH."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
    on_path = shutil.which("initdb")
    if on_path is not None:
        folders.append(Path(on_path).resolve().parent)
    return next((folder for folder in folders if (folder / "initdb").exists()), None)


def install_postgres() -> bool:
    """True when binaries came of it."""
    if not install("postgresql"):
        return False
    # The package may have started a cluster that wants passwords; it is new, so nothing of value runs in it.
    for cluster in Path("/etc/postgresql").glob("*/main"):
        subprocess.run(["pg_ctlcluster", cluster.parent.name, "main", "stop"], check=False, capture_output=True)
    return postgres_binaries() is not None


def start_postgres(binaries: Path, port: int) -> None:
    """Run a cluster of our own for the suite: loopback, no password, no fsync (it holds nothing to keep)."""
    # The server refuses to run as root, and must reach its folder as the account it runs as.
    account = "postgres" if os.geteuid() == 0 else None
    folder = Path(tempfile.gettempdir()) / f"freehold-postgres-{os.geteuid()}-{port}"
    if not (folder / "PG_VERSION").exists():
        folder.mkdir(mode=0o700, exist_ok=True)
        if account is not None:
            owner = pwd.getpwnam(account)
            os.chown(folder, owner.pw_uid, owner.pw_gid)
        initdb: list[str | Path] = [
            binaries / "initdb",
            "-D",
            folder,
            "-U",
            "postgres",
            "--auth=trust",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
        ]
        subprocess.run(initdb, user=account, group=account, cwd="/", check=True, stdout=subprocess.DEVNULL)
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c fsync=off -c max_connections=400 -k {folder}"
    start: list[str | Path] = [binaries / "pg_ctl", "-D", folder, "-l", folder / "log", "-w", "-o", options, "start"]
    subprocess.run(start, user=account, group=account, cwd="/", check=True, stdout=subprocess.DEVNULL)


def provide_postgres() -> str:
    """Look for PostgreSQL where the suite will, start one where nobody listens; the state in a few words."""
    where = urlsplit(os.environ.get("FREEHOLD_TEST_POSTGRES", DEFAULT_POSTGRES))
    host, port, user = where.hostname or "127.0.0.1", where.port or 5432, where.username or "postgres"
    state = postgres_state(host, port, user)
    if state != "not running" or host not in ("127.0.0.1", "localhost"):
        return state
    if postgres_binaries() is None and not install_postgres():
        return "not installed (as root on Debian or Ubuntu this command installs it)"
    binaries = postgres_binaries()
    if binaries is None:
        return "not installed"
    try:
        start_postgres(binaries, port)
    except (subprocess.CalledProcessError, OSError, KeyError) as error:
        return f"does not start: {error}"
    state = postgres_state(host, port, user)
    return "running (started now)" if state == "running" else state


def provide_rabbitmq() -> str:
    """Look for RabbitMQ where the suite will, start one where nobody listens: it takes seconds, so all tests share it."""
    where = urlsplit(os.environ.get("FREEHOLD_TEST_RABBITMQ", DEFAULT_RABBITMQ))
    host, port = where.hostname or "127.0.0.1", where.port or 5672

    def state() -> str:
        return _says(port, b"AMQP\0\0\0\0", (b"AMQP",))  # it answers a protocol it does not know with its own

    if host not in ("127.0.0.1", "localhost") or state() != "not running":
        return state()
    if find("rabbitmq-server") is None and not install("rabbitmq-server"):
        return "not installed (as root on Debian this command installs it)"
    program = find("rabbitmq-server")
    if program is not None and state() == "not running":
        subprocess.run([program, "-detached"], check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        ends = time.monotonic() + 60
        while state() == "not running" and time.monotonic() < ends:
            time.sleep(0.5)
    return state()


@dataclass(frozen=True)
class Need:
    """One thing that the suite looks for. without: what it skips where that cannot be had."""

    name: str
    provide: Callable[[], str]
    without: str


NEEDS = (
    Need(
        "PostgreSQL",
        provide_postgres,
        "what only PostgreSQL can show; set FREEHOLD_TEST_POSTGRES to a server that it may use",
    ),
    Need("Chromium", provide_chromium, "what only a browser can show"),
    Need("Node.js", provide_node, "uploads by the client that browsers use"),
    Need("Redis", partial(provide, "redis-server"), "what only Redis can show"),
    Need("PgBouncer", partial(provide, "pgbouncer"), "the pooler in transaction mode"),
    Need("NATS", partial(provide, "nats-server"), "the broker NATS"),
    Need("RabbitMQ", provide_rabbitmq, "the broker RabbitMQ"),
    Need("nginx", provide_nginx, "the proxy of `make cluster`, and what stands behind it in `make faults`"),
    Need("libfaketime", provide_libfaketime, "wrong clocks in `make faults`"),
)


def main() -> None:
    """Print one line for each need, and what the suite leaves out for want of it."""
    found = [(need, need.provide()) for need in NEEDS]
    for need, state in found:
        print(f"{need.name:<11} {state}")
    absent = [need for need, state in found if not state.startswith(("found", "running"))]
    for need in absent:
        print(f"Without {need.name} the suite skips {need.without}.")
    if absent and os.environ.get("FREEHOLD_REQUIRE_SERVICES") == "1":
        sys.exit(1)


if __name__ == "__main__":
    main()
