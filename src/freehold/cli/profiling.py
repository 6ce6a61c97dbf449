"""A service under load and under the sampler, in this process: what `freehold profile` reports."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from freehold.errors import ConfigurationError
from freehold.observe.sampling import Samples, sampled
from freehold.observe.steps import shares

if TYPE_CHECKING:
    from freehold.web.app import Freehold

WARM_UP_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Load:
    """What is asked: requests as they go over the wire, in turn."""

    requests: Sequence[str]
    seconds: float
    connections: int


@dataclass(slots=True)
class Profile:
    """What was found. cpu_seconds: of this process, while `requests` were answered."""

    samples: Samples = field(default_factory=Samples)
    requests: int = 0
    statuses: dict[str, int] = field(default_factory=dict)
    cpu_seconds: float = 0.0
    statements: int = 0
    fault: str = ""

    @property
    def microseconds(self) -> float:
        """CPU time of one request."""
        return self.cpu_seconds / (self.requests or 1) * 1e6

    def steps(self) -> list[dict[str, Any]]:
        """CPU microseconds of each step of one request."""
        return [
            {"step": step, "share": f"{share:.1%}", "microseconds": round(share * self.microseconds, 1)}
            for step, share in shares(self.samples).items()
        ]


def run(app: Freehold, listener: socket.socket, load: Load) -> Profile:
    """Serve until the load is over. Raises ConfigurationError where it cannot be carried out."""
    from freehold.web.edge_server import server

    profile = Profile()

    def drive() -> None:
        try:
            _ask(listener, load, seconds=WARM_UP_SECONDS)
            _measured(app, listener, load, profile)
        except (OSError, ValueError, subprocess.CalledProcessError) as error:
            profile.fault = str(error)
        finally:
            serving.should_exit = True

    thread = threading.Thread(target=drive, name="freehold-profile", daemon=True)
    serving = server(app, host="", port=0, on_started=thread.start)
    with sampled(profile.samples):
        serving.run(sockets=[listener])
    if not serving.started or profile.fault:
        raise ConfigurationError(f"the load could not be carried out: {profile.fault or 'the service did not start'}")
    return profile


def _measured(app: Freehold, listener: socket.socket, load: Load, profile: Profile) -> None:
    before = time.process_time()
    profile.samples.is_taking = True
    with _counted(app) as statements:
        found = _ask(listener, load, seconds=load.seconds)
    profile.samples.is_taking = False
    profile.cpu_seconds = time.process_time() - before
    profile.requests, profile.statuses = found["requests"], found["statuses"]
    profile.statements = statements.number


class _counted:  # noqa: N801  # a context manager, as a function would be
    """How many statements run meanwhile, by SQLAlchemy and past it."""

    def __init__(self, app: Freehold) -> None:
        engines = (app.database.engine, app.database._readers)  # noqa: SLF001  # reads may have an engine of their own
        self._engines = list({id(each.sync_engine): each.sync_engine for each in engines}.values())
        self._listeners = app.database.listeners
        self.number = 0

    def __enter__(self) -> Self:
        from sqlalchemy import event

        for each in self._engines:
            event.listen(each, "before_cursor_execute", self._note)
        self._listeners.append(self._note)
        return self

    def __exit__(self, *_: object) -> None:
        from sqlalchemy import event

        for each in self._engines:
            event.remove(each, "before_cursor_execute", self._note)
        self._listeners.remove(self._note)

    def _note(self, *_: Any) -> None:
        self.number += 1


def _ask(listener: socket.socket, load: Load, *, seconds: float) -> Mapping[str, Any]:
    host, port = listener.getsockname()[:2]
    plan = {"host": host, "port": port, "requests": load.requests, "connections": load.connections, "seconds": seconds}
    command = [sys.executable, "-m", "freehold.cli.profile_load"]
    done = subprocess.run(command, input=json.dumps(plan), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ValueError(done.stderr.strip().rpartition("\n")[2])
    found: Mapping[str, Any] = json.loads(done.stdout)
    return found
