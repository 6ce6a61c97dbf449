"""Every path operation says who may call it, or the service does not start (Z01)."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts

from freehold.errors import ConfigurationError
from freehold.web.unit import Allow, rule_of


def refuse_unguarded(app: FastAPI, *, known: frozenset[str] | None = None) -> None:
    """Raise ConfigurationError that names every path operation without a rule. known: operation ids of resources."""
    declared = known if known is not None else frozenset(operation.id for operation in app.mounted.operations)  # type: ignore[attr-defined]
    open_ones = []
    for context in iter_route_contexts(app.routes):
        route = context.original_route
        if not isinstance(route, APIRoute) or route.operation_id in declared:
            continue
        inherited = any(isinstance(each.call, Allow) for each in context.dependant.dependencies)
        if not inherited and rule_of(route) is None:
            open_ones.append(f"{','.join(sorted(route.methods or ()))} {context.path}")
    if open_ones:
        raise ConfigurationError(
            "no access rule on: " + "; ".join(sorted(open_ones)) + ". Add dependencies=[allow(signed_in)] "
            "(or allow(anyone) where it is meant to be open)"
        )
