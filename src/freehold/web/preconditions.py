"""Entity tags and preconditions (RFC 9110 8.8, 13).

A strong tag is `"<row version>-<digest of the view>"`: two callers who see different fields of one row have different
tags with one version, so `If-None-Match` compares the whole tag and `If-Match` the version alone.
"""

from __future__ import annotations

import re
from hashlib import blake2b

from starlette.datastructures import Headers

from freehold.errors import BadRequest, PreconditionFailed, PreconditionRequired

_TAG = re.compile(r'\s*(W/)?"([\x21\x23-\x7e\x80-\xff]*)"\s*(?:,|$)')


def entity_tag(version: int, body: bytes) -> str:
    """The strong tag of a representation."""
    return f'"{version}-{blake2b(body, digest_size=8).hexdigest()}"'


def _tags(headers: Headers, name: str) -> list[tuple[bool, str]] | None:
    """(weak, opaque) of every tag; `*` as (False, "*"); None without the header. Raises BadRequest."""
    values = headers.getlist(name)
    if not values:
        return None
    text = ",".join(values)
    if text.strip() == "*":
        return [(False, "*")]
    found, at = [], 0
    while at < len(text):
        match = _TAG.match(text, at)
        if match is None:
            raise BadRequest(f"{name.title()} is a list of quoted entity tags or *.", code="request.bad_precondition")
        found.append((match.group(1) is not None, match.group(2)))
        at = match.end()
    return found


def not_modified(headers: Headers, tag: str) -> bool:
    """Whether `If-None-Match` names this representation; the comparison is weak (RFC 9110 13.1.2)."""
    tags = _tags(headers, "if-none-match")
    return tags is not None and any(opaque in ("*", tag.strip('"')) for _, opaque in tags)


def check_match(headers: Headers, *, version: int | None, tag: str | None = None, required: bool = False) -> None:
    """Judge `If-Match` for a row that is there. tag: compared whole where the model has no version.

    Raises PreconditionRequired where the header is missing and `required`, PreconditionFailed when it names another
    version; a weak tag never matches (RFC 9110 13.1.1).
    """
    tags = _tags(headers, "if-match")
    if tags is None:
        if required:
            raise PreconditionRequired("Send If-Match with the ETag that you read.")
        return
    for weak, opaque in tags:
        if opaque == "*":
            return
        if weak:
            continue
        if version is not None and opaque.partition("-")[0] == str(version):
            return
        if version is None and tag is not None and opaque == tag.strip('"'):
            return
    raise PreconditionFailed("The resource has changed since you read it: read it again, then decide.")
