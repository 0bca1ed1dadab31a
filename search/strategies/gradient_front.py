"""The `gradient-front` method: descents through many budgets, each in one training.

Of N trials and k given budgets, a study has a stage per trial: the given budgets, then (with at least k to
spare) the least cost of the space, then budgets between the given ones as `gradient` has them. With fewer
trials than budgets it goes through the least of them, at most STAGES_PER_TRIAL in a trial.

A study has one descent for every DESCENT_TRIALS trials, and at least one; its stages are dealt out to them in
turn, so that their budgets interleave. A long descent reached more than short ones of the same compute
(docs/search.md), but nothing of it runs at the same time, and a failure loses all of it. Of a search space it
trains the first architecture alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from models.cost import Limit
from search.ladder import LEAST_RATIO, least_cost, limits_between
from search.strategy import LearnFront, Proposal, StudyContext, TrialResult

Stage = TypeVar("Stage")

STAGES_PER_TRIAL = 2
DESCENT_TRIALS = 12


class FrontSearch:
    """One round of descents; the trials themselves do the searching."""

    def __init__(self, context: StudyContext) -> None:
        self._context = context.first
        self._told = False

    def ask(self) -> Sequence[Proposal]:
        """The single round, then nothing."""
        return () if self._told else tuple(_descents(self._context))

    def tell(self, results: Sequence[TrialResult]) -> None:
        """Budgets do not depend on what was found."""
        self._told = True


def front_limits(context: StudyContext) -> list[Limit]:
    """The budget of every stage of a study, from the greatest to the least."""
    given, spare = context.budgets, context.trials - len(context.budgets)
    if spare <= 0:
        return list(reversed(given[: STAGES_PER_TRIAL * context.trials]))
    least = replace(given[0], maximum=least_cost(context))
    far = given[0].maximum / least.maximum > LEAST_RATIO
    lowest = [least] if far and spare >= len(given) else []
    between = limits_between(context, spare - len(lowest))
    return sorted([*given, *lowest, *between], key=lambda limit: limit.maximum, reverse=True)


def dealt_out(stages: Sequence[Stage], trials: int) -> list[tuple[tuple[Stage, ...], int]]:
    """The stages and the trials of every descent of a study."""
    count = max(1, min(trials // DESCENT_TRIALS, len(stages)))
    share, more = divmod(trials, count)
    return [(tuple(stages[place::count]), share + (place < more)) for place in range(count)]


def _descents(context: StudyContext) -> list[LearnFront]:
    dealt = dealt_out(front_limits(context), context.trials)
    return [descent(context, limits, trials) for limits, trials in dealt]


def descent(context: StudyContext, limits: tuple[Limit, ...], trials: int) -> LearnFront:
    """A descent on the architecture of the context.

    `note` has the least of the given budgets that it goes through, if any, and all of its own.
    """
    given = [limit.maximum for limit in limits if limit in context.budgets]
    budgets = [limit.maximum for limit in limits]
    note = {"budget": min(given, default=None), "budgets": budgets}
    return LearnFront(budgets=limits, trials=trials, note=note, settings=context.settings)
