"""Which budgets the trials of a study are meant for."""

from __future__ import annotations

from itertools import pairwise

import pytest

from models.allocation import Bounds
from models.cost import LayerShape, Limit
from search.ladder import LEAST_RATIO
from search.strategies.gradient import GradientSearch
from search.strategy import LearnBits, StudyContext

LAYER = LayerShape(name="a", kind="conv", macs=1_000, weights=100, inputs=10, biases=1)


def maxima(budgets: tuple[float, ...], trials: int) -> list[float]:
    limits = tuple(Limit(metric="bit_budget", maximum=maximum) for maximum in budgets)
    context = StudyContext(
        layers=(LAYER,), bounds=Bounds(), budgets=limits, constraints=(), seed=0, trials=trials
    )
    proposals = GradientSearch(context).ask()
    assert all(isinstance(p, LearnBits) and p.budget.maximum == p.note["budget"] for p in proposals)
    return [proposal.note["budget"] for proposal in proposals]


def test_the_given_budgets_come_first() -> None:
    assert maxima((2.0, 4.0, 9.0), 3) == [2.0, 4.0, 9.0]
    assert maxima((2.0, 4.0, 9.0), 2) == [2.0, 4.0]


def test_further_trials_halve_the_widest_gap_by_ratio() -> None:
    assert maxima((1.0, 4.0, 64.0), 6) == [1.0, 4.0, 64.0, 16.0, 2.0, 8.0]


def test_a_single_budget_is_paired_with_the_least_cost_of_the_space() -> None:
    assert maxima((16.0,), 4) == [16.0, 4.0, 2.0, 8.0]


def test_it_stops_once_all_neighbours_are_close() -> None:
    found = sorted(maxima((2.0, 2.3), 1_000))
    assert found[0] == 2.0
    assert found[-1] == 2.3
    ratios = [high / low for low, high in pairwise(found)]
    assert max(ratios) <= LEAST_RATIO
    assert len(found) < 10


@pytest.mark.parametrize("least", [1.0, 1.04])
def test_a_single_budget_near_the_least_cost_is_all_there_is(least: float) -> None:
    assert maxima((least,), 10) == [least]
