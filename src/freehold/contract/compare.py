"""Two OpenAPI documents: every difference that a client can notice, and what it does to clients."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from freehold.contract import versions
from freehold.contract.bodies import compare_answers, compare_request_bodies
from freehold.contract.findings import Change, Finding, Severity
from freehold.contract.normal import normalised, operations, understood
from freehold.contract.parameters import compare_parameters
from freehold.contract.places import Place
from freehold.contract.security import compare_security

Key = tuple[str, str]
Operations = dict[Key, tuple[str, Place]]

_ORDER = list(Severity)


def compare(old: dict[str, Any], new: dict[str, Any]) -> list[Finding]:
    """What became of the old document's contract, the worst first. Raises ConfigurationError for one that cannot be read.

    An operation with `/v1/` in its path is of that version, whatever else comes; one without is of the document's own
    (`info.version`), whose next major version may break.
    """
    before, after = normalised(old), normalised(new)
    with understood():
        findings = _findings(before, after)
    return sorted(findings, key=lambda each: (_ORDER.index(each.severity), each.operations, each.pointer, each.what))


def _findings(before: dict[str, Any], after: dict[str, Any]) -> list[Finding]:
    goes_on = versions.of_document(before) == versions.of_document(after)
    shared_is_equal = all(before.get(part) == after.get(part) for part in ("components", "security"))
    merged: dict[tuple[Change, str, bool], set[str]] = {}
    for name, path, change in _changes(_keyed(before), _keyed(after), shared_is_equal=shared_is_equal):
        version = versions.in_path(path)
        key = (change, version or versions.of_document(before), goes_on or version is not None)
        merged.setdefault(key, set()).add(name)
    return [
        Finding(change.code, change.pointer, change.what, tuple(sorted(names)), version, in_version)
        for (change, version, in_version), names in merged.items()
    ]


def _keyed(document: dict[str, Any]) -> Operations:
    """By method and path, the names of path parameters left out: they are not on the wire."""
    found = operations(Place(document, document, ""))
    return {(method, re.sub(r"{[^}]*}", "{}", path)): (path, place) for method, path, place in found}


def _changes(before: Operations, after: Operations, *, shared_is_equal: bool) -> Iterator[tuple[str, str, Change]]:
    """Each change with the name of its operation and its path. shared_is_equal: an operation is as it was if it reads so."""
    for key, (path, old) in before.items():
        name = f"{key[0]} {path}"
        if key in after:
            there, new = after[key]
            if shared_is_equal and old.value == new.value:
                continue
            for change in _of_operation(old, new, (path, there)):
                yield name, path, change
        else:
            code = "operation.retired" if old.value.get("deprecated") else "operation.removed"
            yield name, path, Change(code, old.pointer, f"it is gone{_moved(key, before, after)}")
    for key in after.keys() - before.keys():
        path, new = after[key]
        yield f"{key[0]} {path}", path, Change("operation.added", new.pointer, "it is new")


def _moved(gone: Key, before: Operations, after: Operations) -> str:
    """Where the same resource seems to stand now: the addresses end alike, as when a prefix is lost."""
    method, path = gone
    for key in after.keys() - before.keys():
        if key[0] == method and (path.rstrip("/").endswith(key[1].rstrip("/")) or key[1].endswith(path)):
            return f"; {method} {after[key][0]} looks like it"
    return ""


def _of_operation(old: Place, new: Place, paths: tuple[str, str]) -> Iterator[Change]:
    was, is_now = bool(old.value.get("deprecated")), bool(new.value.get("deprecated"))
    if was != is_now:
        code, said = ("operation.deprecated", "it is") if is_now else ("operation.revived", "it is no longer")
        yield Change(code, old.pointer, f"{said} deprecated")
    names = old.value.get("operationId"), new.value.get("operationId")
    if names[0] and names[0] != names[1]:
        yield Change("operation.renamed", old.pointer, f"its operationId is {names[1]}, was {names[0]}")
    yield from compare_parameters(old, new, paths=paths)
    yield from compare_request_bodies(old, new)
    yield from compare_answers(old, new)
    yield from compare_security(old, new)
