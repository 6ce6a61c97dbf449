"""SARIF 2.1.0, which GitHub, GitLab, Azure DevOps and editors show beside the code (OASIS, 2020)."""

from __future__ import annotations

from typing import Any

from freehold.readiness.audit import Report
from freehold.readiness.report.baseline import fingerprint
from freehold.readiness.rule import Finding, Rule

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def sarif(report: Report, *, version: str) -> dict[str, Any]:
    """The report as one run. Paths are relative to the place named SRCROOT, which is the project's folder."""
    found = {finding.rule.id: finding.rule for finding in [*report.findings, *report.suppressed]}
    rules = list({**{rule.id: rule for rule in report.asked}, **found}.values())
    driver = {"name": "freehold check", "version": version, "rules": [_rule(each) for each in rules]}
    indexes = {rule.id: index for index, rule in enumerate(rules)}
    results = [_result(each, indexes, suppressed=False) for each in report.findings]
    results += [_result(each, indexes, suppressed=True) for each in report.suppressed]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.why},
        "help": {"text": rule.remedy},
        "defaultConfiguration": {"level": rule.severity.value},
        "properties": {"tags": [rule.family]},
    }


def _result(finding: Finding, indexes: dict[str, int], *, suppressed: bool) -> dict[str, Any]:
    location = {
        "artifactLocation": {"uri": finding.place.path, "uriBaseId": "SRCROOT"},
        "region": {"startLine": finding.place.line},
    }
    made: dict[str, Any] = {
        "ruleId": finding.rule.id,
        "ruleIndex": indexes[finding.rule.id],
        "level": finding.rule.severity.value,
        "message": {"text": f"{finding.message}. {finding.rule.remedy}"},
        "locations": [{"physicalLocation": location}],
        "partialFingerprints": {"freehold/v1": fingerprint(finding)},
    }
    if suppressed:
        made["suppressions"] = [{"kind": "inSource"}]
    return made
