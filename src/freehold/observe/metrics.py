"""Metrics in a registry of our own: what the edge counts, and what others register.

Labels come from closed sets (methods, route templates, statuses), never from what a client wrote, so their number is
bounded.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterator
from itertools import accumulate

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Metric, generate_latest
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class _Taken:
    """Those of one kind: how many took how long, and how long all of them."""

    __slots__ = ("buckets", "seconds")

    def __init__(self) -> None:
        self.buckets = [0] * (len(_SECONDS) + 1)
        self.seconds = 0.0


class _Requests(Collector):
    """What every request counts: two metrics in one number each for its kind and its bucket, added up when somebody looks.

    A counter and a histogram of the client library take a lock for each of three values, and a walk over the buckets.
    """

    def __init__(self) -> None:
        self._since = time.time()
        self._taken: dict[tuple[str, str, int], _Taken] = {}

    def done(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answered request. route: the template, never the path."""
        taken = self._taken.get((method, route, status)) or self._of(method, route, status)
        taken.buckets[bisect_left(_SECONDS, seconds)] += 1
        taken.seconds += seconds

    def _of(self, method: str, route: str, status: int) -> _Taken:
        """Those of a kind that is new, or of a method that a client made up."""
        return self._taken.setdefault((method if method in _METHODS else "other", route, status), _Taken())

    def collect(self) -> Iterator[Metric]:
        """See `Collector`."""
        requests, times = self.describe()
        by_route: defaultdict[tuple[str, str], _Taken] = defaultdict(_Taken)
        for (method, route, status), taken in list(self._taken.items()):
            requests.add_metric([method, route, str(status)], sum(taken.buckets), created=self._since)
            known = by_route[method, route]
            known.buckets = [one + other for one, other in zip(known.buckets, taken.buckets, strict=True)]
            known.seconds += taken.seconds
        for named, taken in by_route.items():
            buckets = zip([*map(floatToGoString, _SECONDS), "+Inf"], accumulate(taken.buckets), strict=True)
            times.add_metric(list(named), list(buckets), taken.seconds)
        yield requests
        yield times

    def describe(self) -> tuple[CounterMetricFamily, HistogramMetricFamily]:
        """Names and meanings, without a value."""
        return CounterMetricFamily(
            "freehold_http_requests", "Requests answered", labels=["method", "route", "status"]
        ), HistogramMetricFamily(
            "freehold_http_request_seconds",
            "Time from the request line to the last byte of the answer",
            labels=["method", "route"],
        )


class Metrics:
    """The metrics of one application."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry(auto_describe=True)
        self._requests = _Requests()
        self.registry.register(self._requests)
        self.request_done = self._requests.done  # bound here: each request would pay for a delegation

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
