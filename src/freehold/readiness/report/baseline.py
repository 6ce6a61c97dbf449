"""A baseline: the findings of the day on which a project began to be checked, so that only new ones fail it.

A finding is known by its rule, its file and what it is about, never by a line number, so that it is still known when
the lines above it change.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from freehold.errors import ConfigurationError
from freehold.readiness.rule import Finding

VERSION = 1


def fingerprint(finding: Finding) -> str:
    """The same as long as the rule, the file and the line's text or the operation stay the same."""
    parts = (finding.rule.id, finding.place.path, finding.subject or finding.code or finding.message)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def write(path: Path, findings: Iterable[Finding]) -> None:
    """Keep the findings. The file is meant to be read and committed: it says what each entry is."""
    entries = [
        {"fingerprint": fingerprint(each), "rule": each.rule.id, "path": each.place.path, "message": each.message}
        for each in findings
    ]
    path.write_text(json.dumps({"version": VERSION, "findings": entries}, indent=2) + "\n", encoding="utf-8")


def read(path: Path) -> Counter[str]:
    """How often each fingerprint is in the file. Raises ConfigurationError where it is no baseline."""
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        if kept["version"] != VERSION:
            raise ConfigurationError(f"{path}: version {kept['version']} of a baseline is not known here")
        return Counter(str(each["fingerprint"]) for each in kept["findings"])
    except FileNotFoundError:
        raise ConfigurationError(f"There is no {path}. Make one with --write-baseline {path}.") from None
    except (ValueError, KeyError, TypeError):
        raise ConfigurationError(f"{path} is no baseline of freehold check.") from None


def new(findings: Sequence[Finding], known: Counter[str]) -> tuple[list[Finding], int]:
    """The findings that the baseline does not hold, and how many of its entries are no longer found."""
    left = known.copy()
    fresh = []
    for finding in findings:
        mark = fingerprint(finding)
        if left[mark] > 0:
            left[mark] -= 1
        else:
            fresh.append(finding)
    return fresh, sum(left.values())
