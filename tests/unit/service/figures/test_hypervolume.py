"""Hypervolume against compute: the same numbers as the comparison has, from where every seed has a point."""

from __future__ import annotations

import pytest

from search.comparison import Found, StudyRecord, compare
from service.figures.hypervolume import hypervolume_figures

BUDGETS = (2.0, 4.0)
SHARE = 1_000


def study(method: str, seed: int, *found: tuple[int, float]) -> StudyRecord:
    """A study that finds points of these accuracies at cost 2 after so many samples."""
    return StudyRecord(
        method=method,
        seed=seed,
        share=SHARE,
        samples=SHARE,
        seconds=1.0,
        device_seconds=0.0,
        finished=True,
        found=tuple(
            Found(samples=samples, cost=2.0, score=accuracy, test_score=accuracy - 0.01)
            for samples, accuracy in found
        ),
    )


STUDIES = [
    study("gradient", 0, (100, 0.8), (500, 0.9)),
    study("gradient", 1, (300, 0.84), (700, 0.86)),
    study("gradient", 2, (200, 0.7), (1000, 0.95)),
    study("uniform", 0, (100, 0.5)),
    study("uniform", 1),
    study("uniform", 2, (100, 0.6)),
]


@pytest.mark.parametrize(("place", "accuracy"), [(0, "test"), (1, "validation")])
def test_a_line_is_the_median_and_range_that_the_comparison_has(place, accuracy):
    figure = hypervolume_figures(STUDIES, BUDGETS)[place]
    compared = compare(STUDIES, budgets=BUDGETS, subject="gradient", accuracy=accuracy)
    curve = next(one.curve for one in compared.methods if one.method == "gradient")
    expected = [(100 * one.share, one.median, one.least, one.greatest) for one in curve if one.share >= 0.3]
    drawn = [
        (point.x, point.spread.median, point.spread.least, point.spread.greatest)
        for point in figure.series[0].points
    ]
    assert (figure.key, figure.middle) == (f"{accuracy}-hypervolume-over-compute", "median")
    assert [value for one in drawn for value in one] == pytest.approx(
        [value for one in expected for value in one]
    )


def test_a_method_is_drawn_from_where_every_seed_has_a_point():
    gradient, uniform = hypervolume_figures(STUDIES, BUDGETS)[0].series
    assert gradient.points[0].x == 30
    assert gradient.points[0].values == pytest.approx({0: 0.79, 1: 0.83, 2: 0.69})
    assert uniform.points == []
