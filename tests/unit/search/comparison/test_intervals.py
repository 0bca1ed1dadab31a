"""Intervals of means, against what they promise."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.comparison.intervals import Interval, mean_interval, seeds_needed

values = st.lists(st.floats(-1, 1), min_size=2, max_size=8)


@given(values)
def test_an_interval_holds_its_mean_and_is_the_same_again(some: list[float]) -> None:
    found = mean_interval(some)
    assert found == mean_interval(some)
    assert found is not None
    assert found.low is not None
    assert found.high is not None
    assert found.low <= found.value + 1e-12
    assert found.high >= found.value - 1e-12


@given(values)
def test_values_and_their_negatives_have_opposite_signs(some: list[float]) -> None:
    ours, theirs = mean_interval(some), mean_interval([-one for one in some])
    assert ours is not None
    assert theirs is not None
    assert ours.value == pytest.approx(-theirs.value)
    assert ours.sign * theirs.sign <= 0


def test_a_single_value_has_no_interval_and_no_sign() -> None:
    assert mean_interval([0.3]) == Interval(value=0.3, low=None, high=None, seeds=1)
    assert mean_interval([0.3]).sign == 0  # type: ignore[union-attr]  # a value has an interval object
    assert mean_interval([]) is None


def test_three_seeds_of_one_sign_are_not_enough_by_themselves() -> None:
    found = mean_interval([0.001, 0.01, 0.03])
    assert found is not None
    assert found.sign == 0


def test_a_clear_difference_has_a_sign() -> None:
    found = mean_interval([0.030, 0.031, 0.029, 0.030, 0.032])
    assert found is not None
    assert found.sign == 1


@pytest.mark.parametrize("seeds", [3, 5])
def test_chance_alone_is_seldom_taken_for_a_difference(seeds: int) -> None:
    """At most about 5 % of 400 comparisons of nothing."""
    random = np.random.default_rng(1)
    signs = [mean_interval(list(random.normal(size=seeds))) for _ in range(400)]
    wrong = sum(found is not None and found.sign != 0 for found in signs) / 400
    assert wrong <= 0.08


def test_a_quarter_of_chance_has_one_sign_and_nearly_none_of_it_is_taken_for_a_difference() -> None:
    """Every resample of three values of one sign has that sign: a bootstrap alone would take them all."""
    random = np.random.default_rng(1)
    samples = [list(random.normal(size=3)) for _ in range(400)]
    one_sided = [values for values in samples if abs(np.sign(values).sum()) == 3]
    assert 0.2 <= len(one_sided) / len(samples) <= 0.3
    taken = [found for values in one_sided if (found := mean_interval(values)) and found.sign]
    assert len(taken) <= 0.3 * len(one_sided)


def test_more_noise_needs_more_seeds() -> None:
    calm, noisy = seeds_needed([0.02, 0.03, 0.025]), seeds_needed([-0.01, 0.05, 0.03])
    assert calm is not None
    assert noisy is not None
    assert calm < noisy
    assert seeds_needed([0.001, -0.001, 0.0]) is None
    assert seeds_needed([0.2]) is None


def test_the_seeds_needed_are_those_of_a_table() -> None:
    """A difference of one standard deviation takes 10 pairs at 5 % and a power of 80 %."""
    sample = [1 + math.sqrt(1.5), 1, 1 - math.sqrt(1.5), 1]  # mean 1, deviation 1
    assert seeds_needed(sample) == 10
