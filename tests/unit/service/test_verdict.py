"""Who beats whom, and when there is no verdict."""

from __future__ import annotations

import pytest

from service.verdict import Standing, verdict


def standing(method: str, *validation: float, seeds: int | None = None) -> Standing:
    """A method whose test accuracies are those of validation."""
    count = len(validation) if seeds is None else seeds
    return Standing(method=method, seeds=count, validation=validation, test=validation)


@pytest.mark.parametrize(
    ("ranked", "sentence"),
    [
        ([], "No method has a feasible point here yet."),
        ([standing("a", seeds=2)], "No method has a feasible point here yet."),
        ([standing("a", 0.5, 0.6)], "a is the only method."),
        ([standing("a", 0.8, 0.9), standing("b", 0.6, 0.7)], "a beats b."),
        (
            [standing("a", 0.8, 0.9), standing("b", 0.6, 0.7), standing("c", 0.1, 0.2)],
            "a beats b and c.",
        ),
        (
            [standing("a", 0.7, 0.9), standing("b", 0.6, 0.7)],
            "No verdict on a against b (the ranges of their seeds overlap).",
        ),
        (
            [standing("a", 0.7, 0.9), standing("b", 0.6, 0.8), standing("c", 0.1, 0.2)],
            "a beats c; no verdict against b (the ranges of their seeds overlap).",
        ),
        (
            [standing("a", 0.9), standing("b", 0.1)],
            "No verdict on a against b (it takes a point of every seed, and 2 seeds at least).",
        ),
        (
            [standing("a", 0.8, 0.9, seeds=3), standing("b", 0.1, 0.2, 0.3)],
            "No verdict on a against b (it takes a point of every seed, and 2 seeds at least).",
        ),
    ],
)
def test_says_who_beats_whom(ranked: list[Standing], sentence: str) -> None:
    assert verdict(ranked) == sentence


def test_ranks_by_the_mean() -> None:
    assert standing("a", 0.2, 0.4).middle == pytest.approx(0.3)
    assert standing("a", seeds=1).middle < 0
    assert standing("a", seeds=1).middle_test is None
