"""The `evolution-warm` method: evolution that starts from what the gradient and uniform bits reached.

It shows what is left to gain. Its first round asks what `gradient` and `uniform` ask under each budget of the
job: every learned one first, then every uniform one, as far as the trials go. Where those studies are in the
job, their results are reused; they count against the trials of this study all the same. The rounds after are
generations of NSGA-II whose first parents are these results. A learned allocation may be proposed again, with
fixed bits from the start: that is another training, and whether it does better is part of what is asked. Of a
search space the learned results are those of the first architecture; the generations after choose among all.
"""

from __future__ import annotations

from collections.abc import Iterator

from search.strategies.gradient import learn
from search.strategies.optuna_search import nsga2_draws, population
from search.strategies.sampled import SampledSearch
from search.strategies.uniform import uniform_proposals
from search.strategy import FixedBits, LearnBits, Proposal, Strategy, StudyContext


def evolution_warm(context: StudyContext) -> Strategy:
    """NSGA-II from warm parents."""
    return SampledSearch(
        context,
        name="evolution-warm",
        round_size=population(context),
        draws=nsga2_draws,
        opening=tuple(_opening(context))[: context.trials],
    )


def _opening(context: StudyContext) -> Iterator[Proposal]:
    yield from _learned(context)
    yield from _uniform(context)


def _learned(context: StudyContext) -> Iterator[LearnBits]:
    yield from (learn(budget, context.settings) for budget in context.budgets)


def _uniform(context: StudyContext) -> Iterator[FixedBits]:
    """What the `uniform` study of the same job proposes first under each budget."""
    firsts: dict[float, FixedBits] = {}
    for proposal in uniform_proposals(context):
        firsts.setdefault(proposal.note["budget"], proposal)
    yield from firsts.values()
