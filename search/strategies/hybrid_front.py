"""The `hybrid-front` method: Optuna searches architecture, and each trial descends through every budget.

    a study of N trials and k budgets has  n = min(max(1, N // k), architectures that fit)  descents
    descent i    LearnFront over the stages that `gradient-front` has for its share of the N trials, on an
                 architecture that Optuna's TPE draws; stages that learning cannot reach there are left out,
                 and where that is all of them, the greatest budget takes their place

TPE (`drawn`) is told the highest score of each descent and that point's log cost. A draw that cannot keep
the greatest budget and the constraints, or that has had its descent, is exchanged for the nearest
architecture that can and has not. So none is trained twice, and fewer architectures have longer descents.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace

from models.cost import Limit
from search.architecture import Chosen, nearest, space_of
from search.feasible import feasible
from search.strategies.drawn import DrawnSearch
from search.strategies.gradient_front import descent, front_limits
from search.strategies.optuna_search import population
from search.strategy import Descent, StudyContext


class HybridFrontSearch(DrawnSearch):
    """Rounds of descents, each on an architecture that Optuna draws."""

    name = "hybrid-front"

    def __init__(self, context: StudyContext) -> None:
        super().__init__(context)
        self._fitting = feasible(self._costs, context.budgets[-1])
        self._shares = _shares(context, len(self._fitting))

    def _next_round(self) -> Iterator[Descent]:
        told = self._told()
        trained = {proposal.settings for proposal in told}
        drawn = self._drawn(replace(self._context, trials=len(self._shares)))  # a trial of TPE is a descent
        for share in self._shares[len(told) : len(told) + population(self._context)]:
            found = self._nearest(next(drawn), trained)
            if found is None:
                return
            trained.add(found)
            yield self._descent(found, share)

    def _nearest(self, drawn: Chosen, trained: Collection[Chosen]) -> Chosen | None:
        left = [one for one in self._fitting if one not in trained]
        return nearest(drawn, left, space_of(self._context.architectures)) if left else None

    def _descent(self, chosen: Chosen, trials: int) -> Descent:
        context = replace(self._context.on(chosen), trials=trials)
        return descent(context, self._stages(context), trials)

    def _stages(self, context: StudyContext) -> tuple[Limit, ...]:
        """The budgets of a descent on the architecture of the context, the greatest first."""
        kept = [limit for limit in front_limits(context) if context.settings in feasible(self._costs, limit)]
        return tuple(kept) or context.budgets[-1:]


def _shares(context: StudyContext, architectures: int) -> list[int]:
    """The trials of every descent of a study: as many as budgets or more, the first ones the longer."""
    count = max(1, min(context.trials // len(context.budgets), architectures))
    share, more = divmod(context.trials, count)
    return [share + (place < more) for place in range(count)]
