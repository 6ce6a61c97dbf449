"""The table of jobs on a terminal, drawn anew until it is interrupted."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from rich.live import Live
from rich.table import Table

from freehold.errors import Unavailable

Rows = Sequence[dict[str, Any]]
_NUMBERS = ("due", "later", "behind", "running", "dead")


async def show(title: str, look: Callable[[], Awaitable[Rows]], *, every: float) -> None:
    """Draw until Ctrl-C. A database that is away is said, and waited for."""
    with Live(auto_refresh=False) as live, suppress(asyncio.CancelledError):
        while True:
            try:
                live.update(_table(title, await look()), refresh=True)
            except Unavailable:
                live.update("The database cannot be reached; trying again.", refresh=True)
            await asyncio.sleep(every)


def _table(title: str, rows: Rows) -> Table:
    at = f"{datetime.now(UTC):%H:%M:%S}Z"
    table = Table(title=f"{title}  {at}", caption="Ctrl-C ends" if rows else "nothing waits, runs or is dead", box=None)
    for heading in ("job", "queue", *_NUMBERS, "waiting"):
        table.add_column(heading, justify="right" if heading in _NUMBERS else "left")
    for row in rows:
        cells = [f"{row[name]:,}" if row[name] else "·" for name in _NUMBERS]
        style = "red" if row["dead"] else None
        table.add_row(row["name"], row["queue"] or "", *cells, row["waiting"], style=style)
    return table
