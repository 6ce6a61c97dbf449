"""Metrics in a registry of our own: what the edge counts, and what others register.

Labels come from closed sets (methods, route templates, statuses), never from what a client wrote, so their number is
bounded; the children are kept, because looking one up costs more than counting.
"""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """The metrics of one application."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry(auto_describe=True)
        self._requests = Counter(
            "freehold_http_requests", "Requests answered", ["method", "route", "status"], registry=self.registry
        )
        self._seconds = Histogram(
            "freehold_http_request_seconds",
            "Time from the request line to the last byte of the answer",
            ["method", "route"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._counted: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    def request_done(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answered request. route: the template, never the path."""
        key = (method if method in _METHODS else "other", route, status)
        children = self._counted.get(key)
        if children is None:
            children = self._requests.labels(key[0], route, str(status)), self._seconds.labels(key[0], route)
            self._counted[key] = children
        children[0].inc()
        children[1].observe(seconds)

    def gauge(self, name: str, documentation: str, read: Callable[[], float]) -> Gauge:
        """Register a gauge that is read when the metrics are asked for. `read` must be quick and do no I/O."""
        gauge = Gauge(name, documentation, registry=self.registry)
        gauge.set_function(read)
        return gauge

    def counter(self, name: str, documentation: str, labels: tuple[str, ...] = ()) -> Counter:
        """Register a counter. Label values must come from a closed set."""
        return Counter(name, documentation, labels, registry=self.registry)

    def histogram(self, name: str, documentation: str, labels: tuple[str, ...] = ()) -> Histogram:
        """Register a histogram of seconds."""
        return Histogram(name, documentation, labels, buckets=_SECONDS, registry=self.registry)

    def exposition(self) -> bytes:
        """Everything counted, in the Prometheus text format."""
        return generate_latest(self.registry)
