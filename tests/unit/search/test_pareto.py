"""Fronts and hypervolumes against their definitions, written out point by point."""

from __future__ import annotations

from itertools import pairwise
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import InvalidInputError
from search.pareto import BINS, hypervolume, insert, is_on_front, joint_hypervolume

# Few distinct values, so that ties and duplicates are common.
Point = tuple[float, float]
points = st.lists(
    st.tuples(st.integers(0, 8).map(lambda c: c / 4), st.integers(0, 8).map(lambda a: a / 8)), max_size=40
)


def beats(first: Point, second: Point) -> bool:
    return first[0] <= second[0] and first[1] >= second[1] and first != second


def front_of(found: list[Point]) -> list[Point]:
    chosen = is_on_front([c for c, _ in found], [a for _, a in found])
    return sorted(point for point, on in zip(found, chosen, strict=True) if on)


def staircase_area(found: list[Point], reference: Point) -> float:
    """The area by strips between neighbouring costs, with no notion of a front."""
    edges = sorted({min(cost, reference[0]) for cost, _ in found} | {reference[0]})
    area = 0.0
    for left, right in pairwise(edges):
        best = max(accuracy for cost, accuracy in found if cost <= left)
        area += (right - left) * max(best - reference[1], 0.0)
    return area / (reference[0] * (1 - reference[1]))


@given(points)
def test_a_point_is_on_the_front_when_nothing_beats_it_and_it_is_the_first_of_its_equals(
    found: list[Point],
) -> None:
    chosen = is_on_front([c for c, _ in found], [a for _, a in found])
    expected = [
        not any(beats(other, point) for other in found) and point not in found[:place]
        for place, point in enumerate(found)
    ]
    assert chosen.tolist() == expected


@given(points, st.randoms(use_true_random=False))
def test_order_does_not_matter_to_the_front(found: list[Point], random: Random) -> None:
    shuffled = list(found)
    random.shuffle(shuffled)
    assert front_of(shuffled) == front_of(found)


@pytest.mark.parametrize("spread", ["even", "heavy-tailed", "equal costs"])
def test_the_scan_that_drops_beaten_points_changes_nothing(spread: str) -> None:
    random = np.random.default_rng(0)
    even = random.random(5 * BINS).round(3) + 1e-3
    costs = {"even": even, "heavy-tailed": even**-4.0, "equal costs": 0 * even + 2}[spread]
    accuracies = random.random(5 * BINS).round(2)
    order = np.lexsort((np.arange(len(costs)), -accuracies, costs))
    best_before = np.maximum.accumulate(np.concatenate(([-1.0], accuracies[order][:-1])))
    expected = np.zeros(len(costs), dtype=bool)
    expected[order] = accuracies[order] > best_before
    assert is_on_front(costs, accuracies).tolist() == expected.tolist()


@given(points, st.sampled_from([(1.0, 0.0), (2.0, 0.25), (5.0, 0.5)]))
def test_hypervolume_is_the_area_between_front_and_reference(found: list[Point], reference: Point) -> None:
    volume = hypervolume([c for c, _ in found], [a for _, a in found], *reference)
    assert volume == pytest.approx(staircase_area(found, reference) if found else 0.0, abs=1e-12)
    assert 0 <= volume <= 1


@given(points, st.tuples(st.floats(0, 3), st.floats(0, 1)))
def test_one_more_point_never_lowers_the_hypervolume(found: list[Point], point: Point) -> None:
    more = [*found, point]
    before = hypervolume([c for c, _ in found], [a for _, a in found], 2.5)
    assert hypervolume([c for c, _ in more], [a for _, a in more], 2.5) >= before - 1e-12


def test_a_free_and_perfect_point_fills_the_area() -> None:
    assert hypervolume([0.0], [1.0], 7.0, 0.1) == 1.0


@given(points)
def test_inserting_points_one_by_one_gives_the_same_front(found: list[Point]) -> None:
    front: list[Point] = []
    for point in found:
        front = insert(front, point)
    assert front == front_of(found)


@pytest.mark.parametrize(
    ("costs", "accuracies"),
    [([1.0], [0.5, 0.6]), ([float("nan")], [0.5]), ([1.0], [float("inf")]), ([[1.0]], [[0.5]])],
)
def test_points_that_are_no_points_are_refused(costs: list[float], accuracies: list[float]) -> None:
    with pytest.raises(InvalidInputError):
        is_on_front(costs, accuracies)


@pytest.mark.parametrize(
    ("cost", "accuracy", "reference"),
    [(-1.0, 0.5, (2.0, 0.0)), (1.0, 1.1, (2.0, 0.0)), (1.0, 0.5, (0.0, 0.0)), (1.0, 0.5, (2.0, 1.0))],
)
def test_values_outside_the_normalised_area_are_refused(
    cost: float, accuracy: float, reference: Point
) -> None:
    with pytest.raises(InvalidInputError):
        hypervolume([cost], [accuracy], *reference)


cubes = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(0, 4)), max_size=12)


@given(cubes)
def test_the_joint_hypervolume_is_the_volume_that_the_points_beat(found: list[tuple[int, int, int]]) -> None:
    """Counted cell by cell on a grid of 4 x 4 x 4, on whose corners all points lie."""
    cells = [(a, b, c) for a in range(4) for b in range(4) for c in range(4)]
    beaten = sum(any(x <= a and y <= b and z > c for x, y, z in found) for a, b, c in cells)
    costs = np.array([(x, y) for x, y, _ in found]).reshape(-1, 2)
    volume = joint_hypervolume(costs, [z / 4 for *_, z in found], (4.0, 4.0))
    assert volume == pytest.approx(beaten / 64)


@given(points)
def test_with_one_cost_it_is_the_plain_hypervolume(found: list[Point]) -> None:
    costs, accuracies = [c for c, _ in found], [a for _, a in found]
    joint = joint_hypervolume(np.reshape(costs, (-1, 1)), accuracies, (2.5,))
    assert joint == pytest.approx(hypervolume(costs, accuracies, 2.5))


@pytest.mark.parametrize(
    ("costs", "accuracies", "references"),
    [
        ([[1.0]], [0.5], (2.0, 2.0)),
        ([[1.0, 1.0]], [1.5], (2.0, 2.0)),
        ([[1.0, float("nan")]], [0.5], (2.0, 2.0)),
        ([[1.0, 1.0]], [0.5], (2.0, 0.0)),
    ],
)
def test_joint_points_that_are_no_points_are_refused(
    costs: list[list[float]], accuracies: list[float], references: tuple[float, ...]
) -> None:
    with pytest.raises(InvalidInputError):
        joint_hypervolume(costs, accuracies, references)
