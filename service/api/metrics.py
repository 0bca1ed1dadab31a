"""Prometheus metrics of one application, in a registry of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter, Histogram, Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

SECONDS_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """Counts requests by route and status, and how long they took."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "bitfront_requests", "Requests answered.", ["method", "route", "status"], registry=self.registry
        )
        self._seconds = Histogram(
            "bitfront_request_seconds",
            "Seconds until a request was answered whole.",
            ["method", "route"],
            buckets=SECONDS_BUCKETS,
            registry=self.registry,
        )

    def answered(self, *, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request."""
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(seconds)


class JobsByState(Collector):
    """Asks the store how many jobs are in each state when the metrics are read."""

    def __init__(self, count: Callable[[], Mapping[str, int]]) -> None:
        self._count = count

    def describe(self) -> Iterable[Metric]:
        """Names the metric without asking the store."""
        return [GaugeMetricFamily("bitfront_jobs", "Jobs by state.", labels=["state"])]

    def collect(self) -> Iterable[Metric]:
        """One sample per state."""
        family = GaugeMetricFamily("bitfront_jobs", "Jobs by state.", labels=["state"])
        for state, number in self._count().items():
            family.add_metric([state], number)
        return [family]
