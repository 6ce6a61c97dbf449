"""What is told of an import at its end: counts, reasons, the first refused rows."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from freehold.cli.output import write_json, write_rows

if TYPE_CHECKING:
    from freehold.transfer.importing import Report

_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Found:
    """What is told at the end."""

    report: Report
    reasons: list[dict[str, Any]]
    refused: list[dict[str, Any]]


def tell_json(found: Found) -> None:
    """For programs."""
    report = {**asdict(found.report), "import_id": str(found.report.import_id)}
    write_json({**report, "reasons": found.reasons, "refused_rows": found.refused})


def tell(found: Found, rejects: Path | None) -> None:
    """For people."""
    report = found.report
    if report.was_done:
        typer.echo(
            "This file was imported before, whole, and its rows have no key: nothing was done (--again repeats it)."
        )
    named = ("created", "updated", "unchanged", "refused", "passed_over", "noted")
    counts = [f"{name.replace('_', ' ')} {getattr(report, name):,}" for name in named if getattr(report, name)]
    dry = "dry run, nothing written: " if report.is_dry else ""
    typer.echo(f"{dry}{report.records:,} rows: {', '.join(counts) or 'none'}")
    if found.reasons:
        typer.echo("")
        rows = [
            {"rows": each["count"], "": "refused" if each["is_refusal"] else "noted", **_said(each)}
            for each in found.reasons
        ]
        write_rows(rows[:_SHOWN], as_json=False)
    if found.refused:
        typer.echo("")
        write_rows(found.refused[:_SHOWN], as_json=False)
        if report.refused > _SHOWN:
            typer.echo(f"... and {report.refused - _SHOWN:,} more: --rejects FILE writes them all")
    if rejects is not None and report.refused:
        typer.echo(f"\nrefused rows: {rejects}")


def _said(reason: dict[str, Any]) -> dict[str, Any]:
    return {"column": reason["column"], "what": reason["message"], "first line": reason["first_line"]}
