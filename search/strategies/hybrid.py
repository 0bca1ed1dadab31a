"""The `hybrid` method: Optuna searches architecture, and each trial learns its bits by gradient.

    proposal i      LearnBits under budget b_i, on an architecture that Optuna's TPE draws
    b_i             i mod n of a ladder of n = max(budgets given, half of the trials, rounded up)

TPE has a categorical parameter for each setting of the search space and nothing else. It is told the score
(up) and the log cost (down) of every point, so an architecture is good that brings a point to the front,
whatever its budget. Going through half a ladder twice gives each budget a second architecture, drawn with
more known; the other methods have a budget for each trial (search.ladder).

A draw that cannot keep the budget and the constraints, or that was trained under the budget before, is
exchanged for the nearest architecture that can and was not. Where none is left under b_i, the next budget of
the whole ladder takes its place; where none is left at all, the study ends.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from search.architecture import Chosen, nearest, space_of
from search.feasible import feasible, least_costs
from search.ladder import budget_ladder
from search.space import chosen_by, setting_bounds
from search.strategies.gradient import learn
from search.strategies.optuna_search import OptunaDraws, population, tpe
from search.strategies.sampled import round_seed
from search.strategy import LearnBits, Proposal, StudyContext, TrialResult

Trained = Collection[tuple[Chosen, float]]
"""Pairs of an architecture and a budget's maximum."""


class HybridSearch:
    """Rounds of trials that learn bits, each on an architecture that Optuna draws."""

    def __init__(self, context: StudyContext) -> None:
        self._context = context
        self._costs = least_costs(context, context.options.learning_bounds())
        self._ladder = budget_ladder(context)
        self._short_ladder = budget_ladder(replace(context, trials=_half(context)))
        self._draws = OptunaDraws(tpe, bounds=_bounds)
        self._rounds: tuple[tuple[TrialResult, ...], ...] = ()
        self._asked: tuple[Proposal, ...] | None = None

    def ask(self) -> Sequence[Proposal]:
        """The proposals of the next round; the same again until `tell` is called."""
        if self._asked is None:
            self._asked = tuple(self._next_round())
        return self._asked

    def tell(self, results: Sequence[TrialResult]) -> None:
        """The finished round, in the order in which it was proposed."""
        self._rounds = (*self._rounds, tuple(results))
        self._asked = None

    def _next_round(self) -> Iterator[LearnBits]:
        context, number = self._context, len(self._rounds)
        told = [result.proposal for finished in self._rounds for result in finished]
        trained = {(one.settings, one.budget.maximum) for one in told if isinstance(one, LearnBits)}
        samples = self._draws(context, self._rounds, round_seed(context.seed, "hybrid", number))
        for place in range(len(told), min(len(told) + population(context), context.trials)):
            found = self._next(chosen_by(next(samples), context), place, trained)
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


def _bounds(context: StudyContext) -> dict[str, tuple[int, int]]:
    return setting_bounds(context.architectures)


def _half(context: StudyContext) -> int:
    """The trials that have a budget of their own: half of them, though enough for the given budgets."""
    return min(context.trials, max(len(context.budgets), math.ceil(context.trials / 2)))
