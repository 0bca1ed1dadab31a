"""The `gradient-targets` method: trials that learn bits towards targets for mean Bw, Bs and T.

Targets that a job names are each paired with the least budget that they keep, or with the greatest where they
keep none. Without any, each budget of the `gradient` method gives its own (models.targets). Of a search space
it trains the first architecture alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict

from models.cost import Limit
from models.targets import Targets, target_bounds, targets_cost, targets_under
from search.ladder import budget_ladder
from search.space import limits_under
from search.strategy import LearnTargets, Proposal, StudyContext, TrialResult


class TargetsSearch:
    """One round of proposals that learn bits; the trials themselves do the searching."""

    def __init__(self, context: StudyContext) -> None:
        self._context = context.first
        self._told = False

    def ask(self) -> Sequence[Proposal]:
        """The single round, then nothing."""
        return () if self._told else tuple(_proposals(self._context))

    def tell(self, results: Sequence[TrialResult]) -> None:
        """Targets do not depend on what was found."""
        self._told = True


def _proposals(context: StudyContext) -> Iterator[LearnTargets]:
    for budget, targets in _given(context) if context.targets else _derived(context):
        yield LearnTargets(
            budget=budget,
            targets=targets,
            note={"budget": budget.maximum, "targets": asdict(targets)},
            settings=context.settings,
        )


def _given(context: StudyContext) -> Iterator[tuple[Limit, Targets]]:
    for targets in context.targets[: context.trials]:
        kept = (
            budget
            for budget in context.budgets
            if targets_cost(budget, targets, context.layers, context.weight_per) <= budget.maximum
        )
        yield next(kept, context.budgets[-1]), targets


def _derived(context: StudyContext) -> Iterator[tuple[Limit, Targets]]:
    bounds = target_bounds(context.options)
    for budget in budget_ladder(context):
        yield budget, targets_under(limits_under(context, budget), context.layers, bounds)
