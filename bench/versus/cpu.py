"""CPU time that processes have used, as Linux counts it, and on which core they may run."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
PROC = Path("/proc")


def seconds(pids: Iterable[int]) -> float:
    """User and system time of these processes and of the children that they have waited for. Gone ones count nothing."""
    return sum(_ticks(pid) for pid in pids) / TICKS


def spent(pids: Iterable[int]) -> dict[int, float]:
    """The same of each process."""
    return {pid: seconds([pid]) for pid in pids}


def since(before: Mapping[int, float]) -> float:
    """CPU seconds that these processes have used since; one that has gone meanwhile counts nothing."""
    return sum(max(0.0, seconds([pid]) - used) for pid, used in before.items())


def _ticks(pid: int) -> int:
    try:
        fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return sum(int(fields[place]) for place in (11, 12, 13, 14))


def tree(pid: int) -> list[int]:
    """A process and all that descend from it."""
    parents, found, left = _by_parent(), [], [pid]
    while left:
        found.append(left.pop())
        left += parents.get(found[-1], [])
    return found


def children(pid: int) -> list[int]:
    """Those whose parent a process is."""
    return _by_parent().get(pid, [])


def _by_parent() -> dict[int, list[int]]:
    parents: dict[int, list[int]] = {}
    for each in PROC.glob("[0-9]*/stat"):
        try:
            parent = int(each.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        parents.setdefault(parent, []).append(int(each.parent.name))
    return parents


def pin(pids: Iterable[int], cores: set[int]) -> None:
    """Keep processes, with all their threads, on these cores. Raises PermissionError for those of other people."""
    for pid in pids:
        for task in (PROC / str(pid) / "task").glob("[0-9]*"):
            try:
                os.sched_setaffinity(int(task.name), cores)
            except ProcessLookupError:
                continue


def memory_mb(pids: Iterable[int]) -> float:
    """What processes hold in memory, shared parts in proportion where the kernel tells."""
    found = 0
    for pid in pids:
        try:
            lines = (PROC / str(pid) / "smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        found += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return round(found / 1024, 1)
