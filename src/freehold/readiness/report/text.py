"""The report for people: by file, by line, with the remedy of each rule told once."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from freehold.readiness.audit import Report
from freehold.readiness.rule import Finding, Rule, Severity

_COLOURS = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.NOTE: "cyan"}


def show(report: Report, console: Console, *, known: int = 0, gone: int = 0) -> None:
    """Print it. known: findings that a baseline holds. gone: its entries that are found no more."""
    for path, findings in groupby(report.findings, key=lambda each: each.place.path):
        console.print(Text(path, style="bold"))
        for finding in findings:
            console.print(_line(finding), soft_wrap=True)
        console.print()
    _remedies(report.findings, console)
    console.print(_summary(report, known, gone))
    for path, reason in report.unreadable:
        console.print(Text(f"not read: {path} ({reason})", style="yellow"))


def _line(finding: Finding) -> Text:
    severity = finding.rule.severity
    line = Text(f"  {finding.place}  ")
    line.append(severity.value, style=_COLOURS[severity])
    line.append(f"  {finding.message}  ")
    line.append(f"[{finding.rule.id}]", style="dim")
    return line


def _remedies(findings: Sequence[Finding], console: Console) -> None:
    rules: dict[str, Rule] = {finding.rule.id: finding.rule for finding in findings}
    for rule in sorted(rules.values(), key=lambda each: (-each.severity.rank, each.id)):
        head = Text(rule.id, style=_COLOURS[rule.severity])
        head.append(f"  {rule.title}", style="default")
        console.print(head)
        console.print(Padding(Text(f"{rule.why} {rule.remedy}"), (0, 0, 0, 4)))
    if rules:
        console.print()


def _summary(report: Report, known: int, gone: int) -> Text:
    said = [f"{len(report.findings)} found" if report.findings else "nothing found"]
    said += [
        f"{count} {what}"
        for count, what in ((len(report.suppressed), "suppressed"), (known, "in the baseline"))
        if count
    ]
    if gone:
        said.append(f"{gone} of the baseline are gone: write it anew")
    looked = f"{len(report.asked)} rules, {report.files} files, {report.operations} operations"
    if report.silent:
        looked += f"; {len(report.silent)} rules need the application"
    return Text(f"{', '.join(said)} ({looked})", style="bold red" if report.findings else "bold green")
