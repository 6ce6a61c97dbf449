"""What a service answers beside its operations: probes, metrics, documents, mail that was not sent, the page at its root."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi.routing import iter_route_contexts

from freehold.web.docs import docs_routes
from freehold.web.inclusion import analyse_once
from freehold.web.landing import landing_route
from freehold.web.mail import preview_routes
from freehold.web.probes import probe_routes

if TYPE_CHECKING:
    from freehold.web.app import Freehold


def add_plain_routes(app: Freehold) -> None:
    """After all others: the root is the service's own where it has one."""
    analyse_once(app.router)
    settings, routes = app.settings, app.router.routes
    routes.extend(
        probe_routes(
            app.health,
            app.metrics,
            is_draining=lambda: app.edge is not None and app.edge.draining,
            show_metrics=settings.metrics_enabled,
        )
    )
    routes.extend(docs_routes(app.openapi, title=app.title, show=settings.docs_enabled))
    routes.extend(preview_routes(app.mailer, settings))
    if not any(context.path == "/" for context in iter_route_contexts(app.routes)):
        lists = (each.path for each in app.mounted.operations if each.kind == "list" and "{" not in each.path)
        shown = {"show_docs": settings.docs_enabled, "show_metrics": settings.metrics_enabled}
        routes.append(landing_route(title=app.title, collections=sorted(lists), **shown))
