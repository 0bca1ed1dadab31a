"""The mean of a few values, one per seed, with its 95 % interval, and how many seeds would settle its sign.

The interval is the hull of two: scipy's percentile bootstrap of the mean, and Student's

    mean +- t(0.975, n - 1) * sd / sqrt(n)

The bootstrap asks for no distribution, but with three seeds its interval holds zero too seldom: where there
is nothing to find, all three differences have one sign in one case of four, and then every resample has it.
Student's interval is as wide as so few seeds deserve; the hull is never narrower than either (decision 10).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean, stdev

import numpy as np

LEAST_SEEDS = 2
MOST_SEEDS = 100
CONFIDENCE, POWER = 0.95, 0.8
RESAMPLES = 2_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Interval:
    """A mean over seeds with its 95 % interval; `low` and `high` are None with fewer than two seeds."""

    value: float
    low: float | None
    high: float | None
    seeds: int

    @property
    def sign(self) -> int:
        """1 or -1 where the whole interval lies on that side of zero, else 0."""
        if self.low is None or self.high is None:
            return 0
        return int(self.low > 0) - int(self.high < 0)


def mean_interval(values: Sequence[float]) -> Interval | None:
    """The interval of the mean of some finite values; None without any. The same for the same values."""
    if not values:
        return None
    middle, count = mean(values), len(values)
    if count < LEAST_SEEDS:
        return Interval(value=middle, low=None, high=None, seeds=count)
    lows, highs = zip(_student(values), _bootstrap(values), strict=True)
    return Interval(value=middle, low=min(lows), high=max(highs), seeds=count)


def seeds_needed(differences: Sequence[float]) -> int | None:
    """How many seeds would show the sign of such differences in 4 of 5 repetitions; None beyond MOST_SEEDS.

    The least n with |mean| * sqrt(n) / sd > t(0.975, n - 1) + t(0.8, n - 1), the usual sum for a paired test.
    """
    if len(differences) < LEAST_SEEDS:
        return None
    middle, deviation = abs(mean(differences)), stdev(differences)
    if middle == 0:
        return None
    for count in range(LEAST_SEEDS, MOST_SEEDS + 1):
        wanted = sum(_quantile(share, count - 1) for share in ((1 + CONFIDENCE) / 2, POWER))
        if middle * math.sqrt(count) > wanted * deviation:
            return count
    return None


def _student(values: Sequence[float]) -> tuple[float, float]:
    reach = _quantile((1 + CONFIDENCE) / 2, len(values) - 1) * stdev(values) / math.sqrt(len(values))
    return mean(values) - reach, mean(values) + reach


def _quantile(share: float, freedom: int) -> float:
    """Of Student's distribution with that many degrees of freedom."""
    from scipy.stats import t  # takes a second to import, which a service that starts can do without

    return float(t.ppf(share, freedom))


def _bootstrap(values: Sequence[float]) -> tuple[float, float]:
    """Seeded, so that a comparison reads the same each time it is opened."""
    from scipy.stats import bootstrap  # see _quantile

    found = bootstrap(
        (np.asarray(values),),
        np.mean,
        n_resamples=RESAMPLES,
        confidence_level=CONFIDENCE,
        method="percentile",
        rng=np.random.default_rng(0),
    ).confidence_interval
    return float(found.low), float(found.high)
