"""The `gradient` method: trials that learn their bits, one under each budget of search.ladder.

Of a search space it trains the first architecture alone; `hybrid` is the method that chooses.
"""

from __future__ import annotations

from collections.abc import Sequence

from models.cost import Limit
from search.architecture import Chosen
from search.ladder import budget_ladder
from search.strategy import LearnBits, Proposal, StudyContext, TrialResult


class GradientSearch:
    """One round of proposals that learn bits; the trials themselves do the searching."""

    def __init__(self, context: StudyContext) -> None:
        self._context = context.first
        self._told = False

    def ask(self) -> Sequence[Proposal]:
        """The single round, then nothing."""
        if self._told:
            return ()
        return tuple(learn(limit, self._context.settings) for limit in budget_ladder(self._context))

    def tell(self, results: Sequence[TrialResult]) -> None:
        """Budgets do not depend on what was found."""
        self._told = True


def learn(limit: Limit, settings: Chosen) -> LearnBits:
    """The trial that learns the bits of an architecture under a budget."""
    return LearnBits(budget=limit, note={"budget": limit.maximum}, settings=settings)
