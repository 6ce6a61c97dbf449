from __future__ import annotations

import pytest

from freehold.observe.metrics import Metrics


def test_requests_are_counted_by_method_template_and_status() -> None:
    metrics = Metrics()
    metrics.request_done("GET", "/v1/books/{id}", 200, 0.003)
    metrics.request_done("GET", "/v1/books/{id}", 200, 0.004)
    metrics.request_done("GET", "/v1/books/{id}", 404, 0.001)
    text = metrics.exposition().decode()
    assert 'freehold_http_requests_total{method="GET",route="/v1/books/{id}",status="200"} 2.0' in text
    assert 'freehold_http_requests_total{method="GET",route="/v1/books/{id}",status="404"} 1.0' in text
    assert 'freehold_http_request_seconds_count{method="GET",route="/v1/books/{id}"} 3.0' in text
    assert 'freehold_http_request_seconds_bucket{le="0.0025",method="GET",route="/v1/books/{id}"} 1.0' in text


def test_methods_that_a_client_made_up_share_one_label() -> None:
    metrics = Metrics()
    for number in range(50):
        metrics.request_done(f"M{number}", "unmatched", 405, 0.001)
    assert 'method="other",route="unmatched",status="405"} 50.0' in metrics.exposition().decode()
    assert metrics.exposition().decode().count("freehold_http_requests_total{") == 1


def test_buckets_hold_what_took_as_long_or_less() -> None:
    metrics = Metrics()
    for seconds in (0.0005, 0.001, 0.0011, 30.0, 31.0):
        metrics.request_done("GET", "/", 200, seconds)
    lines = [
        line.split() for line in metrics.exposition().decode().splitlines() if "_seconds" in line and line[0] != "#"
    ]
    found = {
        name.partition("{")[2].partition('"')[2].partition('"')[0]: value for name, value in lines if "bucket" in name
    }
    assert [found["0.001"], found["0.0025"], found["10.0"], found["30.0"], found["+Inf"]] == [
        "2.0",
        "3.0",
        "3.0",
        "4.0",
        "5.0",
    ]
    told = {name.partition("{")[0]: float(value) for name, value in lines if "bucket" not in name}
    assert told == {
        "freehold_http_request_seconds_count": 5.0,
        "freehold_http_request_seconds_sum": pytest.approx(61.0026),
    }


def test_a_gauge_is_read_when_asked_and_registries_do_not_meet() -> None:
    metrics, value = Metrics(), [1.0]
    metrics.gauge("freehold_jobs_waiting", "Jobs waiting", lambda: value[0])
    value[0] = 7.0
    assert "freehold_jobs_waiting 7.0" in metrics.exposition().decode()
    assert "freehold_jobs_waiting" not in Metrics().exposition().decode()


def test_others_may_register_counters_and_histograms() -> None:
    metrics = Metrics()
    metrics.counter("freehold_jobs_done", "Jobs done", ("result",)).labels("ok").inc(3)
    metrics.histogram("freehold_db_seconds", "Time in the database").observe(0.02)
    text = metrics.exposition().decode()
    assert 'freehold_jobs_done_total{result="ok"} 3.0' in text
    assert 'freehold_db_seconds_bucket{le="0.025"} 1.0' in text
