"""What workers are forked from, as the supervisor knows it. It is asked and never waited for: it may be stopped or swapped out."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

from freehold.cli.process import Load, joined
from freehold.cli.template_process import (
    ANSWER,
    LOADED,
    UNKNOWN,
    WISH,
    fork,
    live,
    load_and_live,
    status_of,
    tell,
    warm,
)
from freehold.cli.undivided import Undivided

if TYPE_CHECKING:
    from multiprocessing.context import SpawnContext, SpawnProcess

_PATIENCE_SECONDS = 10.0

Hear = Callable[[int | None], None]


class NoTemplate(Exception):
    """It has ended, or does not answer. The message says which."""


class Template:
    """It ends by `close`, and its workers go on. Where its supervisor is killed, it hands over what it has (`handover`)."""

    def __init__(self, channel: socket.socket, end: Callable[[], int | None]) -> None:
        channel.setblocking(False)
        self.channel = channel
        self._end = end
        self._owed: deque[tuple[float, Hear]] = deque()
        self.can_fork: bool | None = None
        """None while it imports."""
        self.lost = ""
        """Why nothing more is heard of it; empty as long as it may be asked."""

    @classmethod
    def of_this_process(cls, app: Any, listener: socket.socket, before: Undivided) -> Template | None:
        """Forked here, where the application is loaded and nothing else has begun; None where it may not be.

        before: what was there when the application was not. Does not return in the fork.
        """
        warm(app)
        if because := before.since(besides=[listener.fileno()]):
            tell(because)
            return None
        ours, its = socket.socketpair()
        pid = fork()
        if not pid:
            ours.close()
            live(app, listener, its)
        its.close()
        return cls(ours, partial(_killed, pid))

    @classmethod
    def spawned(cls, context: SpawnContext, target: str, listener: socket.socket, loads: Load) -> Template:
        """With the code as it is on disk now. Wait until `is_loaded`."""
        ours, its = socket.socketpair()
        process = context.Process(target=load_and_live, args=(target, listener, its, loads))
        process.start()
        its.close()
        return cls(ours, partial(_killed_process, process))

    def is_loaded(self) -> bool:
        """Whether it has imported the application; then `can_fork` says what it is good for. Raises NoTemplate."""
        self.listen()
        if self.lost and self.can_fork is None:
            raise NoTemplate(self.lost)
        return self.can_fork is not None

    def fork(self, told: Connection, lifeline: Connection, alive: Connection | None, hear: Hear) -> None:
        """Wish for a worker, which says at `told` that it serves, and leaves when `lifeline` ends. Raises NoTemplate.

        alive: what keeps the lifeline, for the template to hand over; None where no other program may take its place.
        hear: gets its process id later on, or None where it is not heard of.
        """
        given = [told, lifeline] if alive is None else [told, lifeline, alive]
        self._wish(b"f", 0, [each.fileno() for each in given], hear)

    def end_of(self, pid: int, hear: Hear) -> None:
        """Ask how a worker has ended. hear: gets that as `Popen.returncode` has it; None where nobody knows any more."""
        # What it leaves behind is the supervisor's, where that is the first process of a container.
        told = partial(_told_or_seen, pid, hear)
        try:
            self._wish(b"w", pid, [], told)
        except NoTemplate:
            told(None)

    def listen(self) -> None:
        """Take note of what it has said, and of that it says nothing."""
        try:
            while not self.lost and (data := self.channel.recv(ANSWER.size)):
                self._take(int(ANSWER.unpack(data)[0]))
            self._lose("it ended")
        except BlockingIOError:
            if self._owed and time.monotonic() - self._owed[0][0] > _PATIENCE_SECONDS:
                self._lose(f"it has not answered for {_PATIENCE_SECONDS:.0f} s")
        except OSError as error:
            self._lose(str(error))

    def close(self) -> int | None:
        """End it, whatever it is doing; how it has ended, as `Popen.returncode` has it."""
        status = self._end()  # before the channel: to lose its supervisor is another matter
        self.channel.close()
        self._lose("it was ended")
        return status

    def _take(self, answer: int) -> None:
        if self.can_fork is None:
            self.can_fork = answer == LOADED
        else:
            self._owed.popleft()[1](None if answer == UNKNOWN else answer)

    def _wish(self, what: bytes, pid: int, handed_over: list[int], hear: Hear) -> None:
        if self.lost:
            raise NoTemplate(self.lost)
        try:
            socket.send_fds(self.channel, [WISH.pack(what, pid)], handed_over)
        except OSError as error:
            self._lose(str(error))
            raise NoTemplate(self.lost) from None
        self._owed.append((time.monotonic(), hear))

    def _lose(self, why: str) -> None:
        self.lost = self.lost or why
        while self._owed:
            self._owed.popleft()[1](None)


def _told_or_seen(pid: int, hear: Hear, status: int | None) -> None:
    hear(status_of(pid) if status is None else status)


def _killed(pid: int) -> int | None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    return status_of(pid)


def _killed_process(process: SpawnProcess) -> int | None:
    process.kill()
    return joined(process)
