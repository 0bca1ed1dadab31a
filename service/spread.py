"""How a value varies over seeds: its mean, its range and its standard deviation."""

from __future__ import annotations

from collections.abc import Collection
from statistics import mean, stdev

from service.views import View

LEAST_FOR_DEVIATION = 2


class Spread(View):
    """Some values, one per seed; `deviation` is the sample standard deviation, None for a single value."""

    mean: float
    least: float
    greatest: float
    deviation: float | None
    count: int


def spread_of(values: Collection[float]) -> Spread | None:
    """The spread of some values; None without any."""
    if not values:
        return None
    return Spread(
        mean=mean(values),
        least=min(values),
        greatest=max(values),
        deviation=stdev(values) if len(values) >= LEAST_FOR_DEVIATION else None,
        count=len(values),
    )
