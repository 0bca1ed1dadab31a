"""The best of a study under each budget, and its hypervolume, against their definitions."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.comparison.attained import Found, area, best_under, history, hypervolume_after
from search.pareto import hypervolume

BUDGETS = (2.0, 4.0, 8.0)
founds = st.lists(
    st.builds(
        Found,
        samples=st.integers(1, 40),
        cost=st.integers(2, 40).map(lambda c: c / 4),
        score=st.integers(0, 8).map(lambda a: a / 8),
        test_score=st.integers(0, 16).map(lambda a: a / 16),
    ),
    max_size=20,
).map(lambda some: sorted(some, key=lambda one: one.samples))


def found(cost: float, accuracy: float, *, test: float | None = None, samples: int = 1) -> Found:
    return Found(
        samples=samples,
        cost=cost,
        score=accuracy,
        test_score=accuracy if test is None else test,
    )


def area_by_strips(some: list[Found], strips: int = 4_000) -> float:
    """The mean of a* over budgets evenly spread on the logarithmic axis, for few strips of any height."""
    low, high = math.log(BUDGETS[0]), math.log(BUDGETS[-1])
    marks = (math.exp(low + (high - low) * (k + 0.5) / strips) for k in range(strips))
    chosen = (best_under(some, mark) for mark in marks)
    return sum(one.test_score if one else 0.0 for one in chosen) / strips


def test_validation_chooses_and_test_is_read_off() -> None:
    some = [found(2, 0.8, test=0.5), found(3, 0.7, test=0.9)]
    best = best_under(some, 4)
    assert best is not None
    assert best.test_score == 0.5


def test_of_equals_the_cheaper_then_the_earlier_is_chosen() -> None:
    first, second = found(3, 0.8, test=0.1), found(3, 0.8, test=0.2)
    assert best_under([found(4, 0.8), first, second], 8) is first
    assert best_under([first], 2.9) is None


@given(founds)
def test_the_hypervolume_is_the_mean_of_the_best_over_budgets(some: list[Found]) -> None:
    moments = history(some, BUDGETS, "test")
    assert hypervolume_after(moments, 40) == pytest.approx(area_by_strips(some), abs=0.002)


@given(founds)
def test_by_validation_it_is_the_hypervolume_of_the_front_with_a_log_axis(some: list[Found]) -> None:
    width = math.log(BUDGETS[-1] / BUDGETS[0])
    fitting = [one for one in some if one.cost < BUDGETS[-1]]
    costs = [max(0.0, math.log(one.cost / BUDGETS[0])) for one in fitting]
    exact = hypervolume(costs, [one.score for one in fitting], width)
    assert hypervolume_after(history(some, BUDGETS, "validation"), 40) == pytest.approx(exact)


@given(founds)
def test_by_validation_more_compute_never_takes_hypervolume_away(some: list[Found]) -> None:
    values = [moment.hypervolume for moment in history(some, BUDGETS, "validation")]
    assert values == sorted(values)


@given(founds, st.integers(0, 41))
def test_a_moment_counts_from_its_samples_on(some: list[Found], samples: int) -> None:
    whole = history(some, BUDGETS, "test")
    early = history([one for one in some if one.samples <= samples], BUDGETS, "test")
    assert hypervolume_after(whole, samples) == hypervolume_after(early, 41)


def test_what_is_cheaper_than_the_least_budget_counts_there_alone() -> None:
    assert area([(1.0, 0.9)], 2, 8) == area([(2.0, 0.9)], 2, 8) == pytest.approx(0.9)
    assert area([(4.0, 0.6)], 2, 8) == pytest.approx(0.3)


def test_with_one_budget_it_is_the_accuracy_there() -> None:
    assert area([(1.0, 0.5), (3.0, 0.7), (5.0, 0.9)], 4, 4) == 0.7
    assert area([(5.0, 0.9)], 4, 4) == 0.0
