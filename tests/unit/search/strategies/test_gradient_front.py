"""Which descents the front method asks for: through which budgets, and with how many trials each."""

from __future__ import annotations

import pytest

from models.allocation import Bounds
from models.cost import LayerShape, Limit
from search.strategies.gradient_front import DESCENT_TRIALS, FrontSearch
from search.strategy import (
    LearnBits,
    LearnFront,
    StudyContext,
    affordable,
    proposal_from_json,
    proposal_to_json,
    trials_of,
)

LAYER = LayerShape(name="a", kind="conv", macs=1_000, weights=100, inputs=10, biases=1)


def descents(budgets: tuple[float, ...], trials: int, bounds: Bounds | None = None) -> list[LearnFront]:
    limits = tuple(Limit(metric="bit_budget", maximum=maximum) for maximum in budgets)
    context = StudyContext(
        layers=(LAYER,), bounds=bounds or Bounds(), budgets=limits, constraints=(), seed=0, trials=trials
    )
    found = FrontSearch(context).ask()
    return [proposal for proposal in found if isinstance(proposal, LearnFront)]


def maxima(budgets: tuple[float, ...], trials: int) -> list[float]:
    (descent,) = descents(budgets, trials)
    assert trials_of(descent) == trials
    return [limit.maximum for limit in descent.budgets]


def test_a_trial_per_budget_goes_through_the_given_budgets_from_the_greatest() -> None:
    assert maxima((2.0, 4.0, 9.0), 3) == [9.0, 4.0, 2.0]


def test_with_fewer_trials_it_goes_through_the_least_budgets() -> None:
    assert maxima((2.0, 4.0, 9.0), 2) == [9.0, 4.0, 2.0]
    assert maxima((2.0, 4.0, 9.0), 1) == [4.0, 2.0]
    assert maxima((4.0,), 1) == [4.0]


def test_trials_to_spare_go_between_the_budgets_and_then_to_the_least_cost() -> None:
    assert maxima((1.5, 4.0, 64.0), 4) == [64.0, 16.0, 4.0, 1.5]
    assert maxima((1.5, 4.0, 64.0), 6) == [64.0, 16.0, 8.0, 4.0, 1.5, 1.0]
    assert maxima((16.0,), 4) == [16.0, 4.0, 2.0, 1.0]


def test_a_budget_at_the_least_cost_is_not_gone_through_twice() -> None:
    assert maxima((1.0, 4.0), 4) == [4.0, 2.0, 1.41421, 1.0]
    assert maxima((1.0,), 9) == [1.0]


@pytest.mark.parametrize("trials", [2 * DESCENT_TRIALS, 2 * DESCENT_TRIALS + 5])
def test_the_stages_of_several_descents_interleave_and_use_all_trials(trials: int) -> None:
    first, second = descents((2.0, 4.0, 9.0), trials)
    assert first.trials + second.trials == trials
    assert first.trials - second.trials == trials % 2
    marks = sorted([*first.budgets, *second.budgets], key=lambda limit: -limit.maximum)
    assert (list(first.budgets), list(second.budgets)) == (marks[::2], marks[1::2])
    assert {2.0, 4.0, 9.0} < {limit.maximum for limit in marks}


def test_there_are_no_more_descents_than_budgets() -> None:
    (only,) = descents((1.0,), 10 * DESCENT_TRIALS, Bounds(weight=(1, 1), spike=(1, 1), steps=(1, 1)))
    assert only.trials == 10 * DESCENT_TRIALS


def test_a_descent_notes_the_least_given_budget_that_it_goes_through() -> None:
    first, second = descents((2.0, 9.0), 2 * DESCENT_TRIALS)
    assert first.note["budget"] in {2.0, 9.0}
    assert [limit.maximum for limit in second.budgets] == second.note["budgets"]


def test_a_descent_survives_being_stored() -> None:
    (descent,) = descents((2.0, 4.0), 3)
    assert proposal_from_json(proposal_to_json(descent)) == descent


def test_a_round_is_cut_where_its_share_is_used_up() -> None:
    learn = LearnBits(budget=Limit(metric="bit_budget", maximum=2.0), note={})
    (descent,) = descents((2.0, 4.0), 3)
    assert affordable([learn, descent, learn], 5) == [learn, descent, learn]
    assert affordable([learn, descent, learn], 4) == [learn, descent]
    assert affordable([learn, descent, learn], 3) == [learn]
    assert affordable([descent], 2) == []
