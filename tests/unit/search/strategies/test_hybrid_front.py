"""The `hybrid-front` method: how many descents a study has, over which budgets, and on what."""

from __future__ import annotations

from dataclasses import replace

from models.cost import Limit
from search.strategies.hybrid_front import HybridFrontSearch
from search.strategy import LearnFront, StudyContext, TrialResult
from tests.unit.search.strategies.architectures import POINT, context_of

CONTEXT = context_of({"width": [1, 2, 3, 4, 5, 6], "kernel": [3, 5], "depth": [1, 2]})
TABLES = CONTEXT.tables
BEST = (("depth", 2), ("kernel", 5))


def rounds(context: StudyContext) -> list[list[LearnFront]]:
    """The rounds of a study in a world where two settings make an architecture better."""
    strategy, found = HybridFrontSearch(context), []
    while asked := strategy.ask():
        descents = [one for one in asked if isinstance(one, LearnFront)]
        assert len(descents) == len(asked)
        strategy.tell([result(one) for one in descents])
        found.append(descents)
    return found


def result(proposal: LearnFront) -> TrialResult:
    """Each setting that is right is better."""
    return TrialResult(
        proposal=proposal,
        allocation=POINT,
        score=0.5 + 0.15 * sum(pair in BEST for pair in proposal.settings),
        cost=proposal.budgets[0].maximum,
    )


def test_a_descent_has_a_trial_for_each_budget_or_more() -> None:
    descents = [one for asked in rounds(replace(CONTEXT, trials=13)) for one in asked]
    assert [one.trials for one in descents] == [3, 2, 2, 2, 2, 2]
    assert [limit.maximum for limit in descents[-1].budgets] == [8, 2]
    assert [limit.maximum for limit in descents[0].budgets] == [8, 4, 2]


def test_few_architectures_have_longer_descents() -> None:
    few = {chosen: TABLES[chosen] for chosen in list(TABLES)[:2]}
    descents = [one for asked in rounds(replace(CONTEXT, tables=few, trials=20)) for one in asked]
    assert [one.trials for one in descents] == [10, 10]
    assert {one.settings for one in descents} == set(few)


def test_no_architecture_has_two_descents() -> None:
    descents = [one for asked in rounds(replace(CONTEXT, trials=60)) for one in asked]
    assert len({one.settings for one in descents}) == len(descents) == 24


def test_right_settings_come_up_more_often_once_some_are_known() -> None:
    """Of 24 architectures 6 have both; chance would find a quarter."""
    later = [
        one.settings
        for seed in range(6)
        for asked in rounds(replace(CONTEXT, seed=seed, trials=24))[1:]
        for one in asked
    ]
    right = sum(set(BEST) <= set(settings) for settings in later)
    assert right / len(later) > 0.35


def test_with_fewer_trials_than_budgets_an_architecture_that_fits_the_greatest_alone_has_that() -> None:
    wide = {chosen: layers for chosen, layers in TABLES.items() if dict(chosen)["width"] == 6}
    budgets = tuple(Limit(metric="weight_kib", maximum=maximum) for maximum in (0.2, 0.3, 4.0))
    first = next(iter(wide))
    context = replace(CONTEXT, budgets=budgets, tables=wide, settings=first, layers=wide[first], trials=1)
    (descent,) = [one for asked in rounds(context) for one in asked]
    assert [limit.maximum for limit in descent.budgets] == [4.0]


def test_an_architecture_has_only_budgets_that_learning_can_keep_on_it() -> None:
    """6000 weights of one bit and their step sizes are 0.74 KiB: the least of width 6 is above 0.5."""
    budgets = tuple(Limit(metric="weight_kib", maximum=maximum) for maximum in (0.5, 4.0))
    descents = [one for asked in rounds(replace(CONTEXT, budgets=budgets, trials=48)) for one in asked]
    least = {
        width: min(one.budgets[-1].maximum for one in descents if dict(one.settings)["width"] == width)
        for width in (1, 6)
    }
    assert least[1] == 0.5
    assert least[6] > 0.7
