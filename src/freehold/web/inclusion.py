"""Routers that are included as they are: their operations are analysed once.

FastAPI analyses the operations of an included router anew, for what its inclusion adds to them. Mostly that is nothing, and
the second time takes up to two fifths of the making of an application. Like `adoption`, this knows FastAPI's inside.
"""

from __future__ import annotations

from fastapi.datastructures import DefaultPlaceholder
from fastapi.routing import (
    APIRoute,
    APIRouter,
    RouteContext,
    _EffectiveRouteContext,
    _IncludedRouter,
    _RouterIncludeContext,
)
from fastapi.utils import get_value_or_default
from starlette.routing import BaseRoute

from freehold.web import adoption


def analyse_once(router: APIRouter) -> None:
    """For what it includes by now, before anybody has asked for the operations."""
    router.routes[:] = [
        _Included(each.original_router, each.include_context) if isinstance(each, _IncludedRouter) else each
        for each in router.routes
    ]


class _Included(_IncludedRouter):
    def _build_effective_context(self, route: BaseRoute) -> _EffectiveRouteContext | None:
        if isinstance(route, APIRoute) and _is_as_it_is(self.include_context):
            return _unchanged(route, self.include_context)
        return super()._build_effective_context(route)


def _is_as_it_is(added: _RouterIncludeContext) -> bool:
    """Whether an inclusion leaves operations what they are."""
    more = (added.prefix, added.tags, added.dependencies, added.responses, added.callbacks)
    if any(more) or added.deprecated or not added.include_in_schema or added.max_body_size is not None:
        return False
    router = added.included_router
    of_their_own = (
        *(added.default_response_class, router.default_response_class),
        *(added.generate_unique_id_function, router.generate_unique_id_function),
    )
    return all(isinstance(each, DefaultPlaceholder) for each in of_their_own)


def _unchanged(route: APIRoute, added: _RouterIncludeContext) -> _EffectiveRouteContext:
    context = _EffectiveRouteContext(original_route=route)
    known = vars(context)
    known.update({name: value for name, value in vars(route).items() if name in known})
    context.dependency_overrides_provider = added.dependency_overrides_provider
    context.strict_content_type = get_value_or_default(
        route.strict_content_type, added.included_router.strict_content_type, added.strict_content_type
    )
    adoption.rebuild(RouteContext(route, context), route)
    return context
