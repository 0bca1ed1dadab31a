"""The `hybrid` method: Optuna searches architecture, and each trial learns its bits by gradient.

    proposal i      LearnBits under budget b_i, on an architecture that Optuna's TPE draws
    b_i             i mod n of a ladder of n = max(budgets given, half of the trials, rounded up)

TPE (`drawn`) is told the score and log cost of every point, so an architecture is good that brings a point
to the front, whatever its budget. Going through half a ladder twice gives each budget a second architecture,
drawn with more known; the other methods have a budget for each trial (search.ladder).

A draw that cannot keep the budget and the constraints, or that was trained under the budget before, is
exchanged for the nearest architecture that can and was not. Where none is left under b_i, the next budget of
the whole ladder takes its place; where none is left at all, the study ends.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from dataclasses import replace

from search.architecture import Chosen, nearest, space_of
from search.feasible import feasible
from search.ladder import budget_ladder
from search.strategies.drawn import DrawnSearch
from search.strategies.gradient import learn
from search.strategies.optuna_search import population
from search.strategy import LearnBits, StudyContext

Trained = Collection[tuple[Chosen, float]]
"""Pairs of an architecture and a budget's maximum."""


class HybridSearch(DrawnSearch):
    """Rounds of trials that learn bits, each on an architecture that Optuna draws."""

    name = "hybrid"

    def __init__(self, context: StudyContext) -> None:
        super().__init__(context)
        self._ladder = budget_ladder(context)
        self._short_ladder = budget_ladder(replace(context, trials=_half(context)))

    def _next_round(self) -> Iterator[LearnBits]:
        context, told = self._context, self._told()
        trained = {(one.settings, one.budget.maximum) for one in told if isinstance(one, LearnBits)}
        drawn = self._drawn(context)
        for place in range(len(told), min(len(told) + population(context), context.trials)):
            found = self._next(next(drawn), place, trained)
            if found is None:
                return
            trained.add((found.settings, found.budget.maximum))
            yield found

    def _next(self, drawn: Chosen, place: int, trained: Trained) -> LearnBits | None:
        """The trial nearest to what was drawn, under the budget whose turn it is or the next one."""
        space = space_of(self._context.architectures)
        meant = self._short_ladder[place % len(self._short_ladder)]
        for budget in (meant, *self._ladder):
            left = [one for one in feasible(self._costs, budget) if (one, budget.maximum) not in trained]
            if left:
                return learn(budget, nearest(drawn, left, space))
        return None


def _half(context: StudyContext) -> int:
    """The trials that have a budget of their own: half of them, though enough for the given budgets."""
    return min(context.trials, max(len(context.budgets), math.ceil(context.trials / 2)))
