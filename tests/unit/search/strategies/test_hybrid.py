"""The `hybrid` method: which budgets its trials have, and what Optuna makes of their results."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from models.cost import Limit
from search.strategies.hybrid import HybridSearch
from search.strategy import LearnBits, StudyContext, TrialResult
from tests.unit.search.strategies.architectures import POINT, context_of

CONTEXT = context_of({"width": [1, 2, 3, 4], "kernel": [3, 5]})
TABLES = CONTEXT.tables
BEST = (("kernel", 5), ("width", 3))


def rounds(context: StudyContext) -> list[list[LearnBits]]:
    """The rounds of a study in a world where two settings make an architecture better."""
    strategy, found = HybridSearch(context), []
    while asked := strategy.ask():
        learned = [one for one in asked if isinstance(one, LearnBits)]
        assert len(learned) == len(asked)
        strategy.tell([result(one) for one in learned])
        found.append(learned)
    return found


def result(proposal: LearnBits) -> TrialResult:
    """More budget is better, and so is each setting that is right."""
    right = sum(pair in BEST for pair in proposal.settings)
    accuracy = 0.5 + 0.15 * right + 0.01 * proposal.budget.maximum
    return TrialResult(
        proposal=proposal,
        allocation=POINT,
        score=accuracy,
        cost=proposal.budget.maximum,
    )


def test_half_the_trials_have_a_budget_of_their_own_and_the_others_go_through_them_again() -> None:
    budgets = [one.budget.maximum for asked in rounds(CONTEXT) for one in asked]
    assert budgets == [2, 8, 4, 2.82843, 5.65685, 2.37842] * 2


def test_with_few_trials_every_given_budget_has_one() -> None:
    asked = [one for each in rounds(replace(CONTEXT, trials=2)) for one in each]
    assert [one.budget.maximum for one in asked] == [2, 8]


def test_no_architecture_is_trained_twice_under_a_budget() -> None:
    asked = [one for each in rounds(replace(CONTEXT, trials=60)) for one in each]
    assert len(asked) == 60
    assert max(Counter((one.settings, one.budget.maximum) for one in asked).values()) == 1


def test_a_study_ends_when_every_architecture_was_trained_under_every_budget() -> None:
    few = {chosen: TABLES[chosen] for chosen in list(TABLES)[:2]}
    close = tuple(Limit(metric="bit_budget", maximum=maximum) for maximum in (8.0, 8.2))
    context = replace(CONTEXT, tables=few, budgets=close, trials=9)
    assert sum(map(len, rounds(context))) == 4


def test_an_architecture_has_only_budgets_that_learning_can_keep_on_it() -> None:
    """1000 weights of one bit and their step sizes are 0.134 KiB, of four bits 0.5 KiB."""
    budgets = tuple(Limit(metric="weight_kib", maximum=maximum) for maximum in (0.15, 0.6))
    asked = [one for each in rounds(replace(CONTEXT, budgets=budgets, trials=10)) for one in each]
    assert {dict(one.settings)["width"] for one in asked if one.budget.maximum == 0.15} == {1}
    assert {dict(one.settings)["width"] for one in asked if one.budget.maximum == 0.6} - {1}
    held = replace(CONTEXT, budgets=budgets[1:], trials=4, learned=frozenset({"spike", "steps"}))
    asked = [one for each in rounds(held) for one in each]  # weights stay at four bits
    assert {dict(one.settings)["width"] for one in asked} == {1}


def test_optuna_leans_to_settings_that_were_right() -> None:
    """The right width, one of four, and kernel, one of two, come more often than by chance."""
    found = [
        one.settings
        for seed in range(10)
        for each in rounds(replace(CONTEXT, seed=seed, trials=32))[2:]
        for one in each
    ]
    share = sum(("width", 3) in settings for settings in found) / len(found)
    assert share > 0.3
    assert sum(("kernel", 5) in settings for settings in found) / len(found) > 0.55
