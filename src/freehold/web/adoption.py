"""What has to be known of FastAPI's inside. Pinned to one minor version, and tested against it."""

from __future__ import annotations

import inspect
from typing import Any

from fastapi import routing
from fastapi.routing import APIRoute, RouteContext, _effective_route_context_var, request_response
from starlette.requests import HTTPConnection

from freehold.resource.principal import ANONYMOUS, Principal

wrap_app_with_body_limit: Any = vars(routing)["wrap_app_with_body_limit"]


async def nobody(_: HTTPConnection) -> Principal:
    """Every caller is anonymous."""
    return ANONYMOUS


def streams(route: APIRoute) -> bool:
    """Whether the endpoint yields its answer: it cannot be inside a unit of work, and stays as it is."""
    return inspect.isasyncgenfunction(route.endpoint) or inspect.isgeneratorfunction(route.endpoint)


def as_included(route: APIRoute) -> Any:
    """The route as it stands where it is being included, with the dependencies of whatever includes it; else itself.

    For `get_route_handler`, which FastAPI calls anew for each inclusion.
    """
    context: Any = _effective_route_context_var.get()
    return context if context is not None and context.original_route is route else route


def rebuild(context: RouteContext, route: APIRoute) -> None:
    """Make the route's ASGI application anew, after its class has changed.

    An included route has one application per inclusion, built under a context variable that its handler reads.
    """
    included: Any = context._route_context  # noqa: SLF001
    if included is None:
        route.app = wrap_app_with_body_limit(request_response(route.get_route_handler()), route.max_body_size)
        return
    token = _effective_route_context_var.set(included)
    try:
        included.app = wrap_app_with_body_limit(request_response(route.get_route_handler()), included.max_body_size)
    finally:
        _effective_route_context_var.reset(token)
