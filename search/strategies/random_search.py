"""The `random` method: uniform independent integers for every parameter.

One round has them all, unless trials may be stopped early: that takes finished rounds to compare with.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from search.space import Parameters, parameter_bounds
from search.strategies.sampled import Rounds, SampledSearch
from search.strategy import Strategy, StudyContext

STOPPING_ROUND = 4


def random_search(context: StudyContext) -> Strategy:
    """Random allocations, each fitted under its budget."""
    size = STOPPING_ROUND if context.stops_early else context.trials
    return SampledSearch(context, name="random", round_size=size, draws=uniform_draws)


def uniform_draws(context: StudyContext, _: Rounds, seed: int) -> Iterator[Parameters]:
    """Every integer within its bounds is as likely."""
    bounds = parameter_bounds(context)
    random = np.random.default_rng(seed)
    while True:
        yield {name: int(random.integers(low, high, endpoint=True)) for name, (low, high) in bounds.items()}
