"""The `hybrid-front` method: Optuna searches architecture, and each trial descends through every budget.

    a study of N trials and k budgets has  n = min(max(1, N // k), architectures that fit)  descents
    descent i    LearnFront over the stages that `gradient-front` has for its share of the N trials, on an
                 architecture that Optuna's TPE draws; stages under what learning can reach there are left out

TPE has a categorical parameter for each setting of the search space and nothing else. It is told the highest
score (up) of each descent and the log cost of that point (down). A draw that cannot keep the greatest budget
and the constraints, or that has had its descent, is exchanged for the nearest architecture that can and has
not. So no architecture is trained twice, and fewer architectures have longer descents.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from search.architecture import Chosen, nearest, space_of
from search.feasible import feasible, least_costs
from search.space import chosen_by, setting_bounds
from search.strategies.gradient_front import descent, front_limits
from search.strategies.optuna_search import OptunaDraws, population, tpe
from search.strategies.sampled import round_seed
from search.strategy import LearnFront, Proposal, StudyContext, TrialResult


class HybridFrontSearch:
    """Rounds of descents, each on an architecture that Optuna draws."""

    def __init__(self, context: StudyContext) -> None:
        self._context = context
        self._costs = least_costs(context, context.options.learning_bounds())
        self._fitting = feasible(self._costs, context.budgets[-1])
        self._shares = _shares(context, len(self._fitting))
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

    def _next_round(self) -> Iterator[LearnFront]:
        context, number = self._context, len(self._rounds)
        trained = {result.proposal.settings for finished in self._rounds for result in finished}
        told = sum(map(len, self._rounds))
        among = replace(context, trials=len(self._shares))  # a trial of TPE is a descent
        samples = self._draws(among, self._rounds, round_seed(context.seed, "hybrid-front", number))
        for share in self._shares[told : told + population(context)]:
            found = self._nearest(chosen_by(next(samples), context), trained)
            if found is None:
                return
            trained.add(found)
            yield self._descent(found, share)

    def _nearest(self, drawn: Chosen, trained: Collection[Chosen]) -> Chosen | None:
        left = [one for one in self._fitting if one not in trained]
        return nearest(drawn, left, space_of(self._context.architectures)) if left else None

    def _descent(self, chosen: Chosen, trials: int) -> LearnFront:
        context = replace(self._context.on(chosen), trials=trials)
        kept = [limit for limit in front_limits(context) if chosen in feasible(self._costs, limit)]
        return descent(context, tuple(kept), trials)


def _bounds(context: StudyContext) -> dict[str, tuple[int, int]]:
    return setting_bounds(context.architectures)


def _shares(context: StudyContext, architectures: int) -> list[int]:
    """The trials of every descent of a study: as many as budgets or more, the first ones the longer."""
    count = max(1, min(context.trials // len(context.budgets), architectures))
    share, more = divmod(context.trials, count)
    return [share + (place < more) for place in range(count)]
