"""What serves, and what it is forked from: killed one by one, and all that is left of them."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import UUID

import httpx2
import pytest

from freehold.cli.child import Child
from freehold.cli.handover import LINGER_SECONDS
from freehold.cli.undivided import Undivided
from freehold.fields import new_id
from freehold.own_id import OwnId

pytestmark = [pytest.mark.timeout(240)]

APP = """
import os
from pathlib import Path
from fastapi import FastAPI

with Path("imports").open("a") as file:
    file.write("imported\\n")
app = FastAPI()

@app.get("/process")
async def process() -> dict[str, int]:
    return {"process": os.getpid(), "parent": os.getppid()}
"""
THREAD = """
import threading, time
threading.Thread(target=time.sleep, args=(3600,), name="theirs", daemon=True).start()
"""
# The first worker fails as one does that finds no descriptors left.
FAILS_ONCE = """
from freehold.web.edge_server import Server
run = Server.run

def run_or_fail(self, **options):
    if not Path("failed").exists():
        Path("failed").touch()
        raise OSError("no descriptors left")
    run(self, **options)

Server.run = run_or_fail
"""
CHILD = """
@app.post("/child")
async def child() -> int:
    return os.posix_spawn("/bin/sleep", ["sleep", "100"], os.environ)
"""
DOES_NOT_START = """
from contextlib import asynccontextmanager

@asynccontextmanager
async def lifespan(app):
    raise RuntimeError("half a release")
    yield

app = FastAPI(lifespan=lifespan)
"""
# Nothing connects to it; the address only says that workers may share a database.
SHARED = {"FREEHOLD_DATABASE_URL": "postgresql://nobody@127.0.0.1/none", "FREEHOLD_SECRET": "workers " * 8}


class Service:
    """A running `freehold serve` of APP in a folder."""

    def __init__(self, folder: Path, port: int, *arguments: str, adopts: bool = False) -> None:
        self.folder, self.port, self._adopts = folder, port, adopts
        self.program = self.again(*arguments)

    def again(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Another start of it."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("FREEHOLD_")}
        environment |= {"FREEHOLD_VAR_DIR": str(self.folder / "var"), "FREEHOLD_ENV": "test", **SHARED}
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "freehold.cli", "serve", "forked:app", "--port", str(self.port), *arguments],
                cwd=self.folder,
                env=environment,
                stdout=log,
                stderr=log,
                preexec_fn=adopt if self._adopts else None,  # noqa: PLW1509  (no other thread runs here)
            )

    def who(self) -> dict[str, int]:
        answer: dict[str, int] = httpx2.get(f"http://127.0.0.1:{self.port}/process", timeout=10).json()
        return answer

    def serves(self) -> bool:
        try:
            return bool(self.who())
        except httpx2.TransportError:
            return False

    @contextmanager
    def asking(self) -> Iterator[list[str]]:
        """Ask again and again, meanwhile; what was refused."""
        ends, refused = threading.Event(), list[str]()

        def ask() -> None:
            while not ends.wait(0.01):
                try:
                    self.who()
                except httpx2.TransportError as error:
                    refused.append(repr(error))

        thread = threading.Thread(target=ask)
        thread.start()
        try:
            yield refused
        finally:
            ends.set()
            thread.join()

    def port_is_free(self) -> bool:
        with socket.socket() as port:
            port.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                port.bind(("127.0.0.1", self.port))
            except OSError:
                return False
            return True

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    @property
    def imports(self) -> int:
        return len((self.folder / "imports").read_text().splitlines())

    def until(self, condition: Callable[[], bool], seconds: float = 120) -> float:
        """Wait for it; the seconds that took."""
        began = time.monotonic()
        while not condition():
            assert time.monotonic() - began < seconds, self.log
            time.sleep(0.02)
        return time.monotonic() - began


Start = Callable[..., Service]


def children(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def is_alive(pid: int) -> bool:
    """Whether it runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def adopt() -> None:
    """Have this process be the parent of those whose own has ended, as the first one of a container is."""
    ctypes.CDLL(None).prctl(36, 1)  # PR_SET_CHILD_SUBREAPER


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    running: list[Service] = []

    def command(*arguments: str, more: str = "", adopts: bool = False, port: int = 0) -> Service:
        (tmp_path / "forked.py").write_text(APP + more)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = port or probe.getsockname()[1]
        service = Service(tmp_path, port, *arguments, adopts=adopts)
        running.append(service)
        service.until(service.serves)
        return service

    yield command
    for service in running:
        service.program.terminate()
        service.program.wait(60)


