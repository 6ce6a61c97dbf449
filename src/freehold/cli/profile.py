"""`freehold profile`: serve APP under load, and show where the CPU time of a request goes."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from freehold.cli.output import AsJson, write_json, write_rows
from freehold.cli.target import App, name_of
from freehold.errors import ConfigurationError

if TYPE_CHECKING:
    from freehold.web.app import Freehold


def command(
    target: App = None,
    *,
    path: Annotated[
        list[str] | None, typer.Option(help="Asked for in turn. Default: every list that anyone may read.")
    ] = None,
    method: Annotated[str, typer.Option(help="Of every request.")] = "GET",
    body: Annotated[str, typer.Option(help="JSON that goes along with each.")] = "",
    header: Annotated[list[str] | None, typer.Option(help="'Authorization: Bearer …', for example.")] = None,
    seconds: Annotated[float, typer.Option(min=0.1, help="How long is looked.")] = 5.0,
    connections: Annotated[int, typer.Option(min=1, max=1000, help="Requests at once.")] = 16,
    flame: Annotated[Path | None, typer.Option(help="Write a flame graph to this SVG file.")] = None,
    demo_data: Annotated[str, typer.Option("--demo", help="Load demo data once: 0, 1 or all.")] = "0",
    json: AsJson = False,
) -> None:
    """Serve APP in this process, load it from another, and show the CPU time of a request by step."""
    from freehold.cli import listener, profiling
    from freehold.cli.running import freehold_app
    from freehold.cli.serve import Demo, announce_address, prepare

    # Quotas are counted and not used up, and a line for each request would be most of what is printed.
    os.environ.setdefault("FREEHOLD_LIMITS", "x1000")
    os.environ.setdefault("FREEHOLD_LOG_LEVEL", "warning")
    with listener.bind("127.0.0.1", 0) as socket:
        announce_address(listener.address(socket))
        app = freehold_app(target)
        asyncio.run(prepare(app, name_of(target), migrate=True, demo_data=Demo(demo_data)))
        lines = [_request(method, each, header or [], body) for each in path or open_lists(app)]
        if not lines:
            raise ConfigurationError(
                "nobody may read a list without a log-in: name what to ask for, --path /v1/… --header …"
            )
        found = profiling.run(app, socket, profiling.Load(lines, seconds, connections))
    if json:
        write_json({**_summary(found), "steps": found.steps()})
    else:
        write_rows(found.steps(), as_json=False)
        typer.echo("\n" + "\n".join(f"{name.replace('_', ' ')}: {value}" for name, value in _summary(found).items()))
    if flame is not None:
        from freehold.observe.flame import flame_graph

        flame.write_text(flame_graph(found.samples, title=f"{app.title}: CPU time by stack"), encoding="utf-8")


def open_lists(app: Freehold) -> list[str]:
    """The paths of lists that anyone may read."""
    from freehold.resource.access import nobody
    from freehold.resource.principal import ANONYMOUS

    lists = (each for each in app.mounted.operations if each.kind == "list" and "{" not in each.path)
    return [each.path for each in lists if each.rule.simplify(ANONYMOUS) != nobody]


def _request(method: str, path: str, headers: list[str], body: str) -> str:
    if not path.startswith("/"):
        raise ConfigurationError(f"--path begins with a slash: /{path}")
    data = body.encode()
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *headers]
    if data:
        lines += ["Content-Type: application/json", f"Content-Length: {len(data)}"]
    return "\r\n".join(lines) + "\r\n\r\n" + body


def _summary(found: object) -> dict[str, object]:
    from freehold.cli.profiling import Profile

    assert isinstance(found, Profile)
    return {
        "requests": found.requests,
        "answers": ", ".join(f"{number} times {status}" for status, number in sorted(found.statuses.items())),
        "cpu_microseconds_of_one": round(found.microseconds, 1),
        "statements_of_one": round(found.statements / (found.requests or 1), 2),
        "samples": found.samples.number,
    }
