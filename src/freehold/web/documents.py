"""Documents (a calendar) as answers of path operations of one's own."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from freehold.resource.document import Document
from freehold.web.preconditions import entity_tag, not_modified


def document_response(request: Request, document: Document) -> Response:
    """The document with an entity tag, or 304 where the client has it."""
    body = document.content()
    headers = {"ETag": entity_tag(0, body)}
    if not_modified(request.headers, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type=document.media_type)
