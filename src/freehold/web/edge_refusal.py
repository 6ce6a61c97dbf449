"""The answer for which nothing else is done: 503 for a request that there is no room for, as bytes that are there already.

A process that is asked for four times what it can bear spends on refusals what it takes from the rest. This one costs the parser
and a write: no task, no scope, no line in the log.
"""

from __future__ import annotations

import os

from freehold.errors import AtCapacity
from freehold.web.edge_headers import finished
from freehold.web.edge_load import Load
from freehold.web.problems import problem_parts

_PLACE = "0" * 32  # of the request id, in a problem document and in its header


def _template(seconds: int, *, is_https: bool) -> bytes:
    status, headers, body = problem_parts(AtCapacity(retry_after=seconds), request_id=_PLACE)
    fields = finished(headers, status=status, has_credentials=False, is_https=is_https, request_id=_PLACE.encode())
    head = b"".join(b"%s: %s\r\n" % field for field in fields)
    return b"HTTP/1.1 503 Service Unavailable\r\n%s\r\n%s" % (head, body)


_TEMPLATES = {
    (seconds, is_https): _template(seconds, is_https=is_https) for seconds in (1, 2, 3) for is_https in (False, True)
}


def refusal(load: Load, *, is_https: bool) -> bytes:
    """A whole answer, which counts as a refusal of `load`."""
    return _TEMPLATES[load.refuse(), is_https].replace(_PLACE.encode(), os.urandom(16).hex().encode())
