"""From studies to what people see: who is compared unless told, what is refused, what each seed has."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from models.errors import UnknownNameError
from search.comparison import Found, StudyRecord
from search.job import JobSpec
from service.comparison.results import comparison_of
from service.comparison.subject import subject_of

SEEDS = (0, 1, 2)


def study(method: str, seed: int, *found: Found, samples: int = 600) -> StudyRecord:
    return StudyRecord(
        method=method,
        seed=seed,
        share=600,
        samples=samples,
        seconds=10.0,
        device_seconds=20.0,
        finished=True,
        found=found,
    )


def found(cost: float, accuracy: float, samples: int = 200) -> Found:
    return Found(samples=samples, cost=cost, score=accuracy, test_score=accuracy - 0.1 * cost)


@pytest.fixture
def small(spec: dict[str, Any]) -> JobSpec:
    return JobSpec.model_validate(spec | {"methods": ["random"]})


@pytest.fixture
def studies() -> list[StudyRecord]:
    """`random` ahead of `uniform` in every seed; one `random` seed has nothing under the least budget."""
    ours = [(found(1.5, 0.9), found(3.0, 0.95, 400)), (found(2.0, 0.91),), (found(3.0, 0.92, 600),)]
    theirs = [(found(2.0, 0.8),), (found(2.0, 0.81),), (found(3.0, 0.7, 600),)]
    return [
        *(study("random", seed, *own) for seed, own in zip(SEEDS, ours, strict=True)),
        *(study("uniform", seed, *own) for seed, own in zip(SEEDS, theirs, strict=True)),
    ]


@pytest.mark.parametrize(
    ("methods", "subject"),
    [
        (("random", "gradient-targets", "gradient", "uniform"), "gradient"),
        (("random", "gradient-targets", "uniform"), "gradient-targets"),
        (("optuna-tpe", "random", "uniform"), "optuna-tpe"),
        (("of-a-package", "uniform"), "of-a-package"),
    ],
)
def test_the_first_method_that_learns_is_compared_unless_told(methods, subject):
    assert subject_of(methods) == subject


def test_each_seed_has_the_point_that_validation_chose_under_each_budget(small, studies):
    view = comparison_of("job-0", small, studies)
    random = next(one for one in view.methods if one.method == "random")
    first, _, third = random.seeds
    at_four = first.chosen[1]
    assert (at_four.budget, at_four.cost, at_four.samples) == (4.0, 3.0, 400)
    assert (at_four.validation_accuracy, at_four.test_accuracy) == (0.95, pytest.approx(0.65))
    at_two = third.chosen[0]
    assert (at_two.budget, at_two.cost, at_two.validation_accuracy) == (2.0, None, None)
    assert [one.missing for one in random.at_budgets] == [1, 0]
    assert (random.share, random.samples, random.seconds, random.device_seconds) == (600, 600, 10.0, 20.0)


def test_the_accuracy_that_was_asked_for_is_read_at_the_same_points(small, studies):
    test, validation = (
        comparison_of("job-0", small, studies, accuracy=name) for name in ("test", "validation")
    )
    (by_test,), (by_validation,) = (
        [one.seeds[1] for one in view.methods if one.method == "random"] for view in (test, validation)
    )
    assert by_test.chosen == by_validation.chosen
    assert (by_test.hypervolume, by_validation.hypervolume) == (pytest.approx(0.71), pytest.approx(0.91))
    assert by_test.history[-1].hypervolume == by_test.hypervolume


def test_a_refused_comparison_has_no_outcome_that_reads_as_a_verdict(small, studies):
    plain = comparison_of("job-0", small, studies)
    refused = comparison_of("job-0", small, [replace(one, share=500 + one.seed) for one in studies])
    assert plain.refusal is None
    assert refused.refusal is not None
    assert [pair.outcome for pair in refused.pairs] == ["refused"]
    assert refused.pairs[0].seeds_needed is None
    assert refused.verdict.startswith("No verdict")


def test_another_subject_turns_the_difference_around(small, studies):
    ours = comparison_of("job-0", small, studies).pairs[0].difference
    theirs = comparison_of("job-0", small, studies, subject="uniform").pairs[0].difference
    assert ours is not None
    assert theirs is not None
    assert ours.value == pytest.approx(-theirs.value)
    with pytest.raises(UnknownNameError):
        comparison_of("job-0", small, studies, subject="nonsense")


def test_studies_that_did_nothing_are_compared_without_a_word_about_a_winner(small):
    nothing = [
        replace(study(method, seed, samples=0), finished=False)
        for method in ("random", "uniform")
        for seed in SEEDS
    ]
    view = comparison_of("job-0", small, nothing)
    assert view.refusal is not None
    assert [one.hypervolume.value for one in view.methods] == [0, 0]
    assert view.pairs[0].difference is None
    assert all(entry.accuracy is None for one in view.methods for entry in one.at_budgets)
