"""Answers of the server itself, as bytes: to what is no request, and 503 for one that there is no room for, which is there already.

A process that is asked for four times what it can bear spends on refusals what it takes from the rest. The latter costs
a look at the bytes and a write: no parser, no task, no scope, no timer, no line in the log.
"""

from __future__ import annotations

import os
import re

from freehold.errors import AtCapacity, Problem
from freehold.web.edge_headers import finished
from freehold.web.edge_load import Load
from freehold.web.problems import problem_parts

_PLACE = "0" * 32  # of the request id, in a problem document and in its header
# One request without a body, in one piece. What is more than that, or has to be judged (bytes that no head may hold, framing,
# another origin), is the parser's.
_PLAIN = re.compile(rb"(?:GET|DELETE) (/[!-~]*) HTTP/1\.1\r\n(?:[A-Za-z0-9-]+:[\t -~]*\r\n)+\r\n")
_NOT_PLAIN = re.compile(
    rb"\n(?:content-length|transfer-encoding|expect|upgrade|origin|connection: *+(?!(?:keep-alive|close)\r))",
    re.IGNORECASE,
)
_LAST = re.compile(rb"\nconnection: *close\r", re.IGNORECASE)


def _template(seconds: int, *, is_https: bool) -> tuple[bytes, list[bytes]]:
    """The status line, and what stands between the places of the request id."""
    status, headers, body = problem_parts(AtCapacity(retry_after=seconds), request_id=_PLACE)
    fields = finished(headers, status=status, has_credentials=False, is_https=is_https, request_id=_PLACE.encode())
    head = b"".join(b"%s: %s\r\n" % field for field in fields)
    return b"HTTP/1.1 503 Service Unavailable\r\n", (b"%s\r\n%s" % (head, body)).split(_PLACE.encode())


_TEMPLATES = {
    (seconds, is_https): _template(seconds, is_https=is_https) for seconds in (1, 2, 3) for is_https in (False, True)
}


def refusal(load: Load, fields: list[tuple[bytes, bytes]], *, is_https: bool) -> bytes:
    """A whole answer, which counts as a refusal of `load`. fields: the server's own, of every answer."""
    line, pieces = _TEMPLATES[load.refuse(), is_https]
    own = b"".join([b"%s: %s\r\n" % field for field in fields])
    return line + own + os.urandom(16).hex().encode().join(pieces)


def plain_path(data: bytes) -> bytes | None:
    """The path and query that `data` asks for, where it is one request that may be refused as it stands."""
    found = _PLAIN.fullmatch(data)
    return None if found is None or _NOT_PLAIN.search(data) else found[1]


def is_last(data: bytes) -> bool:
    """Whether its client wants the connection closed after the answer."""
    return _LAST.search(data) is not None


def last_answer(problem: Problem, *, is_https: bool) -> bytes:
    """The answer to what the parser could not read on from; the connection is closed behind it."""
    request_id = os.urandom(16).hex()
    status, headers, body = problem_parts(problem, request_id=request_id)
    fields = finished(
        [*headers, (b"connection", b"close")],
        status=status,
        has_credentials=False,
        is_https=is_https,
        request_id=request_id.encode(),
    )
    head = b"".join(b"%s: %s\r\n" % field for field in fields)
    return b"HTTP/1.1 %d %s\r\n%s\r\n%s" % (status, problem.title.encode(), head, body)
