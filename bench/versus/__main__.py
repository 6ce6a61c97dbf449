"""`python -m bench.versus`: compare, and keep what was found; `--page` writes the page from what is kept."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.__main__ import RESULTS, circumstances
from bench.versus import environments, growth, rounds, variations
from bench.versus.contenders import CONTENDERS, QUICK
from bench.versus.measuring import Effort
from bench.versus.page import write_page
from bench.versus.workloads import CORE, WORKLOADS

KEPT = RESULTS / "versus.json"


def main() -> int:
    """Compare; 1 where somebody answers wrongly."""
    asked = _arguments()
    if not asked.page:
        found = asyncio.run(_compare(asked))
        if _is_part(asked):
            print(json.dumps(found, indent=2))
            return 0
    write_page(json.loads(KEPT.read_text()) | _grown())
    return 0


def _is_part(asked: Any) -> bool:
    """Whether some of it is measured alone, which is shown and not kept."""
    return bool(asked.quick or asked.only or asked.workloads)


def _arguments() -> Any:
    parser = argparse.ArgumentParser(prog="python -m bench.versus", description=__doc__)
    parser.add_argument(
        "--quick",
        action="store_true",
        help="three contenders, W1 to W4, two short rounds, under two minutes; keeps nothing",
    )
    parser.add_argument("--only", default="", help=f"contenders, by comma: {', '.join(CONTENDERS)}")
    parser.add_argument("--workloads", default="", help=f"by comma: {', '.join(WORKLOADS)}")
    parser.add_argument("--rounds", type=int, default=0, help="default: 3")
    parser.add_argument("--seconds", type=float, default=0, help="of each measurement; default: 3")
    parser.add_argument("--warm-up", type=float, default=0, help="seconds before each one; default: 1")
    parser.add_argument("--no-check", action="store_true", help="do not ask first whether all answer alike")
    parser.add_argument("--page", action="store_true", help="measure nothing, write docs/reference/speed.md anew")
    return parser.parse_args()


async def _compare(asked: Any) -> dict[str, Any]:
    names = asked.only.split(",") if asked.only else QUICK if asked.quick else list(CONTENDERS)
    workloads = asked.workloads.split(",") if asked.workloads else CORE[:4] if asked.quick else list(WORKLOADS)
    number = asked.rounds or (2 if asked.quick else 3)
    effort = Effort(1.5, 0.5) if asked.quick else Effort()
    if asked.seconds:
        effort = Effort(asked.seconds, asked.warm_up or effort.warm_up_seconds)
    contenders = [CONTENDERS[name] for name in names]
    for each in contenders:
        environments.provide(each)
    around = circumstances()
    with tempfile.TemporaryDirectory() as folder:
        async with rounds.ground(Path(folder)) as on:
            if not asked.no_check:
                await rounds.check(on, contenders)
            found: dict[str, Any] = {"workload": "versus", **around}
            found["versions"] = {each.name: environments.versions(each) for each in contenders}
            found["rounds"] = await rounds.play(on, contenders, workloads, rounds=number, effort=effort)
            if not _is_part(asked):
                # Kept at each step: an hour of figures does not go with what fails at its end.
                _keep(found)
                async for name, figures in variations.play_all(on, found["rounds"], rounds=number, effort=effort):
                    found[name] = figures
                    _keep(found)
    return found


def _grown() -> dict[str, Any]:
    return {"growth": json.loads(growth.KEPT.read_text())} if growth.KEPT.exists() else {}


def _keep(found: Mapping[str, Any]) -> None:
    KEPT.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
