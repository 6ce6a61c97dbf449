"""A process that has imported the application and serves nobody: workers are forked from it, in some hundredths of a second.

An import takes seconds of processor time, which a worker that dies under load would have to find. What a template has is the
code as it was imported: a roll makes a new one.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import struct
import sys
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any, NoReturn

from freehold.cli.process import Load, joined, serve_as_worker, telling
from freehold.cli.undivided import Undivided
from freehold.collector import paused

if TYPE_CHECKING:
    from multiprocessing.context import SpawnContext, SpawnProcess

_ANSWER, _WISH = struct.Struct("!q"), struct.Struct("!cq")
_LOADED, _UNDIVIDED, _UNKNOWN = 1, 0, -1_000
_PATIENCE_SECONDS = 10.0
# Imported as late as when a process begins to serve.
_LATE = ("freehold.web.edge_server", "uvicorn.lifespan.on", "uvicorn.loops.auto", "uvloop")
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class NoTemplate(Exception):
    """It has ended. The message says how, as far as it is known."""


class Template:
    """The supervisor's side. It ends by `close`, or with the supervisor; its workers go on."""

    def __init__(self, channel: socket.socket, end: Callable[[], int | None]) -> None:
        channel.settimeout(_PATIENCE_SECONDS)
        self._channel = channel
        self._end = end
        self.can_fork: bool | None = None
        """None while it imports."""

    @classmethod
    def of_this_process(cls, app: Any, listener: socket.socket, before: Undivided) -> Template | None:
        """Forked here, where the application is loaded and nothing else has begun; None where it may not be.

        before: what was there when the application was not. Does not return in the fork.
        """
        _warm(app)
        if because := before.since(besides=[listener.fileno()]):
            _tell(because)
            return None
        ours, its = socket.socketpair()
        pid = _fork()
        if not pid:
            ours.close()
            _live(app, listener, its)
        its.close()
        return cls(ours, partial(_killed, pid))

    @classmethod
    def spawned(cls, context: SpawnContext, target: str, listener: socket.socket, loads: Load) -> Template:
        """With the code as it is on disk now. Wait until `is_loaded`."""
        ours, its = socket.socketpair()
        process = context.Process(target=_load_and_live, args=(target, listener, its, loads))
        process.start()
        its.close()
        return cls(ours, partial(_killed_process, process))

    def is_loaded(self) -> bool:
        """Whether it has imported the application; then `can_fork` says what it is good for. Raises NoTemplate."""
        if self.can_fork is None and self._has_spoken():
            self.can_fork = self._answer() == _LOADED
        return self.can_fork is not None

    def fork(self, told: Connection, lifeline: Connection) -> int:
        """A worker, which says at `told` that it serves, and leaves when `lifeline` ends; its process id. Raises NoTemplate."""
        try:
            socket.send_fds(self._channel, [_WISH.pack(b"f", 0)], [told.fileno(), lifeline.fileno()])
        except OSError as error:
            raise NoTemplate(str(error)) from None
        return self._answer()

    def status_of(self, pid: int) -> int | None:
        """How a worker has ended, as `Popen.returncode` has it; None where nobody knows any more."""
        try:
            self._channel.sendall(_WISH.pack(b"w", pid))
            status = self._answer()
        except (OSError, NoTemplate):
            return _status_of(
                pid
            )  # what it left behind is the supervisor's, where that is the first process of a container
        return None if status == _UNKNOWN else status

    def has_ended(self) -> bool:
        """Whether it has, though nobody asked it to."""
        try:
            return self._has_spoken() and not self._channel.recv(1, socket.MSG_PEEK)
        except OSError:
            return True

    def close(self) -> int | None:
        """End it, whatever it is doing; how it has ended, as `Popen.returncode` has it."""
        self._channel.close()
        return self._end()

    def _has_spoken(self) -> bool:
        return bool(select.select([self._channel], [], [], 0)[0])

    def _answer(self) -> int:
        try:
            data = self._channel.recv(_ANSWER.size, socket.MSG_WAITALL)
        except OSError as error:
            with contextlib.suppress(OSError):
                self._channel.shutdown(socket.SHUT_RDWR)  # or a late answer would be taken for that to the next wish
            raise NoTemplate(str(error)) from None
        if len(data) < _ANSWER.size:
            raise NoTemplate("it ended")
        (answer,) = _ANSWER.unpack(data)
        return int(answer)


