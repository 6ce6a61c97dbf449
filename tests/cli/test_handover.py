"""Who is handed a port over: the next start under the same account, and nobody else."""

from __future__ import annotations

import multiprocessing
import os
import select
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import SimpleNamespace

import pytest
import typer
from tests.waiting import until_in_a_thread

from freehold.cli import handover, worker, workers
from freehold.cli.child import Child
from freehold.cli.listener import bind
from freehold.cli.template import Template
from freehold.cli.undivided import Undivided
from freehold.cli.workers import Workers
from freehold.settings import Environment

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nothing is handed over")


@contextmanager
def offered() -> Iterator[tuple[int, int]]:
    """A port that is offered, and the reading end of what its workers would hang on."""
    reader, alive = os.pipe()
    with bind("127.0.0.1", 0) as listener:
        listener.listen()
        port: int = listener.getsockname()[1]
        offering = threading.Thread(target=handover.offer, args=(listener, alive))
        offering.start()
        until_in_a_thread(lambda: f"/127.0.0.1/{port}" in Path("/proc/net/unix").read_text())
        try:
            yield port, reader
        finally:
            while offering.is_alive():  # somebody has to take it, for it to end now
                if taken := handover.take("127.0.0.1", port):
                    taken[0].close()
                    taken[1].release()
                offering.join(0.1)
            os.close(alive)
            os.close(reader)


def test_the_next_start_gets_the_socket_and_who_waits_there() -> None:
    with offered() as (port, _), socket.create_connection(("127.0.0.1", port)) as waiting:
        taken = handover.take("localhost", port)
        assert taken is not None
        with taken[0] as listener:
            accepted, _ = listener.accept()
            accepted.sendall(b"served")
            assert waiting.recv(6) == b"served"
            accepted.close()
        taken[1].release()


def test_nothing_is_taken_where_nothing_is_offered() -> None:
    with offered() as (port, _):
        assert handover.take("127.0.0.2", port) is None
        assert handover.take("::1", port) is None
        assert handover.take("127.0.0.1", 0) is None
    assert handover.take("127.0.0.1", port) is None, "once"


def others_are_handed(name: str) -> int:
    """How many descriptors a process of another account gets there."""
    pid = os.fork()
    if not pid:
        os.seteuid(65534)
        with socket.socket(socket.AF_UNIX) as peer:
            peer.connect(name)
            os._exit(len(socket.recv_fds(peer, 1, 2)[1]))
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become another account")
@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
def test_another_account_is_handed_nothing() -> None:
    with offered() as (port, _):
        name = f"\0freehold/0/{int(socket.AF_INET)}/127.0.0.1/{port}"
        assert others_are_handed(name) == 0
        mine = handover.take("127.0.0.1", port)
        assert mine is not None, "it is still there for its own"
        mine[0].close()
        mine[1].release()


def test_what_is_taken_over_keeps_no_worker_of_jobs_from_being_forked(monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[str] = []

    def asked(app: object, listener: socket.socket, before: Undivided) -> None:
        found.append(before.since(besides=[listener.fileno()]))

    def left(self: Workers) -> int:
        assert self._predecessors is not None
        self._predecessors.release()
        return 0

    app = SimpleNamespace(service=SimpleNamespace(title="Jobs", settings=SimpleNamespace(env=Environment.TEST)))
    monkeypatch.setattr(worker.Work, "__call__", lambda *_: app)
    monkeypatch.setattr(Template, "of_this_process", asked)
    monkeypatch.setattr(worker, "paused", lambda **_: nullcontext())
    monkeypatch.setattr(Workers, "run", left)
    with offered() as (port, _), pytest.raises(typer.Exit):
        worker.command("jobs:app", port=port)
    assert found == [""]


def test_predecessors_leave_in_time_though_one_worker_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, alive = os.pipe()
    said, told = multiprocessing.Pipe(duplex=False)
    with bind("127.0.0.1", 0) as listener, said, told:
        program = Workers("any:app", listener, count=2, template=None, predecessors=handover.Predecessors(alive))
        program._workers.append(Child(said, None, os.getpid(), serves=True))
        program._listen()
        assert not select.select([reader], [], [], 0)[0], "the other one may be on its way"
        monkeypatch.setattr(workers, "PATIENCE_SECONDS", 0.0)
        program._listen()
        assert select.select([reader], [], [], 0)[0], "whoever hangs on it leaves"
    os.close(reader)
