"""How a value varies over seeds: its mean and median, its range and its standard deviation."""

from __future__ import annotations

from collections.abc import Collection
from statistics import mean, median, stdev
from typing import Literal

from service.views import View

LEAST_FOR_DEVIATION = 2
Middle = Literal["mean", "median"]


class Spread(View):
    """Some values, one per seed; `deviation` is the sample standard deviation, None for a single value."""

    mean: float
    median: float
    least: float
    greatest: float
    deviation: float | None
    count: int

    def middle(self, kind: Middle) -> float:
        """The mean or the median."""
        return self.mean if kind == "mean" else self.median


def spread_of(values: Collection[float]) -> Spread | None:
    """The spread of some values; None without any."""
    if not values:
        return None
    return Spread(
        mean=mean(values),
        median=median(values),
        least=min(values),
        greatest=max(values),
        deviation=stdev(values) if len(values) >= LEAST_FOR_DEVIATION else None,
        count=len(values),
    )