def _load_and_live(target: str, listener: socket.socket, channel: socket.socket, loads: Load) -> None:
    def work() -> None:
        whole = Undivided()
        with paused(for_good=True):
            app = loads(target)
            _warm(app)
        if because := whole.since():
            _tell(because)
        _live(app, listener, channel, because=because)

    telling(work)


def _live(app: Any, listener: socket.socket, channel: socket.socket, *, because: str = "") -> NoReturn:
    """Do what is wished. Ends by SystemExit, in the template and in each worker."""
    for number in _SIGNALS:  # a process group is signalled as a whole; the supervisor alone decides about its end
        signal.signal(number, signal.SIG_IGN)
    handed_over: list[int] = []
    with contextlib.suppress(OSError):  # the supervisor has ended
        channel.sendall(_ANSWER.pack(_UNDIVIDED if because else _LOADED))
        handed_over = [] if because else _forked(channel)
    if handed_over:
        channel.close()
        told, lifeline = Connection(handed_over[0]), Connection(handed_over[1])
        telling(partial(serve_as_worker, app, listener, told, lifeline))
    raise SystemExit(0)


def _forked(channel: socket.socket) -> list[int]:
    """Fork whenever it is wished: in the fork, what was handed over to it. In the template nothing, when nobody wishes any more."""
    while wish := _next_wish(channel):
        what, pid, handed_over = wish
        if what == b"f":
            pid = _fork()
            if not pid:
                return handed_over
            for each in handed_over:
                os.close(each)
            answer = pid
        else:
            status = _status_of(pid)
            answer = _UNKNOWN if status is None else status
        channel.sendall(_ANSWER.pack(answer))
    return []


def _next_wish(channel: socket.socket) -> tuple[bytes, int, list[int]] | None:
    data, handed_over, _, _ = socket.recv_fds(channel, _WISH.size, 2)
    if len(data) < _WISH.size:
        return None
    what, pid = _WISH.unpack(data)
    return what, pid, handed_over


def _fork() -> int:
    """As `os.fork`; what a signal does is the default again in the child, and none is lost in between."""
    sys.stdout.flush()  # or both would write what waits there
    sys.stderr.flush()
    with _blocked():
        pid = os.fork()
        if not pid:
            for number in _SIGNALS:
                signal.signal(number, signal.SIG_DFL)
    return pid


@contextlib.contextmanager
def _blocked() -> Iterator[None]:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _status_of(pid: int) -> int | None:
    """As `Popen.returncode` has it; None where it is no child of this process."""
    try:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    except ChildProcessError:
        return None


def _killed(pid: int) -> int | None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    return _status_of(pid)


def _killed_process(process: SpawnProcess) -> int | None:
    process.kill()
    return joined(process)


def _warm(app: Any) -> None:
    """Do what each worker would do when it begins to serve, as far as nothing is opened by it."""
    from fastapi import FastAPI
    from fastapi.routing import iter_route_contexts

    from freehold.web.release import release_of_code

    for name in _LATE:
        with contextlib.suppress(ImportError):  # on some machines uvicorn does without
            import_module(name)
    if isinstance(app, FastAPI):
        list(iter_route_contexts(app.routes))  # FastAPI works the routes of a router out when they are asked for
    release_of_code()


def _tell(because: str) -> None:
    sys.stderr.write(f"freehold: each worker imports the application by itself: {because} once it is imported\n")