@pytest.mark.long
def test_F01_a_killed_worker_is_replaced_without_an_import(start: Start) -> None:
    service = start()
    victim = service.who()["process"]
    assert victim != service.program.pid
    time.sleep(1)  # what dies in its first second is not replaced at once
    os.kill(victim, signal.SIGKILL)
    took = service.until(lambda: service.serves() and service.who()["process"] != victim)
    assert service.imports == 1
    assert took < 5, "an import alone takes as long on a busy machine"
    assert f"worker {victim} ended with -9" in service.log


@pytest.mark.long
def test_F01_workers_outlive_what_they_were_forked_from(start: Start) -> None:
    service = start("--workers", "2")
    before = service.who()
    os.kill(before["parent"], signal.SIGKILL)
    service.until(lambda: service.imports == 2)
    assert service.serves()
    pids = {service.who()["process"] for _ in range(20)}
    assert before["process"] in pids, "nobody had to leave"
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    service.until(lambda: service.serves() and service.who()["process"] not in pids)
    assert service.who()["parent"] != before["parent"]
    assert service.imports == 2


@pytest.mark.long
def test_F01_a_worker_that_fails_is_heard_of(start: Start) -> None:
    service = start(more=FAILS_ONCE)
    assert "OSError: no descriptors left" in service.log
    assert "ended with 1; starting another" in service.log


@pytest.mark.long
def test_F01_a_worker_is_missed_though_a_program_that_it_has_started_lives(start: Start) -> None:
    service = start(more=CHILD)
    victim = service.who()["process"]
    child = httpx2.post(f"http://127.0.0.1:{service.port}/child", timeout=10).json()
    try:
        os.kill(victim, signal.SIGKILL)
        service.until(lambda: f"worker {victim} ended with -9" in service.log)
    finally:
        os.kill(child, signal.SIGKILL)


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere only the first process adopts")
def test_F01_workers_whose_template_was_killed_leave_no_zombies_in_a_container(start: Start) -> None:
    service = start("--workers", "2", adopts=True)
    before = service.who()
    os.kill(before["parent"], signal.SIGKILL)
    service.until(lambda: service.imports == 2)
    os.kill(before["process"], signal.SIGKILL)
    service.until(lambda: f"worker {before['process']} ended with -9" in service.log)
    with pytest.raises(ProcessLookupError):
        os.kill(before["process"], 0)


@pytest.mark.long
def test_F01_a_template_that_answers_too_late_is_not_asked_again(start: Start) -> None:
    service = start()
    before = service.who()
    os.kill(before["parent"], signal.SIGSTOP)
    os.kill(before["process"], signal.SIGKILL)
    service.until(lambda: f"worker {before['process']} ended with" in service.log)
    with suppress(ProcessLookupError):  # nobody waits for it any more
        os.kill(before["parent"], signal.SIGCONT)  # it says now how the worker has ended
    service.until(lambda: service.serves() and service.imports == 2)
    service.program.terminate()
    assert service.program.wait(20) == 0, "the new worker was known by its own number"


