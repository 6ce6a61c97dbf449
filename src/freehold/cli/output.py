"""Data for people or for programs: a table, or JSON with the same content."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

_WIDEST = 100_000
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def write_json(data: Any) -> None:
    """To standard output, with a line end, non-ASCII as it is."""
    sys.stdout.write(json.dumps(data, indent=2, ensure_ascii=False) + "\n")


def write_rows(rows: Sequence[Mapping[str, Any]], *, as_json: bool, columns: Sequence[str] | None = None) -> None:
    """Rows with the same keys. columns: those of the table; JSON has all. Without a terminal each row is one line."""
    if as_json:
        write_json(list(rows))
        return
    shown = columns or [name for name in (rows[0] if rows else ()) if any(_cell(row[name]) for row in rows)]
    table = Table(box=None, pad_edge=False)
    for column in shown:
        table.add_column(column.upper().replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*(_cell(row[column]) for column in shown))
    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console.width = max(
            console.width, console.measure(table, options=console.options.update(max_width=_WIDEST)).maximum
        )
    console.print(table)


def _cell(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)
