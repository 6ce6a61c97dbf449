"""One serving process, as its supervisor knows it."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection

from freehold.cli.template import Template


@dataclass(eq=False)
class Child:
    """told: where it says that it serves, and its process id; its end closes that. template: what it is forked from.

    joined: how it has ended, for one that is no fork. pid: None until it is told.
    """

    told: Connection
    template: Template | None
    pid: int | None = None
    joined: Callable[[], int | None] | None = None
    started_at: float = field(default_factory=time.monotonic)
    serves: bool = False
    has_ended: bool = False
    is_over: bool = False
    """It has ended, and `status` says how."""
    status: int | None = None
    """As `Popen.returncode` has it; None where nobody knows."""
    _owed: signal.Signals | None = None

    def begin(self, pid: int | None) -> None:
        """Note what its template says became of the wish for it. None where nobody knows: unless it has said so itself, it is over."""
        self.pid = self.pid if pid is None else pid
        if self.pid is None:
            self.listen()  # or it has said so by now
        if self.pid is None:
            self.end(None)
        elif self.has_ended:
            self._ask()
        elif self._owed is not None:
            self.signal(self._owed)

    def end(self, status: int | None) -> None:
        """It has, and so."""
        self.has_ended = self.is_over = True
        self.status = status

    def listen(self) -> None:
        """Take note of what it has said."""
        if self.has_ended:
            return
        try:
            while self.told.poll():
                self.pid, self.serves = int(self.told.recv_bytes()), True
        except (EOFError, OSError):
            self.has_ended = True
            self._ask()

    def signal(self, number: signal.Signals) -> None:
        """Send it, as soon as it is known to whom."""
        if self.pid is None:
            self._owed = number
            return
        with contextlib.suppress(ProcessLookupError):  # it may be gone by now
            os.kill(self.pid, number)

    def _ask(self) -> None:
        if self.joined is not None:
            self.end(self.joined())
        elif self.template is not None and self.pid is not None:
            self.template.end_of(self.pid, self.end)
