"""Prometheus metrics of one application, in a registry of its own.

Requests are counted in this process; everything else is read from the store when the metrics are read, so
that it holds for all processes and survives each of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Histogram, Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from service.store import Store
from service.store.queue import TrialSeconds

SECONDS_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
TRIAL_BUCKETS = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1_000.0, 3_000.0, 10_000.0, 30_000.0, 100_000.0)


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


@dataclass(frozen=True, kw_only=True, slots=True)
class Counts:
    """What the store says of all workspaces together."""

    jobs: Mapping[str, int]  # by state
    oldest_queued_seconds: float
    incidents: Mapping[str, int]  # by kind
    trials: Mapping[str, TrialSeconds]  # by state
    dispatchers: Mapping[str, int]  # alive and silent


def counts_of(store: Store) -> Counts:
    """Read them in one transaction."""
    with store.unit() as unit:
        now = unit.queue.now()
        ages = [(now - row.seen_at).total_seconds() <= row.lease_seconds for row in unit.queue.dispatchers()]
        return Counts(
            jobs=unit.jobs.counts(),
            oldest_queued_seconds=unit.queue.oldest_queued_seconds(),
            incidents=unit.incidents.counts(),
            trials=unit.queue.trial_seconds(TRIAL_BUCKETS),
            dispatchers={"alive": sum(ages), "silent": len(ages) - sum(ages)},
        )


class StoreMetrics(Collector):
    """Asks the store when the metrics are read."""

    def __init__(self, read: Callable[[], Counts]) -> None:
        self._read = read

    def describe(self) -> Iterable[Metric]:
        """Names the metrics without asking the store."""
        nothing = Counts(jobs={}, oldest_queued_seconds=0.0, incidents={}, trials={}, dispatchers={})
        return list(_families(nothing))

    def collect(self) -> Iterable[Metric]:
        """All samples."""
        return list(_families(self._read()))


def _families(counts: Counts) -> Iterator[Metric]:
    yield _gauges("bitfront_jobs", "Jobs by state.", "state", counts.jobs)
    yield _gauges(
        "bitfront_dispatchers", "Dispatchers heard from lately, or not.", "state", counts.dispatchers
    )
    yield GaugeMetricFamily(
        "bitfront_oldest_queued_seconds",
        "How long the oldest queued job has waited.",
        value=counts.oldest_queued_seconds,
    )
    yield CounterMetricFamily(
        "bitfront_lease_expiries",
        "Leases that ran out and were taken over.",
        value=counts.incidents.get("lease_expired", 0),
    )
    yield CounterMetricFamily(
        "bitfront_late_results",
        "Results that came under an old fencing token and were rejected.",
        value=counts.incidents.get("late_result", 0),
    )
    yield _histogram(counts.trials)


def _gauges(name: str, help_text: str, label: str, values: Mapping[str, int]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, help_text, labels=[label])
    for key, number in values.items():
        family.add_metric([key], number)
    return family


def _histogram(trials: Mapping[str, TrialSeconds]) -> HistogramMetricFamily:
    family = HistogramMetricFamily(
        "bitfront_trial_seconds", "Wall seconds of trials that were trained and have ended.", labels=["state"]
    )
    for state, found in trials.items():
        buckets = [(str(bound), number) for bound, number in zip(TRIAL_BUCKETS, found.within, strict=True)]
        family.add_metric([state], [*buckets, ("+Inf", found.count)], sum_value=found.total)
    return family
