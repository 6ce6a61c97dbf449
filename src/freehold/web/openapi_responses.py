"""Responses in the OpenAPI document: the headers that are sent, and refusals with theirs."""

from __future__ import annotations

from typing import Any

from freehold.errors import (
    BadRequest,
    Conflict,
    Forbidden,
    HeadersTooLarge,
    Internal,
    Invalid,
    MethodNotAllowed,
    Misdirected,
    NotFound,
    PreconditionFailed,
    PreconditionRequired,
    Problem,
    StorageFull,
    TooLarge,
    TooManyRequests,
    Unauthenticated,
    Unavailable,
    UnsupportedMediaType,
    UriTooLong,
)

_KINDS: tuple[type[Problem], ...] = (
    BadRequest, Unauthenticated, Forbidden, NotFound, MethodNotAllowed, Conflict, PreconditionFailed, TooLarge,
    UriTooLong, UnsupportedMediaType, Misdirected, Invalid, PreconditionRequired, TooManyRequests, HeadersTooLarge,
    Internal, Unavailable, StorageFull,
)  # fmt: skip
_TITLES = {kind.status: kind.title for kind in _KINDS}
_CONTENT = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
_HEADERS: dict[str, dict[str, Any]] = {
    "ETag": {"description": "Strong entity tag: row version and digest of this view", "schema": {"type": "string"}},
    "Location": {"description": "Address of what was created", "schema": {"type": "string", "format": "uri-reference"}},
    "Link": {"description": "Addresses of the next, previous and first page (RFC 8288)", "schema": {"type": "string"}},
    "Retry-After": {"description": "Seconds to wait", "schema": {"type": "integer", "minimum": 0}},
    "WWW-Authenticate": {"description": "How to authenticate (RFC 6750)", "schema": {"type": "string"}},
    "Idempotent-Replayed": {
        "description": "`true` on the stored answer of an earlier request with this key",
        "schema": {"type": "string", "const": "true"},
    },
    "Accept": {"description": "The media types that are taken", "schema": {"type": "string"}},
    "Accept-Encoding": {"description": "`identity`: bodies are not unpacked", "schema": {"type": "string"}},
    "Accept-Patch": {"description": "The media types of a change (RFC 5789)", "schema": {"type": "string"}},
    "Allow": {"description": "The methods of this path", "schema": {"type": "string"}},
    "RateLimit": {"description": "What is left of the quota, and when it is whole again", "schema": {"type": "string"}},
    "RateLimit-Policy": {"description": "The quota and its window", "schema": {"type": "string"}},
}
_OF_REFUSALS = {
    401: ("WWW-Authenticate",),
    403: ("WWW-Authenticate",),
    405: ("Allow",),
    409: ("Retry-After",),
    415: ("Accept", "Accept-Encoding"),
    429: ("Retry-After", "RateLimit", "RateLimit-Policy"),
    503: ("Retry-After",),
}


def headers(*names: str) -> dict[str, Any]:
    """The descriptions of these headers."""
    return {name: _HEADERS[name] for name in names}


def refusal(status: int, *, patch: bool = False) -> dict[str, Any]:
    """A problem document with the headers that come with its status. patch: of an operation that takes merge patches."""
    described: dict[str, Any] = {"description": _TITLES.get(status, "Refused"), "content": _CONTENT}
    names = _OF_REFUSALS.get(status, ()) + (("Accept-Patch",) if patch and status == 415 else ())
    return {**described, "headers": headers(*names)} if names else described


def tell_quota(operation: dict[str, Any]) -> None:
    """Say that the answers of an operation tell what is left of its quota, whatever their status."""
    for response in operation["responses"].values():
        response["headers"] = {**response.get("headers", {}), **headers("RateLimit", "RateLimit-Policy")}
