"""`freehold routes`: every path operation with its access rule, its limits, how long its answers are kept, and its speed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from freehold.cli.output import AsJson, write_rows
from freehold.cli.target import App, load

if TYPE_CHECKING:
    from fastapi import FastAPI

    from freehold.resource.access import Rule
    from freehold.resource.caching import Cache
    from freehold.traffic.policy import Policy
    from freehold.web.app import Freehold


def command(
    target: App = None,
    *,
    json: AsJson = False,
    everything: Annotated[bool, typer.Option("--all", help="Probes, documents and their assets too.")] = False,
) -> None:
    """List the path operations: who may call them, how often, and how long answers are kept."""
    write_rows(rows_of(load(target), everything=everything), as_json=json)


def rows_of(app: FastAPI, *, everything: bool = False) -> list[dict[str, Any]]:
    """One row for each method of each path, in the order in which they are looked up.

    everything: also what is no path operation: probes and documents, which have no rule and are open.
    """
    from fastapi.routing import APIRoute, iter_route_contexts

    known = _known(app)
    rows = []
    for context in iter_route_contexts(app.routes):
        path = context.path or ""
        if not everything and not isinstance(context.original_route, APIRoute):
            continue
        for method in sorted((context.methods or set()) - {"HEAD"}):
            name = getattr(context, "operation_id", None) or context.name
            told = known.get((method, path)) or _own(app, context, method)
            rows.append({"method": method, "path": path, "operation": name, **told})
    return rows


def _known(app: FastAPI) -> dict[tuple[str, str], dict[str, str]]:
    from freehold.web.app import Freehold

    if not isinstance(app, Freehold):
        return {}
    return {
        (each.method, each.path): {
            **_told(app, each.rule, each.policy, each.cache, each.method),
            "compiled": _compiled(app, each.method, each.path),
        }
        for each in app.mounted.operations
    }


def _compiled(app: Freehold, method: str, path: str) -> str:
    """`yes`, or why an operation goes through FastAPI."""
    from freehold.web.compiled.table import table_of

    why = table_of(app, app.mounted).reason(method, path)
    return f"no: {why}" if why else "yes"


def _own(app: FastAPI, context: Any, method: str) -> dict[str, str]:
    from fastapi.routing import APIRoute

    from freehold.web.unit import declared

    mark = declared(context) if isinstance(context.original_route, APIRoute) else None
    if mark is None:
        return {"access": "", "limits": "", "cache": "", "compiled": ""}
    return {**_told(app, mark.rule, mark.policy(""), mark.cache, method), "compiled": ""}


def _told(app: FastAPI, rule: Rule, policy: Policy, cache: Cache | None, method: str) -> dict[str, str]:
    from freehold.traffic.policy import Defaults

    found = getattr(app.state, "freehold", None)
    defaults = Defaults() if found is None else found.traffic.defaults
    limits = defaults.complete(policy, writes=method != "GET").describe()
    return {"access": rule.describe(), "limits": limits, "cache": "" if cache is None else cache.describe()}
