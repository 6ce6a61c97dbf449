"""Probes: is the process alive, can it serve, what has it counted. They show no details and are in no API document."""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from freehold.errors import Unavailable
from freehold.observe.health import Health
from freehold.observe.metrics import CONTENT_TYPE, Metrics
from freehold.web.problems import problem_response, request_id_of

_NO_STORE = {"Cache-Control": "no-store"}


def _passed(status: str = "ok") -> Response:
    return Response(b'{"status":"%s"}' % status.encode(), media_type="application/json", headers=_NO_STORE)


def probe_routes(
    health: Health, metrics: Metrics, *, is_draining: Callable[[], bool] = lambda: False, show_metrics: bool
) -> list[Route]:
    """`/health/live`, `/health/ready` and, with show_metrics, `/metrics`.

    Ready answers 503 while draining, and when a check of `health` fails: from memory, without waiting for one. Where only
    something fails that the service can do without it is ready, and says `degraded`.
    """

    async def live(_: Request) -> Response:
        return _passed()

    async def ready(request: Request) -> Response:
        if is_draining() or not await health.is_ready():
            return problem_response(Unavailable(retry_after=2), request_id=request_id_of(request))
        return _passed("degraded" if health.is_degraded else "ok")

    async def counted(_: Request) -> Response:
        return Response(metrics.exposition(), headers={"Content-Type": CONTENT_TYPE, **_NO_STORE})

    routes = [
        Route("/health/live", live, include_in_schema=False),
        Route("/health/ready", ready, include_in_schema=False),
    ]
    if show_metrics:
        routes.append(Route("/metrics", counted, include_in_schema=False))
    return routes
