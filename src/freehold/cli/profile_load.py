"""The load of `freehold profile`, in a process of its own: connections that ask again as soon as they are answered."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

_END = b"\r\n\r\n"


@dataclass(slots=True)
class Tally:
    """What came back."""

    requests: int = 0
    statuses: Counter[str] | None = None

    def note(self, status: str) -> None:
        """One answer."""
        self.requests += 1
        self.statuses = self.statuses or Counter()
        self.statuses[status] += 1


async def _ask(plan: dict[str, Any], number: int, ends: float, tally: Tally) -> None:
    reader, writer = await asyncio.open_connection(plan["host"], plan["port"])
    try:
        while time.monotonic() < ends:
            writer.write(plan["requests"][number % len(plan["requests"])].encode())
            number += 1
            head = await reader.readuntil(_END)
            lines = head.split(b"\r\n")
            lengths = [int(line.split(b":")[1]) for line in lines if line.lower().startswith(b"content-length:")]
            await reader.readexactly(lengths[0] if lengths else 0)
            tally.note(lines[0].split()[1].decode())
    finally:
        writer.close()


async def drive(plan: dict[str, Any]) -> Tally:
    """Ask for `seconds`, by `connections` at once. Raises OSError or IncompleteReadError where the server hangs up."""
    tally, ends = Tally(), time.monotonic() + plan["seconds"]
    await asyncio.gather(*(_ask(plan, number, ends, tally) for number in range(plan["connections"])))
    return tally


if __name__ == "__main__":
    found = asyncio.run(drive(json.loads(sys.stdin.read())))
    sys.stdout.write(json.dumps({"requests": found.requests, "statuses": found.statuses or {}}))
