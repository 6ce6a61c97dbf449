"""Who may call an operation: the credentials and scopes that it asks for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from freehold.contract.findings import Change
from freehold.contract.places import Place

Alternative = dict[str, frozenset[str]]
"""Credentials that are asked for together, each with its scopes."""

_BEARER = {"oauth2", "openIdConnect"}


def compare_security(old: Place, new: Place) -> Iterator[Change]:
    """The ways to be let in that an operation knew, each held against those that it knows."""
    before, after = _alternatives(old), _alternatives(new)
    place = old.at("security").pointer if old.value.get("security") is not None else old.pointer
    if not after and before:
        yield Change("security.opened", place, "it asks for no credentials any longer")
    if not after or before == after:
        return
    if not before:
        yield Change("security.required", place, f"it asks for {' or '.join(map(_told, after))}")
        return
    for asked in before:
        same = [other for other in after if other.keys() <= asked.keys()]
        if not same:
            yield Change("security.scheme_removed", place, f"it takes no {_told(asked)} any longer")
        elif not any(all(other[name] <= asked[name] for name in other) for other in same):
            yield Change("security.scope_added", place, f"it asks for {_told(same[0])}, was {_told(asked)}")
    for asked in after:
        if not any(asked.keys() == other.keys() for other in before):
            yield Change("security.widened", place, f"it takes {_told(asked)}")


def _alternatives(operation: Place) -> list[Alternative]:
    """Empty for an operation that anyone may call."""
    asked = operation.value.get("security", operation.document.get("security")) or []
    if any(not alternative for alternative in asked):
        return []  # {} among them: credentials are taken, not asked for
    schemes = Place(operation.document, operation.document, "").at("components", "securitySchemes")
    return [
        {_on_the_wire(name, schemes.at(name).value or {}): frozenset(scopes) for name, scopes in each.items()}
        for each in asked
    ]


def _on_the_wire(name: str, scheme: dict[str, Any]) -> str:
    """What a client has to send: a scheme may change its name without that."""
    kind = scheme.get("type")
    if kind in _BEARER:
        return "bearer"
    if kind == "http":
        return str(scheme.get("scheme", "")).lower()
    return f"{scheme.get('in')} {scheme.get('name')}" if kind == "apiKey" else name


def _told(asked: Alternative) -> str:
    return " and ".join(
        f"{name} ({', '.join(sorted(scopes))})" if scopes else name for name, scopes in sorted(asked.items())
    )
