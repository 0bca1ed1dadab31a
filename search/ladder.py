"""The budgets that a study's trials are meant for, the same for every method.

First those of the job, from the least to the greatest; then, while there are trials to spare, budgets between
them, which fill in the front: the widest gap (by ratio) is halved geometrically, again and again, while it is
wider than LEAST_RATIO. A single budget is paired with the least cost of the space.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from models.cost import Limit
from search.feasible import least_costs
from search.strategy import StudyContext

LEAST_RATIO = 1.05


def budget_ladder(context: StudyContext) -> list[Limit]:
    """A budget for each trial of the context; fewer where neighbours would be closer than LEAST_RATIO."""
    given = list(context.budgets[: context.trials])
    return [*given, *limits_between(context, context.trials - len(given))]


def limits_between(context: StudyContext, count: int) -> list[Limit]:
    """Up to `count` budgets between those of the context."""
    return [replace(context.budgets[0], maximum=maximum) for maximum in _between(_ends(context), count)]


def least_cost(context: StudyContext) -> float:
    """What the cheapest allocation costs that learning can reach, on the cheapest architecture."""
    learned = least_costs(context, context.options.learning_bounds())
    return min((learned or least_costs(context, context.bounds)).values())


def _ends(context: StudyContext) -> list[float]:
    maxima = [budget.maximum for budget in context.budgets]
    return maxima if len(maxima) > 1 else [least_cost(context), *maxima]


def _between(ends: Sequence[float], count: int) -> Iterator[float]:
    """Up to `count` geometric midpoints, the widest gap first (the lower one of equally wide gaps)."""
    marks = list(ends)
    for _ in range(count):
        low, high = max(pairwise(marks), key=lambda gap: round(gap[1] / gap[0], 6))
        if high / low <= LEAST_RATIO:
            return
        middle = float(f"{math.sqrt(low * high):.6g}")
        marks = sorted([*marks, middle])
        yield middle
