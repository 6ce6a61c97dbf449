"""What the runs found, one row of the table for each thing that must not happen."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

LOST = "acknowledged writes lost to kill -9"
CUT_LOST = "acknowledged writes lost when database connections are cut"
DOUBLED = "writes doubled by a retry after kill -9"
HUNG_UP_DOUBLED = "writes doubled by a retry after a lost connection"
CUT_DOUBLED = "writes doubled by a retry after a 5xx"
LETTERS_LOST = "background work lost"
LETTERS_DOUBLED = "background work done twice"
OVERLAPS = "nights of a room that two have"
OVERSOLD = "orders taken for units that were not there"
LEAKED = "rows shown to others by a query that forgot whose they are"
LEAKED_BY_ID = "rows shown to others by their ids"
TORN = "answers that said no (5xx) for what was done"

ORDER = (
    LOST, CUT_LOST, DOUBLED, HUNG_UP_DOUBLED, CUT_DOUBLED, LETTERS_LOST, LETTERS_DOUBLED, OVERLAPS, OVERSOLD, LEAKED,
    LEAKED_BY_ID, TORN,
)  # fmt: skip


@dataclass(frozen=True)
class Count:
    """So many of so many tried."""

    found: int
    of: int

    def __str__(self) -> str:
        return f"{self.found:,} of {self.of:,}"

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


Figures = dict[str, Count]
