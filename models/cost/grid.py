"""Costs on a rectangular grid of (T, Bs, Bw), multilinear between its knots.

On an axis with knots k_0 < ... < k_n a value x has the weights

    k_i <= x <= k_(i+1):    1 - t at k_i  and  t at k_(i+1),    t = (x - k_i) / (k_(i+1) - k_i)

and the cost is the sum over knots of the cost there times the weights on the three axes: exact at the knots.
Its derivative along an axis is the slope of the interval that x is in. At a knot, where learned bits often
are, it is the mean of the slopes on both sides (at an end, the one there is): what another bit costs and what
one less saves both count. Costs that never fall along an axis never fall between its knots either.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, product

import torch

from models.cost.layers import Number, plain

TOLERANCE = 1e-4
"""How far outside its grid rounding may put a value."""

Axis = tuple[int, ...]
Place = tuple[int, int, int]
Weights = list[tuple[int, float]]
"""(index of a knot, weight), without those of weight 0."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Grid:
    """The costs of one kind at every combination of its knots, T outermost, Bw innermost."""

    name: str
    axes: tuple[Axis, Axis, Axis]
    costs: tuple[float, ...]

    def covers(self, bits: Sequence[float]) -> bool:
        """Whether (T, Bs, Bw) lies within the grid."""
        return all(
            axis[0] - TOLERANCE <= value <= axis[-1] + TOLERANCE
            for axis, value in zip(self.axes, bits, strict=True)
        )

    def cost(self, bits: Sequence[Number]) -> Number:
        """The cost of (T, Bs, Bw) within the grid; a tensor that carries gradients where they are tensors."""
        values = [plain(value) for value in bits]
        weights = [_weights(axis, value) for axis, value in zip(self.axes, values, strict=True)]
        found: Number = self._sum(weights)
        for place, value in enumerate(bits):
            if isinstance(value, torch.Tensor):
                slope = self._sum(
                    [*weights[:place], _slopes(self.axes[place], values[place]), *weights[place + 1 :]]
                )
                found = found + slope * (value - value.detach())
        return found

    def falls(self) -> Iterator[tuple[Place, Place]]:
        """Every pair of neighbouring knots (T, Bs, Bw) of which the greater costs less."""
        sizes = [range(len(axis)) for axis in self.axes]
        for place in product(*sizes):
            for along in range(3):
                beyond = (*place[:along], place[along] + 1, *place[along + 1 :])
                inside = beyond[along] < len(self.axes[along])
                if inside and self.at(beyond) < self.at(place):
                    yield self.bits_at(place), self.bits_at(beyond)

    def at(self, place: Sequence[int]) -> float:
        """The cost at the knot with these indices."""
        steps, spike, weight = place
        return self.costs[(steps * len(self.axes[1]) + spike) * len(self.axes[2]) + weight]

    def bits_at(self, place: Sequence[int]) -> Place:
        """(T, Bs, Bw) of the knot with these indices."""
        steps, spike, weight = (axis[index] for axis, index in zip(self.axes, place, strict=True))
        return steps, spike, weight

    def _sum(self, weights: Sequence[Weights]) -> float:
        return sum(
            one * two * three * self.at((i, j, k)) for (i, one), (j, two), (k, three) in product(*weights)
        )


def _weights(axis: Axis, value: float) -> Weights:
    value = min(max(value, axis[0]), axis[-1])
    low = bisect_right(axis, value) - 1
    if value == axis[low]:
        return [(low, 1.0)]
    share = (value - axis[low]) / (axis[low + 1] - axis[low])
    return [(low, 1 - share), (low + 1, share)]


def _slopes(axis: Axis, value: float) -> Weights:
    """The derivative of the weights: the mean over the intervals that hold the value."""
    held = [
        (low, 1 / (end - start)) for low, (start, end) in enumerate(pairwise(axis)) if start <= value <= end
    ]
    return [
        entry for low, slope in held for entry in ((low, -slope / len(held)), (low + 1, slope / len(held)))
    ]
