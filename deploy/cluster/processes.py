"""Processes that outlive the command that starts them: begun, found again by their pid files, and ended."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from deploy.cluster.layout import NotPossible

PATIENCE_SECONDS = 40.0
TICK_SECONDS = 0.05


@dataclass(frozen=True, eq=False)
class Program:
    """One process of the cluster. user: the account that it runs as, where that is not ours.

    ends_by: the signal that ends it in order.
    """

    name: str
    command: Sequence[str | Path]
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    user: str | None = None
    ends_by: signal.Signals = signal.SIGTERM

    @property
    def log(self) -> Path:
        return self.folder / f"{self.name}.log"

    @property
    def _pid_file(self) -> Path:
        return self.folder / f"{self.name}.pid"

    @property
    def pid(self) -> int | None:
        """Of the process that this command, or an earlier one, started; None where it is gone.

        The number alone would not do: after a restart of the machine it may be another program's.
        """
        try:
            number, _, began = self._pid_file.read_text().partition(" ")
        except FileNotFoundError:
            return None
        return int(number) if began and _began(int(number)) == began else None

    def start(self) -> None:
        """Unless it runs."""
        if self.pid is not None:
            return
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [*self.command],
                cwd="/" if self.user else None,
                env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                user=self.user,
                group=self.user,
                start_new_session=True,
            )
        process.returncode = 0  # it outlives this command, which is not to be warned of
        self._pid_file.write_text(f"{process.pid} {_began(process.pid)}")

    def stop(self) -> bool:
        """End it, and wait for that; after 40 s by force. False where it had ended already."""
        pid = self.pid
        if pid is None:
            self._pid_file.unlink(missing_ok=True)
            return False
        os.kill(pid, self.ends_by)
        until = time.monotonic() + PATIENCE_SECONDS
        while _began(pid):
            if time.monotonic() > until:
                os.killpg(pid, signal.SIGKILL)  # a leader of its own session: with whatever it started
            time.sleep(TICK_SECONDS)
        self._pid_file.unlink(missing_ok=True)
        return True

    def signal(self, number: signal.Signals) -> None:
        """Tell it something. Raises NotPossible where it does not run."""
        pid = self.pid
        if pid is None:
            raise NotPossible(f"{self.name} does not run: make cluster")
        os.kill(pid, number)

    def require(self) -> None:
        """Raises NotPossible, with the end of its log, where it has ended."""
        if self.pid is None:
            said = self.log.read_text(errors="replace")[-1500:] if self.log.exists() else ""
            raise NotPossible(f"{self.name} does not stay up. Its log, {self.log}, ends with:\n{said}")


def _began(pid: int) -> str:
    """When it began, in ticks since the machine did; empty where it has ended, also as a zombie of ours."""
    try:
        with Path(f"/proc/{pid}/stat").open() as file:
            state, *rest = file.read().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    if state == "Z":
        _reap(pid)
        return ""
    return rest[18]


def _reap(pid: int) -> None:
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return
