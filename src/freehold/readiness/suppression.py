"""Findings that their author has answered: `# freehold: ignore[rule-id] because …` on the line or the one above.

A reason is part of it. One without a reason, for a rule that is not there, or for a finding that is not there, is a
finding itself, so that the answers stay true.
"""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from freehold.readiness.rule import Finding, Place, Rule, Severity
from freehold.readiness.source.index import SourceIndex
from freehold.readiness.source.module import Module

_WRITTEN = re.compile(r"freehold:\s*ignore\[(?P<ids>[\w\s,-]+)\]\s*(?P<reason>.*)")


@dataclass(frozen=True, slots=True)
class Suppression:
    """One comment. lines: those whose findings it answers."""

    place: Place
    lines: frozenset[int]
    ids: frozenset[str]
    reason: str
    code: str

    def answers(self, finding: Finding) -> bool:
        """Whether it speaks of this finding."""
        at = finding.place
        return (
            bool(self.reason) and finding.rule.id in self.ids and at.path == self.place.path and at.line in self.lines
        )


SUPPRESSION = Rule(
    id="suppression-idle",
    title="A suppression that answers nothing",
    severity=Severity.NOTE,
    why="A comment that suppresses a finding which is no longer there, or gives no reason, hides the next true one.",
    remedy="Write `# freehold: ignore[rule-id] the reason`, and take it away with what it answered.",
    look=lambda _: (),
)


def suppressions(index: SourceIndex) -> list[Suppression]:
    """All of them, in the project's source."""
    return [found for module in index if "freehold:" in module.text for found in _in(module)]


def apply(
    findings: Sequence[Finding], written: Iterable[Suppression], asked: Iterable[Rule]
) -> tuple[list[Finding], list[Finding]]:
    """The findings that stand, idle suppressions among them, and those that were answered. asked: the rules that ran."""
    written = list(written)
    answered = [finding for finding in findings if any(each.answers(finding) for each in written)]
    standing = [finding for finding in findings if finding not in answered]
    ran = {rule.id for rule in asked}
    return standing + [idle for each in written for idle in _idle(each, answered, ran)], answered


def _idle(written: Suppression, answered: Sequence[Finding], ran: set[str]) -> Iterator[Finding]:
    if not written.reason:
        yield _finding(written, f"no reason is given for ignoring {', '.join(sorted(written.ids))}")
        return
    used = {finding.rule.id for finding in answered if written.answers(finding)}
    for idle in sorted((written.ids & ran) - used):
        yield _finding(written, f"nothing here is found by {idle}")


def _finding(written: Suppression, message: str) -> Finding:
    return Finding(SUPPRESSION, written.place, message, "", written.code)


def _in(module: Module) -> Iterator[Suppression]:
    for token in tokenize.generate_tokens(io.StringIO(module.text).readline):
        found = _WRITTEN.search(token.string) if token.type == tokenize.COMMENT else None
        if found:
            line = token.start[0]
            alone = module.lines[line - 1].lstrip().startswith("#")
            ids = frozenset(each.strip() for each in found["ids"].split(",") if each.strip())
            lines = frozenset({line, _next_code(module, line)} if alone else {line})
            place = Place(module.shown, line)
            yield Suppression(place, lines, ids, found["reason"].strip(), module.lines[line - 1].strip())


def _next_code(module: Module, line: int) -> int:
    """The line that a comment of its own speaks of: the next one that is neither comment nor decorator nor empty."""
    for number in range(line, len(module.lines)):
        if module.lines[number].strip() and not module.lines[number].lstrip().startswith(("#", "@")):
            return number + 1
    return line
