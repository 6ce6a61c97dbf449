"""What a comparison says: each difference with its severity, place, reason and remedy."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from freehold.contract.rules import RULES


class Severity(StrEnum):
    """breaking: a client that keeps to the contract fails. risky: one may, by how it is written. safe: none does."""

    BREAKING = "breaking"
    RISKY = "risky"
    SAFE = "safe"


@dataclass(frozen=True)
class Change:
    """One difference, as a part of the comparison finds it.

    code: a key of `rules.RULES`. pointer: in the old document, or where that has nothing, in the new. what: a sentence.
    """

    code: str
    pointer: str
    what: str


@dataclass(frozen=True)
class Finding:
    """One difference, and all the operations that it reaches.

    version: of these operations, "v1". in_version: whether the new document still is that version, so that a break fails.
    line: of the frozen file, where it is laid out as it was written.
    """

    code: str
    pointer: str
    what: str
    operations: tuple[str, ...]
    version: str
    in_version: bool
    line: int | None = None

    @property
    def severity(self) -> Severity:
        """What it does to clients."""
        return Severity(RULES[self.code].severity)

    @property
    def reason(self) -> str:
        """Why it has this severity."""
        return RULES[self.code].reason

    @property
    def remedy(self) -> str:
        """What to do instead; empty for what is safe."""
        return RULES[self.code].remedy

    @property
    def fails(self) -> bool:
        """Whether it breaks a version that goes on."""
        return self.in_version and self.severity is Severity.BREAKING

    def as_dict(self) -> dict[str, Any]:
        """The form of `--json`."""
        return {
            "severity": self.severity.value,
            "code": self.code,
            "what": self.what,
            "operations": list(self.operations),
            "version": self.version,
            "in_version": self.in_version,
            "pointer": self.pointer,
            "line": self.line,
            "reason": self.reason,
            "remedy": self.remedy,
        }
