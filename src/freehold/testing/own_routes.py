"""Path operations that a service wrote itself, as the proofs see them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from fastapi.routing import APIRoute, iter_route_contexts

from freehold.resource.access import Rule
from freehold.testing.probes import Probe
from freehold.web.unit import rule_of

if TYPE_CHECKING:
    from freehold.web.app import Freehold

_PARAMETER = re.compile(r"\{[^}]+\}")


def routes(app: Freehold) -> Iterator[tuple[str, APIRoute, Rule | None]]:
    """Path, route and rule of every FastAPI route, those of resources included (their rule is elsewhere: None)."""
    for context in iter_route_contexts(app.routes):
        route = context.original_route
        if isinstance(route, APIRoute):
            yield context.path or "", route, rule_of(context)


def own_probes(app: Freehold, keys: Sequence[str]) -> list[Probe]:
    """GET of each route of one's own, with every hidden key in the place of its parameters."""
    declared = {operation.id for operation in app.mounted.operations}
    found: list[Probe] = []
    for path, route, _ in routes(app):
        if route.operation_id in declared or "GET" not in (route.methods or ()):
            continue
        filled = [_PARAMETER.sub(key, path) for key in keys] if _PARAMETER.search(path) else [path]
        found += [Probe(route.unique_id, "GET", each) for each in filled]
    return found
