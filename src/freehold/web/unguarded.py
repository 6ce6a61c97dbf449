"""Every path operation says who may call it, or the service does not start (Z01)."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.routing import APIRoute, APIWebSocketRoute, iter_route_contexts

from freehold.errors import ConfigurationError
from freehold.observe.logs import get_logger
from freehold.settings import Settings
from freehold.web.mounting import Mounted
from freehold.web.unit import UnitRouteMixin, declared

_log = get_logger("freehold.access")


def refuse_unguarded(app: FastAPI, *, known: frozenset[str] | None = None) -> None:
    """Raise ConfigurationError that names every path operation and WebSocket without a rule. known: operation ids of resources."""
    refuse_unkept_limits(app)
    mounted_ids = known if known is not None else frozenset(operation.id for operation in app.mounted.operations)  # type: ignore[attr-defined]
    open_ones = []
    for context in iter_route_contexts(app.routes):
        route = context.original_route
        if not isinstance(route, APIRoute | APIWebSocketRoute) or getattr(route, "operation_id", None) in mounted_ids:
            continue
        if declared(context) is None:
            called_by = ",".join(sorted(context.methods or ())) or "WebSocket"
            open_ones.append(f"{called_by} {context.path}")
    if open_ones:
        raise ConfigurationError(
            "no access rule on: " + "; ".join(sorted(open_ones)) + ". Add dependencies=[allow(signed_in)] "
            "(or allow(anyone) where it is meant to be open)"
        )


def refuse_unkept_limits(app: FastAPI) -> None:
    """Raise ConfigurationError for a quota or a kept answer of a path on which nobody keeps it: one of FastAPI's own routes."""
    unkept = {
        context.path or ""
        for context in iter_route_contexts(app.routes)
        if isinstance(context.original_route, APIRoute) and not isinstance(context.original_route, UnitRouteMixin)
        if (mark := declared(context)) is not None and mark.is_more_than_a_rule
    }
    if unkept:
        raise ConfigurationError(
            f"allow(…) with limits or cache= on {', '.join(sorted(unkept))}: put the path on a freehold Router, where they are kept"
        )


def warn_of_unmounted(mounted: Mounted) -> None:
    """Say which resources have no path operation at all: closed is the default, and silence looks like a mistake."""
    served = {operation.bound.model for operation in mounted.operations}
    for bound in mounted.bounds:
        if bound.model not in served:
            _log.warning(
                "resource_without_access",
                resource=bound.resource.name,
                because="it has no access rule, so nothing of it is mounted",
                remedy=f"Resource({bound.model.__name__}, access=Access(read=anyone, write=signed_in))",
            )


def keeps_answers(app: FastAPI, mounted: Mounted) -> bool:
    """Whether any operation is declared with `Cache(...)`."""
    if any(operation.cache is not None for operation in mounted.operations):
        return True
    contexts = iter_route_contexts(app.routes)
    marks = (declared(context) for context in contexts if isinstance(context.original_route, APIRoute))
    return any(mark is not None and mark.cache is not None for mark in marks)


def warn_of_unkept(mounted: Mounted, settings: Settings) -> None:
    """Say that answers which are declared to be kept are not: without Redis no process hears of another's commits."""
    operations = sum(operation.cache is not None for operation in mounted.operations)
    if operations and not settings.is_alone and not settings.redis_url:
        _log.warning(
            "answers_not_kept",
            operations=operations,
            because=f"FREEHOLD_WORKERS={settings.workers}, FREEHOLD_JOBS={settings.jobs}, and no process would hear of another's commits",
            remedy="set FREEHOLD_REDIS_URL; until then each answer is made anew, as without Cache(...)",
        )
