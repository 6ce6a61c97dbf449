"""docs/reference/faults.md and the data beside it, from what the rounds found."""

from __future__ import annotations

import json
import os
import platform
import statistics
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.faults.campaign.events import Heard

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "faults.md"
DATA = PAGE.with_suffix(".json")
HEAD = """# Faults, and what came of them

Written by `make faults` from what it measured; the data is [beside it](faults.json). Clients write all the while: they reserve
nights of houses of their own and nights that others want too, cancel, list houses, upload documents, with a pause of 50 to 200 ms after each. Each write has an
Idempotency-Key and is repeated until it was answered. The landlord has a server of their own, which is told of stays by webhooks,
checks each signature, and cannot take every twentieth at once. Every so often a fault strikes. Then the rows, and what that server
heard, are held against what the clients were told:

- *lost*: acknowledged and not there (a reservation, a cancellation, a listing, a file with its content);
- *doubled*: there twice under one key; *overlaps*: two reservations of one night;
- *jobs*: neither done nor waiting for their time, or given up; mails owed and not delivered; *parked*: jobs whose process was killed five
  times, the last three while it ran nothing else, are so taken for poison, and were done after `freehold jobs retry`;
- *events*: what the landlord's server took; those it took more than once, under one id; *amiss*: acknowledged and never sent, sent of what
  is not there, under two ids, numbered against the order in which it happened, or not signed as Standard Webhooks says;
- *longest in flight*: how long a key was refused as in progress, that of a dead process as well;
- *restart*: where a serving process was killed, from there until another one, forked in its place, is ready; where a program was killed with
  all its processes, from its start by whoever looks after it to its readiness, and with its supervisor alone until its address is ready; *recovery*: from the end of the fault to the next acknowledged write;
- *load*: the load average of the machine meanwhile, which all of these times hang on.

| fault | profile | rounds | acknowledged | lost | doubled | overlaps | jobs or mails missing, parked | events, again | events amiss | unexpected answers | longest in flight | restart p50, most | recovery p50, most | cores, load |
|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|
"""


def keep(outcome: dict[str, Any]) -> None:
    """Write both files, with this outcome in the place of an earlier one of the same fault and profile."""
    before = json.loads(DATA.read_text())["outcomes"] if DATA.exists() else []
    outcome |= {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "load": [round(part, 1) for part in os.getloadavg()],
        "python": platform.python_version(),
    }
    others = [each for each in before if (each["profile"], each["fault"]) != (outcome["profile"], outcome["fault"])]
    kept = sorted([*others, outcome], key=lambda each: (each["profile"] != "embedded", -each["rounds"], each["fault"]))
    DATA.write_text(json.dumps({"outcomes": kept}, indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(HEAD + "".join(map(_row, kept)), encoding="utf-8")


def _row(outcome: dict[str, Any]) -> str:
    found = outcome["verdict"]
    events = Heard(**found["events"]) if "events" in found else None  # measured before they were part of it
    missing = found["jobs_left"] + found["jobs_dead"] + found["mails_missing"]
    cells = [
        outcome["fault"], outcome["profile"], outcome["rounds"], f"{outcome['acknowledged']:,}", len(found["lost"]),
        len(found["doubled"]), found["overlaps"], f"{missing}, {found.get('jobs_parked', 0)}",
        f"{events.taken:,}, {events.again}" if events else "", events.amiss if events else "",
        len(outcome["surprises"]), f"{outcome['longest_in_flight']:.1f} s", _seconds(outcome["starts"]), _seconds(outcome["recoveries"]),
        f"{outcome['cores']}, {outcome['load'][1]}",
    ]  # fmt: skip
    return "| " + " | ".join(map(str, cells)) + " |\n"


def _seconds(measured: list[float]) -> str:
    return f"{statistics.median(measured):.1f} s, {max(measured):.1f} s" if measured else ""
