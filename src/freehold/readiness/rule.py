"""What a rule is: its text, which the reference is made from, and one pure function from evidence to hits."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from freehold.readiness.evidence import Evidence


class Severity(StrEnum):
    """How bad a finding is. The names are those of SARIF."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"

    @property
    def rank(self) -> int:
        """Greater is worse."""
        return {"note": 0, "warning": 1, "error": 2}[self.value]


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A line of a file of the project. path: relative to the project, with forward slashes. line: from 1."""

    path: str
    line: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"


@dataclass(frozen=True, slots=True)
class Hit:
    """What a rule saw. subject: what stays the same when lines move (an operation, a column); the line's text if empty."""

    place: Place
    message: str
    subject: str = ""


Look = Callable[["Evidence"], Iterable[Hit]]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One question that is asked of every application.

    id: stable for ever, kebab-case; suppressions and baselines name it. title: what is wrong, in a line.
    why: what happens to whom. remedy: what to do instead. needs_app: it looks at the imported application, so it is
    silent under `--no-import`.
    """

    id: str
    title: str
    severity: Severity
    why: str
    remedy: str
    look: Look
    needs_app: bool = False

    @property
    def family(self) -> str:
        """The file that the rule stands in, which `--select` takes too, and the page that describes it."""
        return self.look.__module__.rpartition(".")[2]


def rule(
    id: str,  # noqa: A002  # it is what users write
    title: str,
    *,
    severity: Severity,
    why: str,
    remedy: str,
    needs_app: bool = False,
) -> Callable[[Look], Rule]:
    """Make a rule of the function below: `@rule("get-writes", "A GET changes data", severity=…, why=…, remedy=…)`."""

    def made(look: Look) -> Rule:
        return Rule(id=id, title=title, severity=severity, why=why, remedy=remedy, look=look, needs_app=needs_app)

    return made


@dataclass(frozen=True, slots=True)
class Finding:
    """A hit with the rule that made it. code: the text of the line, without its indentation."""

    rule: Rule
    place: Place
    message: str
    subject: str
    code: str
