"""`python -m deploy.cluster up|down|roll|status`, behind `make cluster`, `cluster-down`, `cluster-roll`, `cluster-status`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from deploy.cluster.layout import Layout, NotPossible
from deploy.cluster.proxy import Proxy
from deploy.cluster.servers import Server, servers
from deploy.cluster.service import TARGET, apis, prepare, workers
from freehold.cli import demo as demo_accounts

CONSOLE = Console(highlight=False)


def everything(layout: Layout) -> list[Server]:
    """In the order in which it is started."""
    return [*servers(layout), *apis(layout), *workers(layout), Proxy(layout).server]


def up(layout: Layout, *, demo: str) -> None:
    """Start what does not run."""
    layout.folder.mkdir(parents=True, exist_ok=True)
    proxy = Proxy(layout)
    proxy.write()
    with _progress() as progress:
        for server in servers(layout):
            _step(progress, server.program.name, server.bring_up)
        _step(progress, "schema and demo", lambda: prepare(layout, demo=demo))
        for server in (*apis(layout), *workers(layout), proxy.server):
            _step(progress, server.program.name, server.bring_up)
    CONSOLE.print(
        f"[bold]Imba[/bold] is served at {layout.address} by {layout.apis} processes; logs in {layout.folder}"
    )
    for line in demo_accounts.accounts(TARGET):
        CONSOLE.print(f"  {line}")


def down(layout: Layout) -> None:
    """End everything, the last first. Rows and logs stay."""
    with _progress() as progress:
        for server in reversed(everything(layout)):
            _step(progress, server.program.name, server.program.stop)


def roll(layout: Layout) -> None:
    """Replace the API processes one after the other, each only once its forerunner is ready."""
    proxy = Proxy(layout)
    with _progress() as progress:
        for number, server in enumerate(apis(layout), start=1):
            _step(progress, server.program.name, lambda: _replace(proxy, number, server))  # noqa: B023  # called at once
        proxy.reload()


def _replace(proxy: Proxy, number: int, server: Server) -> None:
    # nginx has no health checks of its own: it is told before the process ends, and again when its successor is ready.
    proxy.reload(without=number)
    server.program.stop()
    server.bring_up()


def status(layout: Layout, *, as_json: bool) -> int:
    """What runs and what answers; 1 where something does not."""
    rows = [
        {"name": each.program.name, "pid": each.program.pid, "ready": each.program.pid is not None and each.is_ready()}
        for each in everything(layout)
    ]
    if as_json:
        sys.stdout.write(json.dumps(rows, indent=2) + "\n")
    else:
        table = Table("name", "pid", "ready", box=None)
        for row in rows:
            table.add_row(str(row["name"]), str(row["pid"] or "-"), "yes" if row["ready"] else "[red]no[/red]")
        CONSOLE.print(table)
    return int(not all(row["ready"] for row in rows))


def _progress() -> Progress:
    return Progress(
        SpinnerColumn(finished_text="✓"), TextColumn("{task.description}"), TimeElapsedColumn(), console=CONSOLE
    )


def _step(progress: Progress, name: str, work: Callable[[], object]) -> None:
    task = progress.add_task(name, total=1)
    work()
    progress.update(task, completed=1)


def main() -> int:
    """The exit status: 0, or 1 with what to do."""
    parser = argparse.ArgumentParser(prog="python -m deploy.cluster", description=__doc__)
    parser.add_argument("action", choices=("up", "down", "roll", "status"))
    parser.add_argument("--demo", choices=("0", "1", "all"), default="1", help="how much demo data `up` loads, once")
    parser.add_argument("--json", action="store_true", help="`status` for programs")
    asked = parser.parse_args()
    try:
        layout = Layout.from_environment()
        if asked.action == "up":
            up(layout, demo=asked.demo)
        elif not layout.folder.exists():
            CONSOLE.print(f"There is none in {layout.folder}. Start one: make cluster")
            return 1
        elif asked.action == "down":
            down(layout)
        elif asked.action == "roll":
            roll(layout)
        else:
            return status(layout, as_json=asked.json)
    except NotPossible as reason:
        CONSOLE.print(f"cluster: {reason}", markup=False, style="red", soft_wrap=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