@pytest.mark.long
def test_F01_a_worker_that_remembers_for_itself_leaves_with_its_supervisor(start: Start) -> None:
    service = start("--workers", "1")
    service.program.kill()
    service.program.wait()
    service.until(lambda: not service.serves(), seconds=20)
    assert service.port_is_free()


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere they leave at once")
def test_F01_without_a_supervisor_workers_serve_until_those_of_the_next_do(start: Start) -> None:
    first = start("--workers", "2")
    pids = {first.who()["process"] for _ in range(20)}
    first.program.kill()
    first.program.wait()
    with first.asking() as refused:
        second = start("--workers", "2", port=first.port)
        second.until(lambda: not any(map(is_alive, pids)))
        assert second.who()["process"] not in pids
    assert refused == [], "somebody served all the time"
    (second.folder / "log").write_text("")
    os.kill(second.who()["process"], signal.SIGKILL)
    second.until(lambda: "starting another" in second.log)
    second.program.terminate()
    assert second.program.wait(60) == 0
    assert second.port_is_free(), "nobody is left"


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere they leave at once")
def test_F01_without_a_next_start_workers_leave_after_a_while(start: Start) -> None:
    service = start("--workers", "2")
    service.program.kill()
    service.program.wait()
    assert service.serves()
    assert service.until(lambda: not service.serves(), seconds=2 * LINGER_SECONDS + 20) > LINGER_SECONDS / 2
    assert service.port_is_free()


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere they leave at once")
@pytest.mark.parametrize("is_gone", [True, False])
def test_F01_nothing_is_kept_for_a_next_start_where_all_are_told_to_end(start: Start, is_gone: bool) -> None:
    service = start("--workers", "2")
    left = [int(pid) for pid in children(service.who()["parent"])] + [service.who()["parent"]]
    if is_gone:
        service.program.kill()
        service.program.wait()
        service.until(lambda: f"/127.0.0.1/{service.port}" in Path("/proc/net/unix").read_text())
    for pid in left:
        os.kill(pid, signal.SIGTERM)
    service.program.kill()
    service.program.wait()
    assert service.until(service.port_is_free, seconds=2 * LINGER_SECONDS) < LINGER_SECONDS / 2


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere they leave at once")
def test_F01_workers_leave_with_a_next_start_that_fails(start: Start) -> None:
    service = start("--workers", "2")
    (service.folder / "forked.py").write_text("raise RuntimeError('half a release')")
    service.program.kill()
    service.program.wait()
    assert service.again("--workers", "2").wait(60) == 2
    service.until(lambda: not service.serves(), seconds=20)
    assert service.port_is_free()


@pytest.mark.long
def test_F01_a_port_that_is_served_is_not_taken_over(start: Start) -> None:
    service = start("--workers", "2")
    assert service.again("--workers", "2").wait(60) == 2
    assert "cannot be served" in service.log
    assert service.serves()


@pytest.mark.long
def test_F01_a_supervisor_does_what_is_due_while_its_template_is_stopped(start: Start) -> None:
    service = start("--workers", "2")
    before = service.who()
    os.kill(before["parent"], signal.SIGSTOP)
    os.kill(before["process"], signal.SIGKILL)
    service.until(lambda: not is_alive(before["process"]))
    began = time.monotonic()
    service.program.terminate()
    assert service.program.wait(60) == 0
    assert time.monotonic() - began < 8, "it waited for what is stopped"


@pytest.mark.long
def test_F08_a_roll_to_code_that_does_not_load_changes_nothing(start: Start) -> None:
    service = start("--workers", "2")
    pids = {service.who()["process"] for _ in range(20)}
    (service.folder / "forked.py").write_text("raise RuntimeError('half a release')")
    service.program.send_signal(signal.SIGHUP)
    service.until(lambda: "not rolled" in service.log)
    assert "RuntimeError: half a release" in service.log
    assert {service.who()["process"] for _ in range(20)} <= pids
    os.kill(service.who()["process"], signal.SIGKILL)
    service.until(lambda: "starting another" in service.log)
    assert service.serves(), "forked from the code that was imported before"


@pytest.mark.long
def test_F08_a_roll_to_code_that_does_not_start_changes_nothing(start: Start) -> None:
    service = start("--workers", "2")
    (service.folder / "forked.py").write_text(APP + DOES_NOT_START)
    service.program.send_signal(signal.SIGHUP)
    service.until(lambda: "not rolled" in service.log)
    before = service.who()["process"]
    for _ in range(2):  # whoever serves
        victim = service.who()["process"]
        os.kill(victim, signal.SIGKILL)
        service.until(lambda gone=victim: f"worker {gone} ended with -9" in service.log)  # type: ignore[misc]
    service.until(lambda: service.serves() and service.who()["process"] != before)
    assert service.imports == 2, "once at the start, once for the roll"


