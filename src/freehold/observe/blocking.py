"""Calls that block the event loop, named by their line.

A thread asks the loop to answer. Where no answer comes in time, it looks at what the loop's thread is at: no hook in the
loop is needed, so uvloop and Python 3.11 are watched alike. A block that lasts one and a half times the threshold is
always seen. Time in which other programs had the core is not counted, where Linux tells it.
"""

from __future__ import annotations

import asyncio
import sys
import sysconfig
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from linecache import getline
from pathlib import Path
from types import FrameType

_INSTALLED = tuple(sysconfig.get_path(each) for each in ("stdlib", "platstdlib", "purelib", "platlib"))
_TOOLKIT = str(Path(__file__).parents[1])
_MARK = "/site-packages/"


@dataclass(frozen=True, slots=True)
class Blocked:
    """One block. seconds: without those that the machine spent elsewhere. line: of the program's own code that called.

    called: the innermost function, `sleep` of a `time.sleep` excepted, which is no Python.
    """

    seconds: float
    file: str
    line: int
    function: str
    code: str
    called: str

    @property
    def place(self) -> str:
        """As an editor takes it."""
        return f"{self.file}:{self.line}"

    def __str__(self) -> str:
        return f"{self.place} in {self.function}: {self.code} ({self.seconds * 1000:.0f} ms, in {self.called})"


Told = Callable[[Blocked], None]


class LoopWatch:
    """Watches one event loop from a thread. told: called in that thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop, *, threshold_seconds: float, told: Told) -> None:
        self._loop, self._told, self._threshold = loop, told, threshold_seconds
        self._thread_id, self._native_id = threading.get_ident(), threading.get_native_id()
        self._over, self._answered = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="freehold-loop-watch", daemon=True)

    def start(self) -> None:
        """Begin. Call it in the thread of the loop."""
        self._thread.start()

    def stop(self) -> None:
        """End, and wait for the thread."""
        self._over.set()
        self._answered.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(self._threshold / 2):
            self._answered.clear()
            if self._over.is_set():
                return  # whoever ends us waits in the loop's thread, and would not answer
            asked, waited = time.monotonic(), waited_for_core(self._native_id)
            try:
                self._loop.call_soon_threadsafe(self._answered.set)
            except RuntimeError:
                return  # the loop is closed
            if self._answered.wait(self._threshold):
                continue
            found = blamed(sys._current_frames().get(self._thread_id))  # noqa: SLF001  # documented for this very use
            self._answered.wait()
            elsewhere = waited_for_core(self._native_id) - waited
            seconds = time.monotonic() - asked - elsewhere
            if found is not None and seconds >= self._threshold:
                self._told(_block(*found, seconds))


@contextmanager
def watched_loop(*, threshold_seconds: float, told: Told) -> Iterator[None]:
    """Watch the running loop during the block."""
    watch = LoopWatch(asyncio.get_running_loop(), threshold_seconds=threshold_seconds, told=told)
    watch.start()
    try:
        yield
    finally:
        watch.stop()


def waited_for_core(native_id: int) -> float:
    """Seconds that a thread of this process was ready to run and others had the core; 0 where nobody tells."""
    try:
        return int(Path(f"/proc/self/task/{native_id}/schedstat").read_text().split()[1]) / 1e9
    except (OSError, IndexError, ValueError):
        return 0.0


Place = tuple[str, int, str, str]


def blamed(frame: FrameType | None) -> Place | None:
    """File, line and function of the innermost own code, and the innermost function; None where the loop only waits.

    Own is what is neither installed nor part of the toolkit; without such, the toolkit's line, then whatever runs.
    """
    stack = []
    while frame is not None:
        stack.append((frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_qualname))
        frame = frame.f_back
    if not stack or _is_waiting(stack[0]):
        return None
    inside = stack[: next((at for at, each in enumerate(stack) if _is_loop(each)), len(stack))]
    if not inside:
        return None
    for is_wanted in (_is_own, _is_toolkit, bool):
        for file, line, function in inside:
            if is_wanted(file):
                return file, line, function, stack[0][2]
    return None


def _is_waiting(innermost: tuple[str, int, str]) -> bool:
    """Whether the loop itself asks the system what has come."""
    return innermost[0].endswith("selectors.py") and innermost[2].endswith(".select")


def _is_loop(each: tuple[str, int, str]) -> bool:
    """What runs the loop; behind it stands whoever started it."""
    return each[2] in ("BaseEventLoop._run_once", "BaseEventLoop.run_forever", "Runner.run", "Server.run")


def _is_own(file: str) -> bool:
    return not (_is_toolkit(file) or _MARK in file or file.startswith((*_INSTALLED, "<")))


def _is_toolkit(file: str) -> bool:
    return file.startswith(_TOOLKIT)


def _block(file: str, line: int, function: str, called: str, seconds: float) -> Blocked:
    return Blocked(seconds, file, line, function, getline(file, line).strip(), called)
