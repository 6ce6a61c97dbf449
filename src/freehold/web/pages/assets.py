"""The style sheet and the one script of the pages. Everything else works without a script; passkeys cannot."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from freehold.web.pages import theme
from freehold.web.pages.places import ASSETS

_TYPES = {"pages.css": "text/css; charset=utf-8", "passkeys.js": "text/javascript; charset=utf-8"}
# The address changes with what is in it.
_KEPT = {"Cache-Control": "public, max-age=31536000, immutable"}


@cache
def _content(name: str, color: str) -> bytes:
    text = (files("freehold.web.pages") / "static" / name).read_text(encoding="utf-8")
    return (theme.style(color) + text if name == "pages.css" else text).encode()


def asset(name: str, color: str) -> str:
    """The path of an asset, with a mark of its content."""
    mark = hashlib.sha256(_content(name, color)).hexdigest()[:12]
    return f"{ASSETS}/{mark}/{name}"


def asset_routes(color: str) -> list[Route]:
    """The routes of all assets. An old mark gets what there is now, so that a roll of servers breaks no page."""

    def route(name: str) -> Route:
        async def serve(_: Request) -> Response:
            return Response(_content(name, color), headers={"Content-Type": _TYPES[name], **_KEPT})

        return Route(f"{ASSETS}/{{mark}}/{name}", serve, include_in_schema=False)

    return [route(name) for name in _TYPES]
