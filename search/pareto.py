"""Exact fronts and hypervolumes of points that should cost little and score high.

A point beats another when it is at least as good in both cost (less is better) and score (more is
better), and better in one. The front holds the points that no point beats; of exactly equal points the
first. Points that a cheap scan proves beaten are dropped before the exact sweep, which then sees hundreds
of points where there were a hundred thousand.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

import moocore
import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.errors import InvalidInputError

BINS = 512
SENSES = (False, True)
"""Minimise the first column (cost), maximise the second (score)."""


def is_on_front(costs: ArrayLike, scores: ArrayLike) -> NDArray[np.bool_]:
    """Whether each of N points is on the front of all N; shape [N].

    Raises InvalidInputError when the shapes differ or a value is not finite.
    """
    points_N2 = _points(costs, scores)
    candidates = np.flatnonzero(_may_be_on_front(points_N2))
    chosen = np.zeros(len(points_N2), dtype=np.bool_)
    if len(candidates) > 0:
        chosen[candidates] = moocore.is_nondominated(points_N2[candidates], maximise=SENSES)
    return chosen


def hypervolume(
    costs: ArrayLike, scores: ArrayLike, reference_cost: float, reference_score: float = 0.0
) -> float:
    """The area that the points beat, as a share (0 to 1) of the area that a perfect, free point would beat.

    The area lies between the front and the reference: a cost that is too high and an score that is too
    low to count. Raises InvalidInputError unless costs are >= 0, scores within 0 to 1, the reference
    cost above 0 and the reference score below 1.
    """
    points_N2 = _points(costs, scores)
    if not (reference_cost > 0 and 0 <= reference_score < 1):
        raise InvalidInputError(f"({reference_cost}, {reference_score}) cannot be a reference.")
    if np.any(points_N2 < 0) or np.any(points_N2[:, 1] > 1):
        raise InvalidInputError("costs must be at least 0 and scores within 0 to 1.")
    counted = (points_N2[:, 0] < reference_cost) & (points_N2[:, 1] > reference_score)
    if not counted.any():
        return 0.0
    counted[counted] = _may_be_on_front(points_N2[counted])
    area = moocore.hypervolume(points_N2[counted], ref=(reference_cost, reference_score), maximise=SENSES)
    return min(float(area) / (reference_cost * (1 - reference_score)), 1.0)


def joint_hypervolume(costs: ArrayLike, scores: ArrayLike, reference_costs: Sequence[float]) -> float:
    """The hypervolume of N points with several costs each, `costs` of shape [N, D], as a share of the whole.

    For two costs it is the volume that the points beat below both reference costs and above score 0.
    Raises InvalidInputError when shapes differ, or costs or scores are out of range.
    """
    cost_ND, reference_D = np.asarray(costs, dtype=np.float64), np.asarray(reference_costs, dtype=np.float64)
    score_N = np.asarray(scores, dtype=np.float64)
    if cost_ND.shape != (len(score_N), len(reference_D)) or np.any(reference_D <= 0):
        raise InvalidInputError(f"costs of shape {cost_ND.shape} do not fit {len(reference_D)} references.")
    points = np.column_stack((cost_ND, score_N))
    if not np.isfinite(points).all() or np.any(points < 0) or np.any(score_N > 1):
        raise InvalidInputError("costs must be at least 0 and scores within 0 to 1.")
    counted = np.all(cost_ND < reference_D, axis=1) & (score_N > 0)
    if not counted.any():
        return 0.0
    senses = [False] * len(reference_D) + [True]
    volume = moocore.hypervolume(points[counted], ref=[*reference_D, 0.0], maximise=senses)
    return min(float(volume) / float(np.prod(reference_D)), 1.0)


def insert(front: Sequence[tuple[float, float]], point: tuple[float, float]) -> list[tuple[float, float]]:
    """A front of (cost, score), cheapest first, with one more point; unchanged when that is no gain."""
    cost, score = point
    place = bisect_left(front, (cost, -np.inf))
    if place > 0 and front[place - 1][1] >= score:
        return list(front)
    if place < len(front) and front[place][0] == cost and front[place][1] >= score:
        return list(front)
    beaten = place
    while beaten < len(front) and front[beaten][1] <= score:
        beaten += 1
    return [*front[:place], point, *front[beaten:]]


def _points(costs: ArrayLike, scores: ArrayLike) -> NDArray[np.float64]:
    cost_N = np.asarray(costs, dtype=np.float64)
    score_N = np.asarray(scores, dtype=np.float64)
    if cost_N.ndim != 1 or cost_N.shape != score_N.shape:
        raise InvalidInputError(f"{cost_N.shape} costs for {score_N.shape} scores; give one per point.")
    points_N2 = np.column_stack((cost_N, score_N))
    if not np.isfinite(points_N2).all():
        raise InvalidInputError("costs and scores must be finite numbers.")
    return points_N2


def _may_be_on_front(points_N2: NDArray[np.float64]) -> NDArray[np.bool_]:
    """False only for points that a point of a cheaper bin of equal width proves beaten."""
    cost_N, score_N = points_N2[:, 0], points_N2[:, 1]
    width = np.ptp(cost_N) / BINS if len(cost_N) > BINS else 0.0
    if not 0 < width < np.inf:
        return np.ones(len(cost_N), dtype=np.bool_)
    bin_N = ((cost_N - cost_N.min()) / width).astype(np.int64)
    best_of_bin = np.full(BINS + 2, -np.inf)
    np.maximum.at(best_of_bin, bin_N + 1, score_N)
    best_of_cheaper: NDArray[np.float64] = np.maximum.accumulate(best_of_bin)
    survives: NDArray[np.bool_] = score_N > best_of_cheaper[bin_N]
    return survives
