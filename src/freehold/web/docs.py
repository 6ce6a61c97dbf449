"""The documents of the API: `/openapi.json`, Swagger UI at `/docs`, Redoc at `/redoc`, the codes at `/problems`.

Everything is served from this package; no page names an outside address, and none has an inline script.
"""

from __future__ import annotations

import html
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from freehold.web.addresses import root_of
from freehold.web.problem_table import entries

_TYPES = {
    "swagger-ui.css": "text/css; charset=utf-8",
    "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
    "swagger-init.js": "text/javascript; charset=utf-8",
    "redoc.standalone.js": "text/javascript; charset=utf-8",
    "redoc-init.js": "text/javascript; charset=utf-8",
    "redoc.css": "text/css; charset=utf-8",
    "problems.css": "text/css; charset=utf-8",
    "favicon.png": "image/png",
}
_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
# Redoc writes its style sheets from scripts and searches in a worker that it makes from a blob; scripts stay files.
_REDOC_CSP = _CSP.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'") + "; worker-src blob:"
PAGE_CSP = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" type="image/png" href="{assets}/favicon.png">
<link rel="stylesheet" href="{assets}/{style}">
</head>
<body>
{body}
</body>
</html>
"""
_SWAGGER = """<div id="swagger-ui" data-openapi="{root}/openapi.json"></div>
<script src="{assets}/swagger-ui-bundle.js"></script>
<script src="{assets}/swagger-init.js"></script>"""
_REDOC = """<div id="redoc" data-openapi="{root}/openapi.json"></div>
<script src="{assets}/redoc.standalone.js"></script>
<script src="{assets}/redoc-init.js"></script>"""
_PROBLEMS = """<h1>Problem codes</h1>
<p>Every refusal is an <code>application/problem+json</code> document (RFC 9457). Its <code>type</code> leads here.</p>
<table>
<thead><tr><th scope="col">Code</th><th scope="col">Status</th><th scope="col">Title</th><th scope="col">Meaning</th></tr></thead>
<tbody>
{rows}
</tbody>
</table>"""


@cache
def _asset(name: str) -> bytes:
    return (files("freehold.web") / "static" / name).read_bytes()


def _root(request: Request) -> str:
    return html.escape(root_of(request.scope), quote=True)


def page(request: Request, template: str, *, title: str, style: str, csp: str, **values: str) -> Response:
    """One of the pages: the template's own values are text or HTML that is safe already."""
    root = _root(request)
    assets = f"{root}/docs/assets"
    body = template.format(root=root, assets=assets, **values)
    document = _PAGE.format(title=html.escape(title), assets=assets, style=style, body=body)
    return Response(
        document, media_type="text/html", headers={"Content-Security-Policy": csp, "Cache-Control": "no-cache"}
    )


def _problem_rows() -> str:
    return "\n".join(
        f'<tr id="{html.escape(entry.code)}"><td><code>{html.escape(entry.code)}</code></td><td>{entry.status}</td>'
        f"<td>{html.escape(entry.title)}</td><td>{html.escape(entry.meaning)}</td></tr>"
        for entry in entries()
    )


async def _problems(request: Request) -> Response:
    return page(request, _PROBLEMS, title="Problem codes", style="problems.css", csp=PAGE_CSP, rows=_problem_rows())


def docs_routes(openapi: Callable[[], dict[str, Any]], *, title: str, show: bool) -> list[Route]:
    """The routes of the documents. show: False leaves only `/problems`, which every answer's `type` points to.

    openapi: makes the document; called once, at the first request for it.
    """

    @cache
    def document() -> bytes:
        return orjson.dumps(openapi())

    async def openapi_json(_: Request) -> Response:
        return Response(document(), media_type="application/json", headers={"Cache-Control": "no-cache"})

    async def swagger(request: Request) -> Response:
        return page(request, _SWAGGER, title=title, style="swagger-ui.css", csp=_CSP)

    async def redoc(request: Request) -> Response:
        return page(request, _REDOC, title=title, style="redoc.css", csp=_REDOC_CSP)

    names = _TYPES if show else ("problems.css", "favicon.png")
    routes = [Route("/problems", _problems, include_in_schema=False)]
    routes += [_asset_route(name) for name in names]
    if show:
        routes += [
            Route("/openapi.json", openapi_json, include_in_schema=False),
            Route("/docs", swagger, include_in_schema=False),
            Route("/redoc", redoc, include_in_schema=False),
        ]
    return routes


def _asset_route(name: str) -> Route:
    async def serve(_: Request) -> Response:
        headers = {"Content-Type": _TYPES[name], "Cache-Control": "public, max-age=3600"}
        return Response(_asset(name), headers=headers)

    return Route(f"/docs/assets/{name}", serve, include_in_schema=False)
