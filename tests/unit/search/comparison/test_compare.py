"""Comparisons: what is claimed, what is not, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.errors import UnknownNameError
from search.comparison import Comparison, Found, StudyRecord, compare

BUDGETS = (2.0, 4.0, 8.0)
SHARE = 1_000


def study(method: str, seed: int, *accuracies: float, samples: int = SHARE) -> StudyRecord:
    """A study that finds one point under the least budget after another, evenly over its compute."""
    found = tuple(
        Found(
            samples=samples * place // len(accuracies),
            cost=2.0,
            score=accuracy,
            test_score=accuracy,
        )
        for place, accuracy in enumerate(accuracies, 1)
    )
    return StudyRecord(
        method=method,
        seed=seed,
        share=SHARE,
        samples=samples,
        seconds=10.0 + seed,
        device_seconds=0.0,
        finished=True,
        found=found,
    )


def studies(method: str, *finals: float) -> list[StudyRecord]:
    return [study(method, seed, 0.1, final) for seed, final in enumerate(finals)]


def compared(*some: list[StudyRecord]) -> Comparison:
    return compare([one for group in some for one in group], budgets=BUDGETS, subject="gradient")


def test_a_clear_lead_is_a_win() -> None:
    found = compared(studies("gradient", 0.90, 0.91, 0.92), studies("random", 0.80, 0.81, 0.82))
    (pair,) = found.pairs
    assert pair.outcome == "better"
    assert pair.difference is not None
    assert pair.difference.value == pytest.approx(0.1)
    assert found.verdict == "gradient beats random (+10.00 points)."
    assert [one.method for one in found.methods] == ["gradient", "random"]


def test_a_loss_is_said_as_plainly() -> None:
    found = compared(studies("gradient", 0.80, 0.81, 0.82), studies("random", 0.90, 0.915, 0.92))
    assert found.pairs[0].outcome == "worse"
    assert found.verdict.startswith("gradient loses to random (-10.")


def test_seeds_are_paired() -> None:
    """Seeds that differ far more than the methods do hide no difference that every seed shows."""
    found = compared(studies("gradient", 0.50, 0.70, 0.90), studies("random", 0.48, 0.68, 0.881))
    assert found.pairs[0].outcome == "better"


def test_no_verdict_where_the_interval_holds_zero() -> None:
    found = compared(studies("gradient", 0.90, 0.91, 0.95), studies("random", 0.91, 0.90, 0.90))
    (pair,) = found.pairs
    assert pair.outcome == "undecided"
    assert pair.seeds_needed is not None
    assert pair.seeds_needed > 3
    settled = f"about {pair.seeds_needed} seeds to settle it"
    assert found.verdict == f"No verdict on gradient against random ({settled})."


def test_equal_methods_have_no_winner_however_many_seeds() -> None:
    finals = tuple(float(x) for x in np.random.default_rng(0).uniform(0.8, 0.9, 12))
    found = compared(studies("gradient", *finals), studies("random", *finals))
    assert found.pairs[0].outcome == "undecided"
    assert found.pairs[0].seeds_needed is None
    assert "over 100 seeds to settle it" in found.verdict


def test_wins_and_undecided_differences_stand_side_by_side() -> None:
    found = compared(
        studies("gradient", 0.90, 0.91, 0.92),
        studies("random", 0.80, 0.81, 0.82),
        studies("uniform", 0.92, 0.90, 0.91),
    )
    assert found.verdict.startswith(
        "gradient beats random (+10.00 points); no verdict on gradient against uniform ("
    )


def test_the_factor_of_compute_is_when_the_other_gets_there() -> None:
    ours = [study("gradient", seed, 0.8, samples=500) for seed in (0, 1)]
    theirs = [study("random", seed, 0.7, 0.8, 0.9, 0.9) for seed in (0, 1)]
    (pair,) = compared(ours, theirs).pairs
    assert pair.compute_factor == 1.0
    assert pair.compute_searched == 2.0
    (pair,) = compared(ours, [study("random", seed, 0.7) for seed in (0, 1)]).pairs
    assert pair.compute_factor is None


def test_a_curve_is_the_median_over_seeds_and_ends_at_the_hypervolume() -> None:
    found = compared(studies("gradient", 0.90, 0.91, 0.95), studies("random", 0.8, 0.8, 0.8))
    curve = found.methods[0].curve
    at = {round(point.share, 2): point for point in curve}
    assert at[0.5].median == pytest.approx(0.1)
    assert at[0.48].median == 0
    assert (curve[-1].least, curve[-1].median, curve[-1].greatest) == pytest.approx((0.90, 0.91, 0.95))


def test_accuracy_at_each_budget_says_who_is_missing() -> None:
    dear = replace(study("gradient", 1), found=(replace(study("x", 0, 0.9).found[0], cost=5.0),))
    found = compared([study("gradient", 0, 0.8), dear], studies("random", 0.8, 0.8))
    (ours,) = (one for one in found.methods if one.method == "gradient")
    at = {one.budget: one for one in ours.at_budgets}
    assert (at[4.0].missing, at[8.0].missing) == (1, 0)
    assert at[8.0].score is not None
    assert at[8.0].score.value == pytest.approx(0.85)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"finished": False}, "has not come to its end for gradient"),
        ({"share": 2 * SHARE}, "different amounts of compute"),
        ({"samples": SHARE + 1}, "gradient used more than its share"),
        ({"seed": 7}, "different seeds"),
    ],
)
def test_what_is_not_equal_is_not_compared(change: dict[str, float], words: str) -> None:
    ours = studies("gradient", 0.9, 0.9)
    ours[0] = replace(ours[0], **change)  # type: ignore[arg-type]  # each is a field of the right type
    found = compared(ours, studies("random", 0.5, 0.5))
    assert found.refusal is not None
    assert words in found.refusal
    assert found.verdict == f"No verdict: {found.refusal}."


def test_one_seed_shows_no_spread() -> None:
    assert compared(studies("gradient", 0.9), studies("random", 0.1)).refusal == "one seed shows no spread"


def test_an_unknown_subject_is_named_with_those_there_are() -> None:
    with pytest.raises(UnknownNameError, match="'tpe' is no method"):
        compare(studies("random", 0.5, 0.5), budgets=BUDGETS, subject="tpe")


def test_a_method_without_a_point_is_compared_with_nothing() -> None:
    empty = [replace(one, found=()) for one in studies("random", 0.5, 0.5)]
    found = compared(studies("gradient", 0.9, 0.9), empty)
    assert found.pairs[0].outcome == "nothing"
    assert "nothing to compare with random" in found.verdict.lower()
