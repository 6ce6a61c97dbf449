"""What the router knows of a path: the methods that it truly has, and the template that it matched."""

from __future__ import annotations

from typing import Any

from starlette.routing import Match
from starlette.types import Scope

PROBED = ("GET", "POST", "PUT", "PATCH", "DELETE")


def _routes(scope: Scope, app: Any) -> list[Any]:
    owner = scope.get("app", app)
    while owner is not None and not hasattr(owner, "routes"):
        owner = getattr(owner, "app", None)
    return list(owner.routes) if owner is not None else []


def matching_route(scope: Scope, method: str, app: Any = None) -> Any:
    """The route that would answer `method` on this path, or None. Asks the router's own matching, so it cannot differ."""
    probe = {**scope, "method": method}
    for route in _routes(scope, app):
        if route.matches(probe)[0] is Match.FULL:
            return route
    return None


def allowed_methods(scope: Scope, app: Any = None) -> list[str]:
    """The methods of the path of `scope`, with HEAD and OPTIONS where they are answered; empty when nothing is there.

    Costs five walks over the routes: only for answers that need it.
    """
    found = [method for method in PROBED if matching_route(scope, method, app) is not None]
    if not found:
        return []
    return sorted({*found, "OPTIONS", *(("HEAD",) if "GET" in found else ())})


class RouteTemplates:
    """The path template of a served request, for logs and metrics: names, never values.

    FastAPI leaves the matched operation in the scope; a plain Starlette route leaves only its endpoint.
    """

    def __init__(self, app: Any) -> None:
        self._app = app
        self._by_endpoint: dict[Any, str] = {}

    def of(self, scope: Scope) -> str:
        """`/v1/books/{book_id}`, `mounted` inside another application, `unmatched` where nothing is."""
        root = scope.get("root_path", "")
        if scope.get("app_root_path", root) != root:
            return "mounted"
        context = scope.get("fastapi", {}).get("effective_route_context")
        for source in (context, scope.get("route")):
            template = getattr(source, "path_format", None)
            if template:
                return str(template)
        endpoint = scope.get("endpoint")
        if endpoint is None:
            return "unmatched"
        known = self._by_endpoint.get(endpoint)
        if known is None:
            routes = (route for route in _routes(scope, self._app) if getattr(route, "endpoint", None) is endpoint)
            known = self._by_endpoint[endpoint] = str(getattr(next(routes, None), "path_format", "unmatched"))
        return known
