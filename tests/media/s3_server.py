"""A server that speaks S3, for the length of a test run: moto's, in an environment that uv makes for it alone.

Not among the locked packages: its client library asks for an older release of one that the toolkit uses.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest
from scripts.registry import uv_environment
from tests.ports import free_port

PACKAGE = "moto[s3,server]==5.2.5"
PATIENCE_SECONDS = 50


@contextmanager
def s3_server(log: Path) -> Iterator[str]:
    """Its address, with a bucket named `bucket`. Skips where it cannot be had, unless everything has to be."""
    port = free_port()
    uv = Path(sys.executable).with_name("uv")
    command = [uv, "tool", "run", "--from", PACKAGE, "moto_server", "-H", "127.0.0.1", "-p", str(port)]
    with log.open("wb") as said:
        process = subprocess.Popen(command, env=uv_environment(), stdout=said, stderr=said, start_new_session=True)
    address = f"http://127.0.0.1:{port}"
    try:
        if not _has_bucket(address, process):
            absent(f"{PACKAGE} does not start: {log.read_text()[-300:]}")
        yield address
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _has_bucket(address: str, process: subprocess.Popen[bytes]) -> bool:
    until = time.monotonic() + PATIENCE_SECONDS
    while process.poll() is None and time.monotonic() < until:
        try:
            return httpx2.put(f"{address}/bucket").status_code == 200
        except httpx2.TransportError:
            time.sleep(0.1)
    return False


def absent(reason: str) -> None:
    if os.environ.get("FREEHOLD_REQUIRE_SERVICES") == "1":
        pytest.fail(reason)
    pytest.skip(reason)
