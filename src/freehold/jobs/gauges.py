"""What is measured about jobs."""

from __future__ import annotations

from datetime import timedelta

from freehold.observe.metrics import Metrics


class JobMetrics:
    """Counts tries by outcome, and keeps the figures to raise an alarm on as they were measured last."""

    def __init__(self, metrics: Metrics) -> None:
        self._tries = metrics.counter("freehold_job_tries", "Tries of jobs", ("job", "outcome"))
        self._oldest_seconds = 0.0
        self._dead = 0
        metrics.gauge(
            "freehold_jobs_oldest_waiting_seconds",
            "How long the job that has been due longest has been waiting",
            lambda: self._oldest_seconds,
        )
        metrics.gauge("freehold_jobs_dead", "Jobs that were given up and wait for a person", lambda: self._dead)

    def tried(self, job: str, outcome: str) -> None:
        """Count one try."""
        self._tries.labels(job, outcome).inc()

    def measured(self, *, oldest: timedelta, dead: int) -> None:
        """Keep what the database said."""
        self._oldest_seconds = oldest.total_seconds()
        self._dead = dead
