"""The request id and the trace that a request belongs to (W3C Trace Context)."""

from __future__ import annotations

import os
import re

from freehold.observe.context import Trace
from freehold.web.edge_fields import Fields

_REQUEST_ID = re.compile(rb"[A-Za-z0-9][A-Za-z0-9._\-]{0,63}")
_TRACEPARENT = re.compile(rb"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")


class _Randomness:
    """The system's random source, read 8 KiB at a time: a read for each request would cost as much as all of the rest."""

    def __init__(self) -> None:
        self._text, self._at = "", 0
        os.register_at_fork(after_in_child=self._forget)

    def take(self, characters: int) -> str:
        """So many hexadecimal digits, each given out once."""
        if self._at + characters > len(self._text):
            self._text, self._at = os.urandom(8_192).hex(), 0
        begin, self._at = self._at, self._at + characters
        return self._text[begin : self._at]

    def _forget(self) -> None:
        """A forked child must not give out what its parent does."""
        self._text, self._at = "", 0


_randomness = _Randomness()


def trace_of(fields: Fields) -> tuple[Trace, str]:
    """The ids of this request and the traceparent to hand on.

    A request id from outside counts when it is short and plain, a traceparent when it is valid; otherwise they are made
    anew. Our own span has a new id; a new trace is not sampled.
    """
    fresh = _randomness.take(80)
    if not fields.has_ids:
        trace_id = fresh[32:64]
        return Trace(fresh[:32], trace_id), f"00-{trace_id}-{fresh[64:80]}-00"
    given = fields.single(b"x-request-id")
    request_id = given.decode() if given is not None and _REQUEST_ID.fullmatch(given) else fresh[:32]
    parent = fields.single(b"traceparent")
    match = _TRACEPARENT.fullmatch(parent) if parent is not None else None
    if match is None or (match[1] == b"00" and match[5] is not None):
        trace_id, flags = fresh[32:64], "00"
    else:
        trace_id, flags = match[2].decode(), f"{int(match[4], 16) & 1:02x}"
    return Trace(request_id, trace_id), f"00-{trace_id}-{fresh[64:80]}-{flags}"
