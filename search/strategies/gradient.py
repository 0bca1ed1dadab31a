"""The `gradient` method: trials that learn their bits, one per budget, then between the budgets.

With trials to spare it also learns under budgets between the given ones, which fills in the front: the
widest gap (by ratio) is halved geometrically, again and again, while it is wider than LEAST_RATIO. A single
budget is paired with the least cost of the space.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from models.cost import Limit, limit_cost
from models.repair import least_allocation
from search.strategy import LearnBits, Proposal, StudyContext, TrialResult

LEAST_RATIO = 1.05


class GradientSearch:
    """One round of proposals that learn bits; the trials themselves do the searching."""

    def __init__(self, context: StudyContext) -> None:
        self._context = context
        self._told = False

    def ask(self) -> Sequence[Proposal]:
        """The single round, then nothing."""
        return () if self._told else tuple(_learn(limit) for limit in learned_limits(self._context))

    def tell(self, results: Sequence[TrialResult]) -> None:
        """Budgets do not depend on what was found."""
        self._told = True


def _learn(limit: Limit) -> LearnBits:
    return LearnBits(budget=limit, note={"budget": limit.maximum})


def learned_limits(context: StudyContext) -> list[Limit]:
    """The budgets of the context, then those between them while there are trials to spare."""
    given = list(context.budgets[: context.trials])
    return [*given, *limits_between(context, context.trials - len(given))]


def limits_between(context: StudyContext, count: int) -> list[Limit]:
    """Up to `count` budgets between those of the context."""
    return [replace(context.budgets[0], maximum=maximum) for maximum in _between(_ends(context), count)]


def least_cost(context: StudyContext) -> float:
    """What the cheapest allocation costs that learning can reach."""
    least = least_allocation(context.layers, context.options.learning_bounds())
    return limit_cost(context.budgets[0], context.layers, least)


def _ends(context: StudyContext) -> list[float]:
    maxima = [budget.maximum for budget in context.budgets]
    if len(maxima) > 1:
        return maxima
    return [least_cost(context), *maxima]


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
