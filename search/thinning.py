"""Thins many points out to what a chart can show, so that the shape of the cloud stays.

    cell(i) = (floor(n * x_i), floor(n * y_i)),  x, y in [0, 1]: the cost (its logarithm) and the score of
              point i between the least and the greatest of all
    kept(n) = the points that must stay, and of each (group, cell) the first of the others

n is the greatest power of two, at most FINEST, for which at most `most` others are kept; with none, of n = 1
the first `most`. So every point that is kept is one of those given, and equal input gives equal output.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.errors import InvalidInputError

FINEST = 1024


def thinned(
    costs: ArrayLike, scores: ArrayLike, groups: ArrayLike, must_stay: ArrayLike, *, most: int
) -> NDArray[np.bool_]:
    """Which of N points to show: shape [N], True for all that must stay and for at most `most` others.

    `groups` (whole numbers) are thinned apart, so that none hides another. Raises InvalidInputError where
    shapes differ.
    """
    cost_N, score_N = np.asarray(costs, dtype=np.float64), np.asarray(scores, dtype=np.float64)
    group_N, stay_N = np.asarray(groups, dtype=np.int64), np.asarray(must_stay, dtype=np.bool_)
    if not cost_N.shape == score_N.shape == group_N.shape == stay_N.shape or cost_N.ndim != 1:
        raise InvalidInputError("give a cost, a score, a group and a word on staying for each point.")
    others = np.flatnonzero(~stay_N)
    if len(others) > most:
        others = _of_cells(_share(_logarithm(cost_N)), _share(score_N), group_N, others, most)
    kept = stay_N.copy()
    kept[others] = True
    return kept


def _of_cells(
    x_N: NDArray[np.float64],
    y_N: NDArray[np.float64],
    group_N: NDArray[np.int64],
    others: NDArray[np.intp],
    most: int,
) -> NDArray[np.intp]:
    fineness = FINEST
    while True:
        column, row = (
            np.minimum(fineness * part[others], fineness - 1).astype(np.int64) for part in (x_N, y_N)
        )
        cell = (group_N[others] * fineness + column) * fineness + row
        _, first = np.unique(cell, return_index=True)
        if len(first) <= most or fineness == 1:
            kept: NDArray[np.intp] = others[np.sort(first)[:most]]
            return kept
        fineness //= 2


def _logarithm(cost_N: NDArray[np.float64]) -> NDArray[np.float64]:
    """Costs on the axis that charts begin with; a cost of nothing stands at the least other one."""
    positive = cost_N[cost_N > 0]
    least = positive.min() if len(positive) else 1.0
    result: NDArray[np.float64] = np.log(np.maximum(cost_N, least))
    return result


def _share(values_N: NDArray[np.float64]) -> NDArray[np.float64]:
    reach = np.ptp(values_N)
    return (values_N - values_N.min()) / reach if reach > 0 else np.zeros_like(values_N)
