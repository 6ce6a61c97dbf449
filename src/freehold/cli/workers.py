"""Serving processes on one socket: forked, replaced when one dies, rolled one by one, ended together."""

from __future__ import annotations

import multiprocessing
import signal
import socket
import sys
import time
from functools import partial
from multiprocessing import connection
from multiprocessing.connection import Connection
from types import FrameType

from freehold.cli.child import Child
from freehold.cli.handover import Predecessors
from freehold.cli.process import FAILED, Load, joined, run_worker
from freehold.cli.target import load
from freehold.cli.template import NoTemplate, Template

# A little over the 30 s that requests in flight have once a worker has stopped listening; then it is killed.
GRACE_SECONDS = 35.0
TICK_SECONDS = 0.1
# A worker that dies within this time after its start is replaced no earlier: it would spin.
SPIN_SECONDS = 1.0
# A new worker that does not serve by then is given up, and the old ones stay; so is a new template.
PATIENCE_SECONDS = 60.0


class Workers:
    """`count` processes that serve `target` on `listener`. Exit status 0 after a signal, 3 where the app does not start.

    template: what they are forked from; without one each imports the application. SIGHUP rolls: a new template imports what
    is there by then, and one after the other a new process starts, and once it serves an old one leaves. The socket is
    theirs together, so that no connection is refused meanwhile. One worker alone is not rolled: what it keeps in memory is no
    other's. drain_seconds: that they go on listening after a SIGTERM.

    outlives: they go on without a supervisor until those of the next start serve. predecessors: workers that do so now, and
    leave once all of these serve, or some have for a minute.
    """

    def __init__(
        self,
        target: str,
        listener: socket.socket,
        *,
        count: int,
        template: Template | None,
        drain_seconds: float = 0.0,
        loads: Load = load,
        outlives: bool = False,
        predecessors: Predecessors | None = None,
    ) -> None:
        self._target = target
        self._listener = listener
        self._count = count
        self._loads = loads
        self._template = template
        self._next_template: Template | None = None
        self._former: list[Template] = []
        self._grace = drain_seconds + GRACE_SECONDS
        self._context = multiprocessing.get_context("spawn")
        # Its other end is here and with templates, so that it ends with this process, or with what they wait for then.
        self._lifeline, self._alive = self._context.Pipe(duplex=False)
        self._outlives = outlives
        self._predecessors = predecessors
        self._workers: list[Child] = []
        self._retired: list[Child] = []
        self._outdated: list[Child] = []
        self._successor: Child | None = None
        self._stopping_since: float | None = None
        self._starts_at = 0.0
        self._patience_ends = 0.0
        self._signals = 0
        self._has_served = False
        self._wants_roll = False

    def run(self) -> int:
        """Serve until a signal; the exit status."""
        handlers = {signal.SIGINT: self._on_stop, signal.SIGTERM: self._on_stop, signal.SIGHUP: self._on_roll}
        before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        try:
            return self._supervise()
        finally:
            for template in self._templates:
                template.close()
            for number, handler in before.items():
                signal.signal(number, handler)

    def _supervise(self) -> int:
        while self._all or not self._signals:
            if self._signals:
                self._pass_signals_on()
            else:
                self._fill()
                self._roll()
                self._look_after_templates()
            self._listen()
            status = self._tend()
            if status is not None:
                self._end_all()
                return status
        return 0

    @property
    def _all(self) -> list[Child]:
        return [*self._workers, *self._retired]

    @property
    def _templates(self) -> list[Template]:
        return [each for each in (self._template, self._next_template, *self._former) if each is not None]

    def _listen(self) -> None:
        """Wait for what they have to say, or for the next tick."""
        speaking: list[Connection | socket.socket] = [each.told for each in self._all if not each.has_ended]
        speaking += [each.channel for each in self._templates if not each.lost]
        connection.wait(speaking, timeout=TICK_SECONDS)
        for template in self._templates:
            template.listen()
        for each in self._all:
            each.listen()
        self._has_served = self._has_served or any(each.serves for each in self._workers)
        if self._predecessors is not None and self._may_do_without_them():
            self._predecessors.release()

    def _may_do_without_them(self) -> bool:
        """Once all serve. Where one does not start, after a while: nobody is to be answered by what was there before for ever."""
        serving = [each for each in self._workers if each.serves]
        longest = max((time.monotonic() - each.started_at for each in serving), default=0.0)
        return len(serving) >= self._count or longest > PATIENCE_SECONDS

    def _fill(self) -> None:
        """As many as there should be."""
        while len(self._workers) < self._count:
            if self._start() is None:
                return

    def _start(self) -> Child | None:
        """None as long as there is nothing to fork from, or it would be too soon."""
        if time.monotonic() < self._starts_at:
            return None
        said, told = self._context.Pipe(duplex=False)
        template = self._template
        try:
            if template is not None:
                if not template.is_loaded():
                    return None
                if template.can_fork:
                    child = Child(said, template)
                    template.fork(told, self._lifeline, self._alive if self._outlives else None, child.begin)
                    return self._began(child)
            return self._began(self._spawned(said, told))
        except NoTemplate as reason:
            self._lose_template(reason)
            return None
        finally:
            told.close()

    def _spawned(self, said: Connection, told: Connection) -> Child:
        given = (self._target, self._listener, told, self._lifeline, self._loads)
        process = self._context.Process(target=run_worker, args=given)
        process.start()
        return Child(said, None, process.pid, partial(joined, process))

    def _began(self, worker: Child) -> Child:
        self._workers.append(worker)
        return worker

    def _lose_template(self, reason: NoTemplate) -> None:
        """What its workers do does not hang on it; the next ones are forked from another."""
        assert self._template is not None
        self._template.close()
        sys.stderr.write(
            f"freehold: there is nothing to fork workers from ({reason}); importing the application again\n"
        )
        self._starts_at = time.monotonic() + SPIN_SECONDS
        self._template = self._another_template()

    def _look_after_templates(self) -> None:
        if self._template is not None and self._template.can_fork and self._template.lost:
            self._lose_template(NoTemplate(self._template.lost))
        # One that another has replaced is kept until its last worker has gone: it is who hears how that ended.
        for former in [each for each in self._former if all(worker.template is not each for worker in self._all)]:
            self._former.remove(former)
            former.close()

    def _another_template(self) -> Template:
        return Template.spawned(self._context, self._target, self._listener, self._loads)

    def _tend(self) -> int | None:
        for worker in [each for each in self._all if each.is_over or (self._signals and each.has_ended)]:
            status = worker.status
            worker.told.close()
            if worker in self._retired:
                self._retired.remove(worker)
                continue
            self._workers.remove(worker)
            if self._signals:
                continue
            if worker is self._successor:
                self._take_template_back()
                self._give_up(f"the new worker ended with {status} before it served")
                continue
            if status == FAILED and not self._has_served:
                return FAILED  # later on others serve, and starting is tried again
            self._miss(worker, status)
        return None

    def _miss(self, dead: Child, status: int | None) -> None:
        if dead in self._outdated:
            self._outdated.remove(dead)
        sys.stderr.write(f"freehold: worker {dead.pid} ended with {status}; starting another\n")
        self._starts_at = dead.started_at + SPIN_SECONDS

    def _roll(self) -> None:
        """A new template; then one old worker after the other leaves, each once its successor serves."""
        if self._wants_roll and self._is_rolled:
            self._begin_roll()
        if self._next_template is not None:
            self._take_template(self._next_template)
        elif self._successor is None and self._outdated:
            self._successor, self._patience_ends = self._start(), time.monotonic() + PATIENCE_SECONDS
        elif self._successor is not None and self._successor.serves:
            if len(self._workers) > self._count:  # where an old one has died, its successor has taken that place
                self._retire(self._outdated.pop(0))
            self._successor = None
            if not self._outdated:
                sys.stderr.write(f"freehold: rolled; {len(self._workers)} new workers serve\n")
        elif self._successor is not None and time.monotonic() > self._patience_ends:
            self._successor.signal(signal.SIGKILL)  # `_tend` finds it dead, and gives up

    @property
    def _is_rolled(self) -> bool:
        """Whether no other roll is under way."""
        return self._next_template is None and self._successor is None and not self._outdated

    def _begin_roll(self) -> None:
        self._wants_roll = False
        if self._count == 1:
            sys.stderr.write(
                "freehold: not rolled: one worker alone is not (FREEHOLD_WORKERS); end it and start it again\n"
            )
            return
        self._next_template, self._patience_ends = self._another_template(), time.monotonic() + PATIENCE_SECONDS

    def _take_template(self, new: Template) -> None:
        try:
            if not new.is_loaded():
                if time.monotonic() > self._patience_ends:
                    self._refuse_template(new, f"it takes more than {PATIENCE_SECONDS:.0f} s")
                return
        except NoTemplate as reason:
            self._refuse_template(new, str(reason))
            return
        if self._template is not None:
            self._former.append(self._template)
        self._template, self._next_template = new, None
        self._outdated = list(self._workers)

    def _take_template_back(self) -> None:
        """Fork from what still serves, not from code that was imported and did not start."""
        former = self._outdated[0].template if self._outdated else None
        if former in self._former and self._template is not None:
            self._former[self._former.index(former)], self._template = self._template, former

    def _refuse_template(self, new: Template, why: str) -> None:
        self._next_template = None
        self._give_up(f"the new code cannot be imported ({why}, status {new.close()})")

    def _retire(self, worker: Child) -> None:
        self._workers.remove(worker)
        self._retired.append(worker)
        worker.signal(signal.SIGHUP)

    def _give_up(self, why: str) -> None:
        self._successor, self._outdated, self._wants_roll = None, [], False
        sys.stderr.write(f"freehold: not rolled: {why}. {len(self._workers)} workers go on\n")

    def _on_stop(self, number: int, frame: FrameType | None) -> None:
        # Only counted here: the loop acts, so that no worker is started behind the back of a stop.
        self._signals += 1

    def _on_roll(self, number: int, frame: FrameType | None) -> None:
        self._wants_roll = True

    def _pass_signals_on(self) -> None:
        if self._stopping_since is None:
            self._stopping_since = time.monotonic()
            self._signal_all(signal.SIGTERM)
        elif self._signals > 1 or time.monotonic() - self._stopping_since > self._grace:
            self._signal_all(signal.SIGKILL)

    def _signal_all(self, number: signal.Signals) -> None:
        for worker in self._all:
            worker.signal(number)  # the retired are leaving already, and ignore what asks them to

    def _end_all(self) -> None:
        """Those that have started by now, where the application does not."""
        self._signals = 1
        while self._all:
            self._pass_signals_on()
            self._listen()
            self._tend()
