"""What a start costs, and what its processes hold: Imba and a service of 50 resources, alone on SQLite, by `freehold serve`.

Imports, and what comes after them until requests are answered, are told apart. Then the process that serves is killed, and
another one takes its place. Times are processor seconds of the processes themselves; memory is what /proc says of each, 3 s
after it began to serve, with pages that are shared counted in proportion (PSS).
"""

from __future__ import annotations

import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.versus import cpu

ROOT = Path(__file__).parents[1]
ROUNDS = 3
MANY = 50
PAGE = ROOT / "docs" / "reference" / "starting.md"
READY_SECONDS = 1.0
MANY_RESOURCES = f"""
from freehold import Access, Base, Freehold, Queries, Resource, anyone, signed_in
from sqlalchemy.orm import Mapped, mapped_column

def resource(number):
    columns = {{"title": Mapped[str], "author": Mapped[str], "year": Mapped[int]}}
    model = type(f"Thing{{number}}", (Base,), {{
        "__tablename__": f"things_{{number}}", "__annotations__": columns, "__module__": __name__,
        "year": mapped_column(index=True),
    }})
    return Resource(model, access=Access(read=anyone, write=signed_in), queries=Queries(filters=["title"], sort=["year"]))

app = Freehold(*[resource(number) for number in range({MANY})])
"""
# Runs in a process of its own: what it imports first is what is imported by any service.
PHASES = """
import json, sys, time
import freehold
from freehold.collector import paused
from freehold.cli.target import load
imported = time.process_time()
with paused():
    app = load(sys.argv[1])
print(json.dumps({"freehold": imported, "service": time.process_time() - imported}))
"""


async def run() -> dict[str, Any]:
    """Measure both, and write the page."""
    with TemporaryDirectory() as made:
        folder = Path(made)
        (folder / "many.py").write_text(MANY_RESOURCES)
        found = {
            "imba": _rounds("services.imba.app:app", folder),
            "fifty_resources": _rounds("many:app", folder),
        }
    found["targets"] = {  # type: ignore[assignment]
        f"{name}, ready after imports": _target(found[name]["until_ready_cpu_s"])
        for name in ("imba", "fifty_resources")
    } | {f"{name}, worker replaced": _target(found[name]["replaced_s"]) for name in ("imba", "fifty_resources")}
    PAGE.write_text(_page(found), encoding="utf-8")
    return found


def _target(seconds: float) -> dict[str, Any]:
    return {"most": READY_SECONDS, "found": seconds, "met": seconds < READY_SECONDS}


def _rounds(target: str, folder: Path) -> dict[str, float]:
    rounds = [_phases(target, folder) | _served(target, folder) for _ in range(ROUNDS)]
    return {name: round(statistics.median(each[name] for each in rounds), 3) for name in rounds[0]}


def _environment(folder: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FREEHOLD_")}
    return kept | {
        "FREEHOLD_ENV": "test",
        "FREEHOLD_SECRET": "starting " * 6,
        "FREEHOLD_VAR_DIR": str(folder / "var"),
        "FREEHOLD_LOG_LEVEL": "warning",
        "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)]),
    }


def _phases(target: str, folder: Path) -> dict[str, float]:
    command = [sys.executable, "-c", PHASES, target]
    done = subprocess.run(command, env=_environment(folder), cwd=folder, stdout=subprocess.PIPE, check=True)
    told = json.loads(done.stdout)
    return {"import_freehold_cpu_s": told["freehold"], "import_service_cpu_s": told["service"]}


def _served(target: str, folder: Path) -> dict[str, float]:
    with _serving(target, folder) as (program, port):
        time.sleep(3)
        supervisor, template, worker = _three(program)
        found = {
            "until_ready_cpu_s": cpu.seconds([worker]),
            "supervisor_mb": cpu.memory_mb([supervisor]),
            "template_mb": cpu.memory_mb([template]),
            "worker_mb": cpu.memory_mb([worker]),
        }
        os.kill(worker, signal.SIGKILL)
        began = time.monotonic()
        _wait(port)
        return found | {"replaced_s": time.monotonic() - began}


def _three(program: int) -> list[int]:
    """Supervisor, template, worker: each the parent of the next."""
    found = cpu.tree(program)
    assert len(found) == 3, found
    return found


@contextmanager
def _serving(target: str, folder: Path) -> Iterator[tuple[int, int]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [sys.executable, "-m", "freehold.cli", "serve", target, "--port", str(port)]
    process = subprocess.Popen(command, env=_environment(folder), cwd=folder, stdout=subprocess.DEVNULL)
    try:
        _wait(port)
        yield process.pid, port
    finally:
        process.terminate()
        process.wait(60)


def _wait(port: int) -> None:
    """Until it says that it is ready. The socket is open before anybody serves on it."""
    ends = time.monotonic() + 120
    while time.monotonic() < ends:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=60) as asked:
                asked.sendall(b"GET /health/ready HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
                if asked.recv(64).startswith(b"HTTP/1.1 200"):
                    return
        except OSError:
            pass
        time.sleep(0.02)
    raise AssertionError("it does not serve")


ROWS = (
    ("import_freehold_cpu_s", "importing Freehold, FastAPI and SQLAlchemy, CPU s"),
    ("import_service_cpu_s", "importing the service and declaring it, CPU s"),
    ("until_ready_cpu_s", "from there until it is ready, CPU s"),
    ("replaced_s", "`kill -9` of the worker until another is ready, s"),
    ("worker_mb", "idle worker, MB"),
    ("template_mb", "template, MB"),
    ("supervisor_mb", "supervisor, MB"),
)


def _page(found: dict[str, Any]) -> str:
    lines = [
        "# What a start costs",
        "",
        "Written by `python -m bench starting`; the data is in `bench/results/starting.json`, with the load of the machine meanwhile.",
        f"Medians of {ROUNDS} rounds, on SQLite, with one worker. Memory is counted with shared pages in proportion, so that the lines add up.",
        "Times of the clock, and in part those of the processor, hang on what else the machine does.",
        "",
        f"| | Imba | {MANY} resources |",
        "|---|--:|--:|",
        *(f"| {text} | {found['imba'][name]:.2f} | {found['fifty_resources'][name]:.2f} |" for name, text in ROWS),
        "",
        "Imports are paid once for all workers, and again at a roll ([shut down and roll](../how-to/shut-down-and-roll.md)). In development one process does it all.",
        "",
    ]
    return "\n".join(lines)
