"""Where CPU time goes: the stack of the main thread, looked at every so many milliseconds of CPU time.

A timer of the process's own CPU time interrupts it (setitimer, ITIMER_PROF), so waiting costs no samples and no thread has to
fight for the interpreter. The kernel rounds the interval up to its tick, mostly 4 ms. Unix only.
"""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

INTERVAL_SECONDS = 0.001
DEEPEST = 200

Frame = tuple[str, str]
"""File and function."""


class Samples:
    """Stacks, outermost frame first, and how often each was met."""

    def __init__(self) -> None:
        self.stacks: Counter[tuple[Frame, ...]] = Counter()
        self.is_taking = False

    @property
    def number(self) -> int:
        """How often was looked."""
        return self.stacks.total()

    def take(self, signum: int, frame: FrameType | None) -> None:
        """A handler of SIGPROF."""
        if not self.is_taking:
            return
        stack: list[Frame] = []
        while frame is not None and len(stack) < DEEPEST:
            stack.append((frame.f_code.co_filename, frame.f_code.co_qualname))
            frame = frame.f_back
        self.stacks[tuple(reversed(stack))] += 1


@contextmanager
def sampled(samples: Samples) -> Iterator[Samples]:
    """Look at the main thread during the block, whenever `is_taking` is set. Call it in the main thread.

    Raises OSError or AttributeError where the system has no such timer.
    """
    before: Any = signal.signal(signal.SIGPROF, samples.take)
    signal.setitimer(signal.ITIMER_PROF, INTERVAL_SECONDS, INTERVAL_SECONDS)
    try:
        yield samples
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
