"""Serves the client: one page for every address under `/app`, and its files under a name that changes with them."""

from __future__ import annotations

import json
from functools import cache
from hashlib import sha256
from html import escape
from pathlib import Path

from fastapi import Request
from starlette.responses import FileResponse, Response

from freehold import Router, allow, anyone
from freehold.errors import NotFound

_FILES = Path(__file__).parent / "static"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
# Nothing inline, nothing from elsewhere. `require-trusted-types-for` turns any text-to-markup sink into an error, so
# that what a landlord writes can only ever be text. blob: is for a photo that is shown while it is still uploading.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self' blob:; "
    "connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)

router = Router(include_in_schema=False)


@cache
def files() -> dict[str, Path]:
    """Every file of the client by its name in an address: nothing else in the folder tree can be asked for."""
    return {path.relative_to(_FILES).as_posix(): path for path in sorted(_FILES.rglob("*")) if path.suffix in _TYPES}


@cache
def version() -> str:
    """Changes when any file does, and with it every address: modules name each other relatively, within one version."""
    digest = sha256()
    for name, path in files().items():
        digest.update(name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


@router.get("/app/assets/{of_version}/{name:path}", dependencies=[allow(anyone)])
async def asset(of_version: str, name: str) -> Response:
    """A file of the client, kept by browsers for good. One of another version is not there: the page names its own."""
    path = files().get(name)
    if path is None or of_version != version():
        raise NotFound
    headers = {"Content-Type": _TYPES[path.suffix], "Cache-Control": "public, max-age=31536000, immutable"}
    return FileResponse(path, headers=headers)


@router.get("/app", dependencies=[allow(anyone)])
@router.get("/app/{place:path}", dependencies=[allow(anyone)])
async def page(request: Request, place: str = "") -> Response:
    """The page. Which view it shows is told by the address, and is the client's business."""
    root = escape(str(request.scope.get("root_path", "")).rstrip("/"), quote=True)
    assets = f"{root}/app/assets/{version()}"
    names = files()
    # All modules are asked for at once, instead of level by level as imports would.
    links = [f'<link rel="stylesheet" href="{assets}/{name}">' for name in names if name.endswith(".css")]
    links += [f'<link rel="modulepreload" href="{assets}/{name}">' for name in names if name.endswith(".js")]
    body = _PAGE.format(root=root, assets=assets, links="\n".join(links), providers=_providers(request))
    tag = f'"{sha256(body.encode()).hexdigest()[:32]}"'
    headers = {"Content-Security-Policy": _POLICY, "Cache-Control": "no-cache", "ETag": tag}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="text/html", headers=headers)


def _providers(request: Request) -> str:
    """By whom one can log in, as the client reads it."""
    social = request.app.identity.social
    known = [] if social is None else [{"name": each.name, "title": each.title} for each in social.providers.values()]
    return escape(json.dumps(known), quote=True)


_PAGE = """<!doctype html>
<html lang="en" data-root="{root}" data-providers="{providers}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Imba</title>
<link rel="icon" type="image/svg+xml" href="{assets}/icon.svg">
{links}
<script type="module" src="{assets}/js/main.js"></script>
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header id="head" class="head"></header>
<main id="main" tabindex="-1">
<noscript><p class="notice">This client needs JavaScript. The API behind it does not: see <a href="{root}/">its page</a>.</p></noscript>
</main>
<footer id="foot" class="foot"></footer>
<div id="says" class="unseen" role="status" aria-live="polite"></div>
<div id="toasts" class="toasts"></div>
</body>
</html>
"""
