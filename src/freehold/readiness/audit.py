"""Ask every rule, and sort what they found."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from freehold.errors import ConfigurationError
from freehold.readiness import suppression
from freehold.readiness.app.operations import nothing_declared
from freehold.readiness.evidence import Evidence
from freehold.readiness.project import Project
from freehold.readiness.rule import Finding, Hit, Rule
from freehold.readiness.rules import RULES
from freehold.readiness.source.index import read

if TYPE_CHECKING:
    from fastapi import FastAPI


@dataclass(frozen=True)
class Report:
    """What an audit found. findings: what stands, worst first within a file. suppressed: what a comment answers.

    asked: the rules that ran. silent: those that would have needed the application. unreadable: files that are no
    Python of this version, with the reason.
    """

    findings: Sequence[Finding]
    suppressed: Sequence[Finding]
    asked: Sequence[Rule]
    silent: Sequence[Rule]
    files: int
    operations: int
    unreadable: Sequence[tuple[str, str]]


def audit(
    root: Path,
    paths: Sequence[Path] = (),
    *,
    app: FastAPI | None = None,
    rules: Iterable[Rule] = RULES,
    declared: Callable[[Any], bool] = nothing_declared,
) -> Report:
    """Look at a project, and at its application where it is given. Nothing of it is run, and no request is made.

    root: the project's folder, where its pipeline, image and .gitignore are. paths: what of it is read; all where
    empty. declared: says of a route that an access rule stands on it.
    """
    project = Project(root.resolve(), [path.resolve() for path in paths])
    evidence = Evidence(project, read(project), app, declared)
    chosen = list(rules)
    asked = [rule for rule in chosen if app is not None or not rule.needs_app]
    found = {(each.rule.id, each.place, each.subject): each for rule in asked for each in _found(rule, evidence)}
    standing, answered = suppression.apply(list(found.values()), suppression.suppressions(evidence.source), asked)
    return Report(
        findings=sorted(standing, key=lambda each: (each.place.path, each.place.line, each.rule.id)),
        suppressed=answered,
        asked=asked,
        silent=[rule for rule in chosen if rule not in asked],
        files=len(evidence.source.modules),
        operations=len(evidence.offered),
        unreadable=[(project.shown(path), reason) for path, reason in evidence.source.unreadable],
    )


def _found(rule: Rule, evidence: Evidence) -> Iterable[Finding]:
    try:
        for hit in rule.look(evidence):
            yield Finding(rule, hit.place, hit.message, hit.subject, _line(hit, evidence))
    except Exception as error:
        raise ConfigurationError(
            f"The rule {rule.id} failed on this project ({error!r}). Go on without it: --ignore {rule.id}"
        ) from error


def _line(hit: Hit, evidence: Evidence) -> str:
    path = evidence.project.root / hit.place.path
    module = evidence.source.at(str(path))
    lines = module.lines if module else []
    return lines[hit.place.line - 1].strip() if 0 < hit.place.line <= len(lines) else ""
