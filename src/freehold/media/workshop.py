"""`Workshop`: the worker processes that open pictures, and what becomes of them.

Two of them, each started with its first picture and ended when idle: one looks at headers while somebody waits for an
answer, one renders, at low priority, one picture at a time. What kills a worker is the picture's fault and costs
nobody else anything.
"""

from __future__ import annotations

import asyncio
import json
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from freehold.errors import ConfigurationError
from freehold.media.variants import OUTPUTS, SIZES

_PROGRAM = Path(__file__).with_name("worker.py")
# One thread decodes, and malloc keeps one arena: the memory of a picture stays what its size says.
_ENVIRONMENT = {"VIPS_CONCURRENCY": "1", "MALLOC_ARENA_MAX": "1", "LC_ALL": "C.UTF-8"}
_START_SECONDS = 30.0
_PATIENCE = 12  # times the computing time: how long a picture may take where the machine has other work
_IDLE_SECONDS = 30.0
_PICTURES = 200  # that one process opens before another takes its place


class PictureRefused(Exception):
    """A picture that is not worked on. The message is for the person who sent it."""


class Workshop:
    """Opens pictures in processes of their own. seconds: of computing time for one. memory_bytes: of a process."""

    def __init__(self, *, seconds: float, memory_bytes: int) -> None:
        if find_spec("pyvips") is None:
            raise ConfigurationError('media needs pyvips: pip install "freehold[media]"')
        self._seconds = seconds
        self._looks = _Worker(seconds, memory_bytes)
        self._renders = _Worker(seconds, memory_bytes)

    async def look(self, path: Path, *, content_type: str, max_pixels: int) -> tuple[int, int]:
        """Width and height as the picture is seen, by its header. Raises PictureRefused."""
        told = await self._looks.ask(do="look", path=str(path), content_type=content_type, max_pixels=max_pixels)
        width, height = told["size"]
        return width, height

    async def render(self, path: Path, folder: Path, *, content_type: str, max_pixels: int) -> Mapping[str, list[int]]:
        """Write `<size>.<output>` for each of them into `folder`; the dimensions by size. Raises PictureRefused."""
        found: Mapping[str, list[int]] = await self._renders.ask(
            do="render",
            path=str(path),
            folder=str(folder),
            content_type=content_type,
            max_pixels=max_pixels,
            sizes=SIZES,
            outputs=list(OUTPUTS),
        )
        return found

    def close(self) -> None:
        """End both processes. They start again with the next picture."""
        self._looks.close()
        self._renders.close()


@cache
def workshop(seconds: float, memory_bytes: int) -> Workshop:
    """The workshop of this process with these limits: applications share it, since it keeps nothing of theirs."""
    return Workshop(seconds=seconds, memory_bytes=memory_bytes)


class _Worker:
    """One process. Requests wait for each other in a thread of their own, so that they hold up nothing else."""

    def __init__(self, seconds: float, memory_bytes: int) -> None:
        self._seconds = seconds
        self._memory_bytes = memory_bytes
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="freehold-pictures")
        self._process: subprocess.Popen[bytes] | None = None
        self._asked = 0
        self._turn = threading.Lock()
        self._idle: threading.Timer | None = None

    async def ask(self, **request: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._ask, request)

    def _ask(self, request: Mapping[str, Any]) -> Any:
        with self._turn:
            if self._idle is not None:
                self._idle.cancel()
            try:
                answer = self._answer({**request, "seconds": self._seconds})
            finally:
                self._idle = threading.Timer(_IDLE_SECONDS, self.close)
                self._idle.daemon = True
                self._idle.start()
        if "refused" in answer:
            raise PictureRefused(answer["refused"])
        return answer["ok"]

    def _answer(self, request: Mapping[str, Any]) -> Any:
        if self._process is None or self._process.poll() is not None or self._asked >= _PICTURES:
            self._start()
        assert self._process is not None
        assert self._process.stdin is not None
        self._asked += 1
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            return {"refused": self._ended()}
        line = self._line(self._seconds * _PATIENCE)
        return {"refused": self._ended()} if line is None else json.loads(line)

    def _start(self) -> None:
        self._end()
        self._process = subprocess.Popen(
            [sys.executable, "-I", str(_PROGRAM), str(self._memory_bytes)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # what libraries say of broken pictures is of no use to anybody
            env=_ENVIRONMENT,
            bufsize=0,
        )
        self._asked = 0
        if self._line(_START_SECONDS) is None:
            ended = self._process.wait() if self._process.poll() is not None else None
            self._end()
            raise RuntimeError(f"the worker for pictures did not start (status {ended}): is memory_bytes enough?")

    def _line(self, seconds: float) -> bytes | None:
        """The next line of the process; None when it has ended, or has to be."""
        assert self._process is not None
        assert self._process.stdout is not None
        until, found = time.monotonic() + seconds, b""
        while not found.endswith(b"\n"):
            readable, _, _ = select.select([self._process.stdout], [], [], max(0.0, until - time.monotonic()))
            piece = self._process.stdout.read(65_536) if readable else None
            if not piece:
                return None
            found += piece
        return found

    def _ended(self) -> str:
        """End what is left of the process; why, in words for the sender."""
        assert self._process is not None
        try:
            status = self._process.wait(0.2)
        except subprocess.TimeoutExpired:
            status = -signal.SIGXCPU
        self._end()
        if status in (-signal.SIGXCPU, -signal.SIGKILL):
            return "The picture takes too long to be worked on."
        return "The picture needs more memory than it is given."

    def _end(self) -> None:
        if self._process is None:
            return
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._process = None

    def close(self) -> None:
        """End the process, once what it is at is done."""
        with self._turn:
            if self._idle is not None:
                self._idle.cancel()
                self._idle = None
            self._end()
