"""Thins many points out to what a chart can show, so that the shape of the cloud stays.

    cell(i) = (floor(n * x_i), floor(n * y_i)),  x, y in [0, 1]: the cost (its logarithm) and the score of
              point i between the least and the greatest of all
    kept(n) = the points that must stay, and of each (group, cell) the first of the others

n is found by bisection among eighths of octaves up to 1,024, the finest with at most `most` others; with
none, of n = 1 the first `most`. So every point that is kept is one of those given, and equal input gives
equal output.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.errors import InvalidInputError

PER_OCTAVE, STEPS = 8, 80
"""Of finenesses: 2^(step / PER_OCTAVE), step from 0 to STEPS."""


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
    if most == 0:
        others = others[:0]
    elif len(others) > most:
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
    x, y, group = x_N[others], y_N[others], group_N[others]
    first, coarse, fine = _first_of_cells(x, y, group, 1), 0, STEPS
    while coarse < fine:
        step = (coarse + fine + 1) // 2
        found = _first_of_cells(x, y, group, round(2 ** (step / PER_OCTAVE)))
        if len(found) <= most:
            first, coarse = found, step
        else:
            fine = step - 1
    kept: NDArray[np.intp] = others[first[:most]]
    return kept


def _first_of_cells(
    x_N: NDArray[np.float64], y_N: NDArray[np.float64], group_N: NDArray[np.int64], fineness: int
) -> NDArray[np.intp]:
    """The first point of each group and cell, in the order of the points."""
    column, row = (np.minimum(fineness * part, fineness - 1).astype(np.int64) for part in (x_N, y_N))
    _, first = np.unique((group_N * fineness + column) * fineness + row, return_index=True)
    return np.sort(first)


def _logarithm(cost_N: NDArray[np.float64]) -> NDArray[np.float64]:
    """Costs on the axis that charts begin with; a cost of nothing stands at the least other one."""
    positive = cost_N[cost_N > 0]
    least = positive.min() if len(positive) else 1.0
    result: NDArray[np.float64] = np.log(np.maximum(cost_N, least))
    return result


def _share(values_N: NDArray[np.float64]) -> NDArray[np.float64]:
    reach = np.ptp(values_N)
    return (values_N - values_N.min()) / reach if reach > 0 else np.zeros_like(values_N)
