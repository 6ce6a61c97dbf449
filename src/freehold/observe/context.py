"""The request or job that the running task works for: what ties log lines together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple


class Trace(NamedTuple):
    """`request_id` finds the log lines of one request, `trace_id` those of everything it caused (W3C Trace Context)."""

    request_id: str
    trace_id: str


CURRENT: ContextVar[Trace | None] = ContextVar("freehold_trace", default=None)


@contextmanager
def tracing(request_id: str, trace_id: str) -> Iterator[Trace]:
    """Tie every log line written inside to this request; a job passes the ids of what enqueued it."""
    trace = Trace(request_id, trace_id)
    token = CURRENT.set(trace)
    try:
        yield trace
    finally:
        CURRENT.reset(token)
