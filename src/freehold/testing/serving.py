"""A service served as its users serve it: in a process of its own, on a free port."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

_ADDRESS = re.compile(r"is served at (http://\S+)")
_START_SECONDS = 60
_STOP_SECONDS = 40


@contextmanager
def served(
    target: str,
    *,
    cwd: Path,
    folder: Path,
    demo: str = "0",
    env: Mapping[str, str] | None = None,
    python: str = sys.executable,
) -> Iterator[str]:
    """`freehold serve TARGET` around the block; its address. It has to end with 0 when it is asked to.

    cwd: where the target is imported from. folder: for its rows and its log. env: further variables; those of this
    process that begin with FREEHOLD_ are left out. python: the interpreter, and so the packages. Raises AssertionError, with the log, where it does not come up.
    """
    command = [python, "-m", "freehold.cli", "serve", target, "--port", "0", "--demo", demo]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FREEHOLD_")}
    kept |= {"FREEHOLD_VAR_DIR": str(folder / "var"), **(env or {})}
    log = folder / "server.log"
    with log.open("w") as out:
        process = subprocess.Popen(command, cwd=cwd, env=kept, stdout=out, stderr=out)
        try:
            yield _address(process, log)
        finally:
            process.terminate()
            assert process.wait(_STOP_SECONDS) == 0, log.read_text()


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        found = _ADDRESS.search(log.read_text())
        if found is not None and _answers(f"{found[1]}/health/ready"):
            return found[1]
        time.sleep(0.1)
    raise AssertionError(f"the server did not come up:\n{log.read_text()}")


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310  # our own server
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False
