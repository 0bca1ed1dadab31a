"""What the seeds of a method attain: the front that a share of them reaches or betters.

    a seed attains (c, a) if one of its points costs at most c and is scores at least a
    attainment front of k of n seeds: the front of all (c, a) that at least k of them attain

The middle one (k = n/2, rounded up) is what to expect of a further seed; k = n is what every seed reached,
k = 1 what the luckiest did. The sweep is moocore's (empirical attainment function).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import moocore
import numpy as np

from models.errors import InvalidInputError

Place = tuple[float, float]
"""(cost, score)"""


def attainment_front(seeds: Sequence[Sequence[Place]], share: float) -> list[Place]:
    """The places that at least a share (above 0, up to 1) of the seeds attain, cheapest first.

    A seed without points attains nothing and counts. Raises InvalidInputError for a share out of range.
    """
    if not 0 < share <= 1:
        raise InvalidInputError(f"{share} is no share of the seeds; use one above 0 and up to 1.")
    wanted = math.ceil(share * len(seeds) - 1e-9)
    filled = [places for places in seeds if places]
    if not filled or len(filled) < wanted:
        return []
    points_N2 = np.array([(cost, -score) for places in filled for cost, score in places])
    sets_N = np.repeat(np.arange(1, len(filled) + 1), [len(places) for places in filled])
    found = moocore.eaf(points_N2, sets=sets_N, percentiles=[100 * wanted / len(filled)])
    return sorted({(float(cost), -float(score)) for cost, score, _ in found})
