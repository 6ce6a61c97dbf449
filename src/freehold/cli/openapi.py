"""`freehold openapi`: the OpenAPI document, as the service would serve it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from freehold.cli.output import write_json
from freehold.cli.target import App, load


def command(
    target: App = None,
    *,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write to this file.")] = None,
) -> None:
    """Print the OpenAPI document as JSON. The same declaration gives the same bytes."""
    document = load(target).openapi()
    if output is None:
        write_json(document)
    else:
        output.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
