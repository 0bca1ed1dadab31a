"""The `uniform-front` method: descents through uniform allocations, what `gradient-front` has to beat.

A descent of either trains one network through as many stages for as many epochs; here each stage trains the
allocation that `uniform` would train for itself, from the dearest to the cheapest, and nothing is learned but
weights. So the difference between the two is what learning the bits is worth, and the difference between this
method and `uniform` is what training through a front is worth. Of a search space it trains the first
architecture alone, as `gradient-front` does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from models.allocation import Allocation
from models.cost import limit_cost
from search.strategies.gradient_front import dealt_out, front_limits
from search.strategies.uniform import uniform_proposals
from search.strategy import FixedFront, Proposal, StudyContext, TrialResult


class UniformFrontSearch:
    """One round of descents."""

    def __init__(self, context: StudyContext) -> None:
        self._context = context.first
        self._told = False

    def ask(self) -> Sequence[Proposal]:
        """The single round, then nothing."""
        return () if self._told else tuple(_descents(self._context))

    def tell(self, results: Sequence[TrialResult]) -> None:
        """Uniform allocations do not depend on what was found."""
        self._told = True


def _descents(context: StudyContext) -> list[FixedFront]:
    dealt = dealt_out(dearest_first(context, len(front_limits(context))), context.trials)
    return [
        FixedFront(allocations=chosen, trials=trials, note={}, settings=context.settings)
        for chosen, trials in dealt
    ]


def dearest_first(context: StudyContext, count: int) -> list[Allocation]:
    """What `uniform` would train in `count` trials, where the space has so many; the dearest first."""
    chosen = uniform_proposals(replace(context, trials=count))
    return sorted((one.allocation for one in chosen), key=lambda one: _cost(context, one), reverse=True)


def _cost(context: StudyContext, allocation: Allocation) -> float:
    return limit_cost(context.budgets[0], context.layers, allocation)
