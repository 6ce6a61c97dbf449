"""`freehold check`: the readiness audit of a FastAPI application, Freehold's or not."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from contextlib import redirect_stdout
from dataclasses import replace
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from freehold.cli.output import write_json
from freehold.cli.target import load, project_table
from freehold.errors import ConfigurationError

if TYPE_CHECKING:
    from fastapi import FastAPI

    from freehold.readiness import Report, Rule


class Form(StrEnum):
    """What is printed."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"


class Level(StrEnum):
    """The least severity that counts."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


def command(
    what: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[APP] [PATH]...",
            help="module:attribute of the application, default as in \\[tool.freehold]; "
            "files and folders to read, default the working directory.",
        ),
    ] = None,
    *,
    no_import: Annotated[
        bool, typer.Option("--no-import", help="Read the source only. Otherwise the application is imported.")
    ] = False,
    select: Annotated[list[str] | None, typer.Option(help="Only these rules or families; may be repeated.")] = None,
    ignore: Annotated[list[str] | None, typer.Option(help="Without these rules or families.")] = None,
    severity: Annotated[Level, typer.Option(help="The least severity that counts.")] = Level.NOTE,
    baseline: Annotated[Path | None, typer.Option(help="Leave out what this file knows.")] = None,
    write_baseline: Annotated[
        Path | None, typer.Option(help="Write what is found to this file, and end with 0.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    sarif: Annotated[bool, typer.Option("--sarif", help="Print SARIF 2.1.0.")] = False,
    rules: Annotated[bool, typer.Option("--rules", help="List the rules.")] = False,
) -> None:
    """Find what an application is not ready for. Ends with 0 for nothing, 1 for findings, 2 where it could not look.

    It makes no request. To know routes and tables it imports the application, which runs its modules; --no-import does
    without, and asks fewer rules.
    """
    from freehold.readiness.report import baseline as baselines

    chosen = _chosen(select or (), ignore or (), severity)
    if rules:
        _list(chosen, as_json=json)
        return
    report = _audit(what or (), chosen, no_import=no_import)
    if write_baseline is not None:
        baselines.write(write_baseline, report.findings)
        typer.echo(f"{write_baseline}: {len(report.findings)} findings", err=True)
        return
    known = gone = 0
    if baseline is not None:
        fresh, gone = baselines.new(report.findings, baselines.read(baseline))
        known = len(report.findings) - len(fresh)
        report = replace(report, findings=fresh)
    _print(report, Form.SARIF if sarif else Form.JSON if json else Form.TEXT, known, gone)
    raise typer.Exit(1 if report.findings else 0)


def _audit(what: Sequence[str], rules: Iterable[Rule], *, no_import: bool) -> Report:
    from freehold.readiness import audit

    target, paths = _told(what)
    app = None
    if not no_import:
        if target is None and "app" not in project_table():
            raise ConfigurationError(
                "No app is named. Give it as module:attribute (freehold check bookstore.app:app), "
                "or look at the source alone: freehold check --no-import"
            )
        typer.echo(
            "importing the application: its modules run, no request is made (--no-import does without)", err=True
        )
        with redirect_stdout(sys.stderr):  # what the modules print is none of the report
            app = _loaded(target)
    return audit(Path.cwd(), paths, app=app, rules=rules, declared=_declared(app))


def _loaded(target: str | None) -> FastAPI:
    try:
        return load(target)
    except SystemExit as end:  # its status would be taken for the audit's
        raise ConfigurationError(
            f"The application ended the process while it was imported (status {end.code})."
        ) from None


def _told(what: Sequence[str]) -> tuple[str | None, list[Path]]:
    """The application, if the first word names one, and the paths."""
    target = what[0] if what and (":" in what[0] or not Path(what[0]).exists()) else None
    paths = [Path(each) for each in (what if target is None else what[1:])]
    missing = [str(path) for path in paths if not path.exists()]
    if missing:
        raise ConfigurationError(f"There is no {', no '.join(missing)} in {Path.cwd()}.")
    return target, paths


def _declared(app: FastAPI | None) -> Any:
    """Whether Freehold's own access rule stands on a route; nothing of `web` is loaded for an app that is not built on it."""
    from freehold.readiness.app.operations import nothing_declared

    if app is None or "freehold.web.unit" not in sys.modules:
        return nothing_declared
    from fastapi.routing import APIRoute

    from freehold.web.unit import rule_of

    return lambda route: isinstance(route, APIRoute) and rule_of(route) is not None


def _chosen(select: Iterable[str], ignore: Iterable[str], severity: Level) -> list[Rule]:
    from freehold.readiness import RULES, Severity

    names = {name for rule in RULES for name in (rule.id, rule.family)}
    wanted, unwanted = _names(select), _names(ignore)
    unknown = sorted((wanted | unwanted) - names)
    if unknown:
        raise ConfigurationError(f"There is no rule or family {', '.join(unknown)}. freehold check --rules lists them.")
    least = Severity(severity.value).rank
    return [
        rule
        for rule in RULES
        if rule.severity.rank >= least
        if not wanted or {rule.id, rule.family} & wanted
        if not {rule.id, rule.family} & unwanted
    ]


def _names(given: Iterable[str]) -> set[str]:
    return {name.strip() for each in given for name in each.split(",") if name.strip()}


def _list(rules: Sequence[Rule], *, as_json: bool) -> None:
    from freehold.cli.output import write_rows

    rows = [
        {"rule": rule.id, "family": rule.family, "severity": rule.severity.value, "title": rule.title, "why": rule.why}
        for rule in rules
    ]
    write_rows(rows, as_json=as_json, columns=["rule", "family", "severity", "title"])


def _print(report: Report, form: Form, known: int, gone: int) -> None:
    from freehold.readiness.report import sarif as sarif_form
    from freehold.readiness.report import text
    from freehold.readiness.report.baseline import fingerprint

    if form is Form.SARIF:
        write_json(sarif_form.sarif(report, version=version("freehold")))
    elif form is Form.JSON:
        findings = [
            {
                "rule": each.rule.id,
                "severity": each.rule.severity.value,
                "path": each.place.path,
                "line": each.place.line,
                "message": each.message,
                "remedy": each.rule.remedy,
                "fingerprint": fingerprint(each),
            }
            for each in report.findings
        ]
        counts = {"rules": len(report.asked), "files": report.files, "operations": report.operations, "known": known}
        write_json({"findings": findings, **counts, "suppressed": len(report.suppressed)})
    else:
        text.show(report, Console(highlight=False), known=known, gone=gone)
