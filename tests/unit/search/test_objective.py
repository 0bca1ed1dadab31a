"""Scores grow as their objective gets better, and lie where hypervolumes need them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.job import JobSpec
from search.objective import Measured, likelihood_note, measure_name, score_of
from search.pareto import hypervolume

losses = st.floats(0, 1e6)


@given(first=losses, second=losses)
def test_a_smaller_loss_never_scores_less_and_every_score_suits_a_hypervolume(
    first: float, second: float
) -> None:
    low, high = sorted((first, second))
    better, worse = (score_of("loss", Measured(accuracy=0.0, loss=loss)) for loss in (low, high))
    assert better is not None
    assert worse is not None
    assert 0 <= worse <= better <= 1
    assert 0 <= hypervolume([1.0], [better], 2.0) <= 1


def test_the_score_of_a_loss_is_the_geometric_mean_of_the_probabilities_of_the_right_classes() -> None:
    probabilities = (0.9, 0.5, 0.2)
    loss = -sum(map(math.log, probabilities)) / 3
    score = score_of("loss", Measured(accuracy=0.0, loss=loss))
    assert score == pytest.approx(math.prod(probabilities) ** (1 / 3))


def test_each_objective_reads_its_own_measure() -> None:
    measured = Measured(accuracy=0.8, balanced_accuracy=0.6, loss=0.0)
    assert score_of("accuracy", measured) == 0.8
    assert score_of("balanced_accuracy", measured) == 0.6
    assert score_of("loss", measured) == 1.0


def test_what_was_not_measured_has_no_score_and_an_infinite_loss_scores_nothing() -> None:
    assert score_of("loss", Measured(accuracy=0.8)) is None
    assert score_of("balanced_accuracy", Measured(accuracy=0.8)) is None
    assert score_of("loss", Measured(accuracy=0.8, loss=math.inf)) == 0.0


def test_a_job_is_for_accuracy_unless_it_says_otherwise(job_spec) -> None:
    assert job_spec().objective == "accuracy"
    old = {name: value for name, value in job_spec().to_json().items() if name != "objective"}
    assert JobSpec.model_validate(old) == job_spec()


def test_only_a_likelihood_needs_explaining() -> None:
    assert [measure_name(one) for one in ("accuracy", "balanced_accuracy", "loss")] == [
        *("accuracy", "balanced accuracy", "likelihood"),
    ]
    assert likelihood_note("accuracy") == likelihood_note("balanced_accuracy") == ""
    assert "exp(-loss)" in likelihood_note("loss")
