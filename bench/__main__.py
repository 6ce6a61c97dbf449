"""Run workloads and keep what they measured: `python -m bench [name …]`, all of them without a name.

A workload is a module beside this one with `async def run() -> dict`. Its figures are written to
`bench/results/<name>.json`, with where and under which load they were measured. Ends with 1 where a target was missed.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import sys
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
RESULTS = FOLDER / "results"


def names() -> list[str]:
    """Every workload."""
    return sorted(path.stem for path in FOLDER.glob("*.py") if not path.stem.startswith("_"))


def circumstances() -> dict[str, Any]:
    """Where, when, and under which load."""
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "load_before": [round(each, 2) for each in os.getloadavg()],
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()}",
    }


def main() -> int:
    """Run and keep them; the exit status."""
    RESULTS.mkdir(exist_ok=True)
    is_missed = False
    for name in sys.argv[1:] or names():
        around = circumstances()
        figures = asyncio.run(import_module(f"bench.{name}").run())
        found = {"workload": name, **around, "load_after": [round(each, 2) for each in os.getloadavg()], **figures}
        (RESULTS / f"{name}.json").write_text(json.dumps(found, indent=2) + "\n")
        print(json.dumps(found, indent=2))
        is_missed |= not all(target["met"] for target in figures["targets"].values())
    return int(is_missed)


if __name__ == "__main__":
    sys.exit(main())
