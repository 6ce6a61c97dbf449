"""`freehold routes`: every path operation with its access rule."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from freehold.cli.output import AsJson, write_rows
from freehold.cli.target import App, load

if TYPE_CHECKING:
    from fastapi import FastAPI


def command(
    target: App = None,
    *,
    json: AsJson = False,
    everything: Annotated[bool, typer.Option("--all", help="Probes, documents and their assets too.")] = False,
) -> None:
    """List the path operations, and who may call them."""
    write_rows(rows_of(load(target), everything=everything), as_json=json)


def rows_of(app: FastAPI, *, everything: bool = False) -> list[dict[str, Any]]:
    """One row for each method of each path, in the order in which they are looked up.

    everything: also what is no path operation: probes and documents, which have no rule and are open.
    """
    from fastapi.routing import APIRoute, iter_route_contexts

    declared = _declared(app)
    rows = []
    for context in iter_route_contexts(app.routes):
        path = context.path or ""
        if not everything and not isinstance(context.original_route, APIRoute):
            continue
        for method in sorted((context.methods or set()) - {"HEAD"}):
            name = getattr(context, "operation_id", None) or context.name
            access = declared.get((method, path)) or _own_rule(context.original_route)
            rows.append({"method": method, "path": path, "operation": name, "access": access})
    return rows


def _declared(app: FastAPI) -> dict[tuple[str, str], str]:
    from freehold.web.app import Freehold

    if not isinstance(app, Freehold):
        return {}
    return {(each.method, each.path): each.rule.describe() for each in app.mounted.operations}


def _own_rule(route: Any) -> str:
    from fastapi.routing import APIRoute

    from freehold.web.unit import rule_of

    rule = rule_of(route) if isinstance(route, APIRoute) else None
    return rule.describe() if rule is not None else ""
