"""One measurement: a workload against a server, with the clocks of both read around it."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import asyncpg
from bench.versus import cpu
from bench.versus.contenders import ROOT
from bench.versus.serving import OTHER_CORES, Served
from bench.versus.workloads import Plan, Workload

_BACKENDS = "SELECT pid FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
_TIDY = "DELETE FROM properties WHERE city = 'Benchville'"

FEWEST = 4
FAVOUR = -10  # a priority, as `nice` has it
_WITHOUT_ROOM = {"503", "cut"}  # a server that is late says so and ends the connection
FEWEST_ANSWERS = 500  # of a measurement, where the machine has other things to do


class WrongAnswers(AssertionError):
    """Some requests were answered otherwise than they ought to be: no figure comes of that."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How long is measured, in seconds, by how many connections, and at which rate where it is paced.

    favoured: the load comes before the servers where they share cores, or more of them would mean less of it.
    """

    seconds: float = 3.0
    warm_up_seconds: float = 1.0
    connections: int = 64
    rate: float | None = None
    favoured: bool = False


class Watch:
    """The processes of the database that serve one contender. database: None where there is no server."""

    def __init__(self, connection: asyncpg.Connection | None) -> None:
        self._connection = connection

    async def backends(self) -> list[int]:
        """Those of PostgreSQL, kept on the core of the load."""
        if self._connection is None:
            return []
        name = await self._connection.fetchval("SELECT current_database()")
        found = [row["pid"] for row in await self._connection.fetch(_BACKENDS, name)]
        with suppress(PermissionError):  # another account's: the kernel places them as it likes
            cpu.pin(found, OTHER_CORES)
        return found

    async def tidy(self) -> None:
        """Take away what was inserted."""
        if self._connection is not None:
            await self._connection.execute(_TIDY, timeout=120)


async def measure(server: Served, workload: Workload, plan: Plan, watch: Watch, effort: Effort) -> dict[str, Any]:
    """The figures of one run. Where a server refuses for want of room, by fewer connections. Raises WrongAnswers."""
    while True:
        found = await _measured(server, workload, plan, watch, effort)
        wrong = found.pop("wrong")
        if not wrong and found["requests"]:
            return found
        if not set(wrong) <= _WITHOUT_ROOM or effort.connections <= FEWEST:
            raise WrongAnswers(f"{server.contender.name}, {workload.name}: {wrong or 'no answer'}")
        effort = replace(effort, connections=effort.connections // 4)


async def _measured(server: Served, workload: Workload, plan: Plan, watch: Watch, effort: Effort) -> dict[str, Any]:
    given = {
        "port": server.port,
        "requests": plan.requests,
        "first": plan.first,
        "follows_tags": bool(plan.first),
        "expected": workload.expected,
        "seconds": effort.seconds,
        "warm_up_seconds": effort.warm_up_seconds,
        "least": FEWEST_ANSWERS,
        "connections": effort.connections,
        "rate": effort.rate,
    }
    command = (sys.executable, "-m", "bench.versus.load")
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdin=pipe, stdout=pipe, limit=2**24)
    assert process.stdin is not None
    assert process.stdout is not None
    cpu.pin([process.pid], OTHER_CORES)
    if effort.favoured:
        with suppress(PermissionError):  # of root alone
            os.setpriority(os.PRIO_PROCESS, process.pid, FAVOUR)
    process.stdin.write(json.dumps(given).encode())
    process.stdin.write_eof()
    await process.stdout.readline()
    parts = server.processes()
    backends = await watch.backends()
    before = cpu.spent(parts), cpu.spent(backends)
    told = await process.stdout.readline()
    used = [cpu.since(each) for each in before]
    await process.wait()
    found: dict[str, Any] = json.loads(told)
    number = found["requests"] or 1
    found["server_us"] = round(used[0] / number * 1e6, 1)
    found["postgresql_us"] = round(used[1] / number * 1e6, 1)
    found["connections"] = effort.connections
    found["seconds"] = round(found["seconds"], 2)
    return found
