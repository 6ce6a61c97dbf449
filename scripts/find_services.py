"""Find what the suite needs beside Python: PostgreSQL and RabbitMQ, which are started, a Chromium, Node.js, Redis and NATS.

    python scripts/find_services.py

Only what the suite needs today is installed or started; the rest is reported. Of Redis and NATS it starts its own.
It looks for PostgreSQL at FREEHOLD_TEST_POSTGRES, by default postgres@127.0.0.1:5432 without a password, for RabbitMQ at
FREEHOLD_TEST_RABBITMQ, by default guest:guest@127.0.0.1:5672, and for a browser at FREEHOLD_TEST_CHROMIUM, by default on the PATH. With Node.js
it runs the upload client that browsers use, which npm installs. Ends with 1
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
from pathlib import Path
from urllib.parse import urlsplit

DEFAULT_RABBITMQ = "amqp://guest:guest@127.0.0.1:5672/"
DEFAULT_POSTGRES = "postgresql+asyncpg://postgres@127.0.0.1:5432/postgres"
TIMEOUT_SECONDS = 3
# As services/imba/tests/browser.py looks for it.
BROWSERS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")


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


def install(*packages: str) -> bool:
    """apt-get, where there is one and we may. True when it says that the packages are there."""
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return False
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    print(f"installing {' '.join(packages)} with apt-get", flush=True)
    subprocess.run(["apt-get", "update", "-qq"], env=quiet, check=False, stdout=subprocess.DEVNULL)
    command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages]
    return subprocess.run(command, env=quiet, check=False, stdout=subprocess.DEVNULL).returncode == 0


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


def browser_version() -> str | None:
    """What the browser says of itself; None where there is none, or one that does not start."""
    named = os.environ.get("FREEHOLD_TEST_CHROMIUM")
    programs = [named] if named else [path for name in BROWSERS if (path := shutil.which(name))]
    for program in programs:
        # Ubuntu's package is a stub that asks for a snap: it is on the PATH and does not run.
        try:
            answer = subprocess.run([program, "--version"], check=False, capture_output=True, text=True, timeout=30)
        except (OSError, subprocess.TimeoutExpired):
            continue
        if answer.returncode == 0 and answer.stdout.strip():
            return answer.stdout.strip()
    return None


def provide_chromium() -> str:
    """Look for a Chromium as the suite will, install one where there is none; the state in a few words."""
    version = browser_version()
    named = os.environ.get("FREEHOLD_TEST_CHROMIUM")
    if version is None and named:
        return f"does not start: FREEHOLD_TEST_CHROMIUM={named}"
    if version is None and install("chromium", "fonts-liberation"):
        version = browser_version()
    if version is None:
        return "not installed (as root on Debian this command installs it; elsewhere set FREEHOLD_TEST_CHROMIUM to one)"
    return f"found: {version}"


def node_version() -> str | None:
    """Of Node.js, where npm is beside it."""
    programs = [shutil.which(name) for name in ("node", "npm")]
    if None in programs:
        return None
    answer = subprocess.run(["node", "--version"], check=False, capture_output=True, text=True, timeout=30)
    return answer.stdout.strip() or None


def provide_node() -> str:
    """Look for Node.js with npm, install them where they are missing; the state in a few words."""
    version = node_version()
    if version is None and install("nodejs", "npm"):
        version = node_version()
    return f"found: {version}" if version else "not installed (as root on Debian this command installs it)"


def provide_program(program: str) -> str:
    """Look for a server that the suite starts for itself, install it where it is missing; the state in a few words.

    program: also the name of its package.
    """
    # Debian keeps some where only root's PATH leads.
    if _program(program) or (install(program) and _program(program)):
        return "found"
    return "not installed (as root on Debian this command installs it)"


def _program(name: str) -> str | None:
    return shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"]))


def provide_rabbitmq() -> str:
    """Look for RabbitMQ where the suite will, start one where nobody listens: it takes seconds, so all tests share it."""
    where = urlsplit(os.environ.get("FREEHOLD_TEST_RABBITMQ", DEFAULT_RABBITMQ))
    host, port = where.hostname or "127.0.0.1", where.port or 5672

    def state() -> str:
        return _says(port, b"AMQP\0\0\0\0", (b"AMQP",))  # it answers a protocol it does not know with its own

    if host not in ("127.0.0.1", "localhost") or state() != "not running":
        return state()
    if _program("rabbitmq-server") is None and not install("rabbitmq-server"):
        return "not installed (as root on Debian this command installs it)"
    program = _program("rabbitmq-server")
    if program is not None and state() == "not running":
        subprocess.run([program, "-detached"], check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        ends = time.monotonic() + 60
        while state() == "not running" and time.monotonic() < ends:
            time.sleep(0.5)
    return state()


def main() -> None:
    """Print one line for each server."""
    postgres = provide_postgres()
    chromium = provide_chromium()
    node = provide_node()
    redis = provide_program("redis-server")
    nats = provide_program("nats-server")
    rabbitmq = provide_rabbitmq()
    rows = {
        "PostgreSQL": postgres,
        "Chromium": chromium,
        "Node.js": node,
        "Redis": redis,
        "PgBouncer": provide_program("pgbouncer"),
        "NATS": nats,
        "RabbitMQ": rabbitmq,
        "MariaDB": _says(3306, b"", (b"mysql", b"MariaDB")),
    }
    for name, state in rows.items():
        note = "  (not needed by the suite yet)" if name == "MariaDB" else ""
        print(f"{name:<11} {state}{note}")
    absent = []
    if not postgres.startswith("running"):
        absent.append("PostgreSQL")
        print("The suite skips what only PostgreSQL can show; set FREEHOLD_TEST_POSTGRES to a server that it may use.")
    if not chromium.startswith("found"):
        absent.append("Chromium")
        print("The suite skips what only a browser can show.")
    if not node.startswith("found"):
        absent.append("Node.js")
        print("The suite skips uploads by the client that browsers use.")
    if not redis.startswith("found"):
        absent.append("Redis")
        print("The suite skips what only Redis can show.")
    if not nats.startswith("found") or not rabbitmq.startswith("running"):
        absent.append("NATS or RabbitMQ")
        print("The suite skips the brokers that are not there.")
    if absent and os.environ.get("FREEHOLD_REQUIRE_SERVICES") == "1":
        sys.exit(1)


if __name__ == "__main__":
    main()
