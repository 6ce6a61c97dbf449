"""Who is handed a port over: the next start under the same account, and nobody else."""

from __future__ import annotations

import os
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.waiting import until_in_a_thread

from freehold.cli import handover
from freehold.cli.listener import bind

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