@pytest.mark.long
@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="there is no other way to count them")
def test_F08_a_roll_leaves_nothing_open(start: Start) -> None:
    service = start("--workers", "2")
    opened = []
    for number in range(3):
        service.program.send_signal(signal.SIGHUP)
        service.until(lambda rolls=number + 1: service.log.count("2 new workers serve") == rolls)  # type: ignore[misc]
        service.until(lambda: len(children(service.program.pid)) == 2)  # a template, and multiprocessing's own
        opened.append(len([*Path(f"/proc/{service.program.pid}/fd").iterdir()]))
    assert len({*opened}) == 1, opened


@pytest.mark.long
def test_F08_one_worker_alone_is_not_rolled(start: Start) -> None:
    service = start()
    before = service.who()
    service.program.send_signal(signal.SIGHUP)
    service.until(lambda: "one worker alone" in service.log)
    assert service.who() == before


@pytest.mark.long
def test_F08_an_app_that_begins_a_thread_is_imported_by_each_worker(start: Start) -> None:
    service = start("--workers", "2", more=THREAD)
    assert "a thread runs (theirs)" in service.log
    service.until(lambda: service.imports == 3)  # and by what supervises them
    service.program.send_signal(signal.SIGHUP)
    service.until(lambda: "2 new workers serve" in service.log)
    assert service.serves()


class TestUndivided:
    def test_nothing_was_begun(self) -> None:
        assert Undivided().since() == ""

    def test_what_was_there_before_is_not_counted(self, tmp_path: Path) -> None:
        with (tmp_path / "before").open("w"), socket.socket():
            assert Undivided().since() == ""

    def test_a_thread(self) -> None:
        before, ends = Undivided(), threading.Event()
        thread = threading.Thread(target=ends.wait, name="theirs")
        thread.start()
        try:
            assert "theirs" in before.since()
        finally:
            ends.set()
            thread.join()

    def test_a_connection(self) -> None:
        before = Undivided()
        with socket.socket() as listener:
            assert "a connection" in before.since()
            assert before.since(besides=[listener.fileno()]) == ""

    def test_a_file_that_is_written_to(self, tmp_path: Path) -> None:
        before = Undivided()
        with (tmp_path / "rows.db").open("w"):
            assert "a file" in before.since()

    def test_a_log_and_what_is_only_read_may_be_shared(self, tmp_path: Path) -> None:
        before = Undivided()
        with (tmp_path / "log").open("a"), (tmp_path / "log").open():
            assert before.since() == ""


# From 3.12 on Python warns where threads run: here the runner's, which the forks do not need.
TOLD_OF_FORKS = pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")


def in_forks(say: Callable[[], str]) -> list[str]:
    """What it says in two forks of this process, one after the other."""
    said = []
    for _ in range(2):
        reader, writer = os.pipe()
        pid = os.fork()
        if not pid:
            os.write(writer, say().encode())
            os._exit(0)
        os.close(writer)
        with os.fdopen(reader) as answer:
            said.append(answer.read())
        os.waitpid(pid, 0)
    return said


@TOLD_OF_FORKS
def test_forks_are_told_apart() -> None:
    own = OwnId()
    mine = own()
    assert own() == mine
    said = in_forks(lambda: str(own()))
    assert len({*map(UUID, said), mine}) == 3


@TOLD_OF_FORKS
def test_forks_draw_other_numbers() -> None:
    random.seed(7)
    for draw in (lambda: str(random.random()), lambda: new_id().hex[12:]):
        assert len(set(in_forks(draw))) == 2


def test_F01_a_worker_that_serves_is_not_given_up_for_a_template_that_has_not_told_of_it() -> None:
    said, told = multiprocessing.Pipe(duplex=False)
    with said, told:
        worker = Child(said, None)
        told.send_bytes(b"%d" % os.getpid())
        worker.listen()
        worker.begin(None)
        assert (worker.pid, worker.serves, worker.has_ended) == (os.getpid(), True, False)
