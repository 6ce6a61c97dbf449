"""The edge of an application, told what its settings and its declarations ask for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from starlette.types import ASGIApp

from freehold.web.edge import Edge, EdgeOptions
from freehold.web.imports import room_for_imports
from freehold.web.media import room_for

if TYPE_CHECKING:
    from freehold.web.app import Freehold


def edge_of(app: Freehold, inside: ASGIApp) -> Edge:
    """The edge around `inside`, with room for uploads and imports where there are any."""
    options = EdgeOptions.from_settings(app.settings)
    if app.library is not None:
        options = replace(options, roomy=room_for(app.library.media))
    options = replace(options, roomy=(*options.roomy, *room_for_imports(app.mounted)))
    return Edge(inside, options, metrics=app.metrics)
