"""What stands at `/` of a service that has nothing of its own there: what runs, and where to look."""

from __future__ import annotations

import html
from collections.abc import Sequence

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from freehold.web.addresses import root_of
from freehold.web.docs import PAGE_CSP, page

_BODY = """<h1>{heading}</h1>
<p>This is an API made with Freehold; it is up.</p>
<ul>
{links}
</ul>"""
_NAMES = {
    "docs": "Documentation to try things in (Swagger UI)",
    "redoc": "Documentation to read (ReDoc)",
    "openapi": "The OpenAPI document",
    "problems": "What each refusal means",
    "ready": "Is it ready?",
    "live": "Is it alive?",
    "metrics": "Metrics",
}


def landing_route(*, title: str, collections: Sequence[str], show_docs: bool, show_metrics: bool) -> Route:
    """HTML where the client asks for it, JSON otherwise. collections: their paths; told only where the documents are."""
    links = {"ready": "/health/ready", "live": "/health/live", "problems": "/problems"}
    if show_docs:
        links = {"docs": "/docs", "redoc": "/redoc", "openapi": "/openapi.json", **links}
    if show_metrics:
        links["metrics"] = "/metrics"
    shown = list(collections) if show_docs else []

    async def landing(request: Request) -> Response:
        root = root_of(request.scope)
        if "text/html" in request.headers.get("accept", ""):
            answer = page(
                request,
                _BODY,
                title=title,
                style="problems.css",
                csp=PAGE_CSP,
                heading=html.escape(title),
                links=_items(root, links, shown),
            )
        else:
            body = {
                "title": title,
                "links": {name: root + path for name, path in links.items()},
                "collections": [root + path for path in shown],
            }
            answer = Response(orjson.dumps(body), media_type="application/json", headers={"Cache-Control": "no-cache"})
        answer.headers["Vary"] = "Accept"
        return answer

    return Route("/", landing, include_in_schema=False)


def _items(root: str, links: dict[str, str], collections: Sequence[str]) -> str:
    named = [(path, _NAMES[name]) for name, path in links.items()] + [(path, path) for path in collections]
    return "\n".join(
        f'<li><a href="{html.escape(root + path, quote=True)}">{html.escape(text)}</a></li>' for path, text in named
    )
