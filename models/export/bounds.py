"""How large every whole number of an integer network can become, and how far it can be from the real one.

With X the greatest magnitude of a layer's input current, e its greatest deviation, both in units of 2^-F:

    potential     U_1 = X,  U_(t+1) = max(U_t, V_t) + X
    sums          A_t = Q_t * max_O sum |w|: no partial sum of op(n_t, w), in whatever order, is greater
    current       sum_t |M_t| * A_t + |b|;  of frames, the greatest of a frame
    deviation     sum_t A_t * (1/2 + |M_t| * 2^-48) + 1/2, since each M_t and b is rounded once

from one layer to the next: a deviation does not pass through a neuron whose spikes are the same. Spikes can
only differ where the real potential at step t lies within

    d_t = t * e + (1/2 if V is not a whole number of units) * (Q_1 + ... + Q_t + 1/2)

of a border between two levels. Sums add both; a rounded mean adds 1/2 to the deviation.

Held to, so that every form computes the same: potentials and thresholds together to 2^51, which float64
divides and rounds down exactly as whole numbers; sums before a mean to 2^61 in 64-bit integers; op(n_t, w)
below 2^24 may be computed in float32, below 2^53 in float64.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any, assert_never

import numpy as np

from models.export.integers import LayerIntegers
from models.export.nodes import INPUT, AddNode, LayerNode, Node, PlainNode, PoolNode, SubsampleNode
from models.export.shapes import Edge
from models.functional.levels import levels_at

POTENTIAL_LIMIT = 2**51
SUM_LIMIT = 2**61
FLOAT32_LIMIT, FLOAT64_LIMIT = 2**24, 2**53
SCALE_ERROR = 2.0**-48
"""Relative: what float64 may lose in a scale that holds a batch norm."""


class RangeError(ValueError):
    """A number that could become too large: one sentence."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reach:
    """The greatest magnitude of a current and its greatest deviation, in units of 2^-F."""

    magnitude: int
    deviation: float


@dataclass(frozen=True, kw_only=True, slots=True)
class LayerBounds:
    """What is true of a layer whatever it is shown."""

    reach: Reach
    """Of its input current."""
    sums_T: tuple[int, ...]  # noqa: N815 - the letter is the axis
    """A_t."""
    potential: int


def bounds_of(
    nodes: tuple[Node, ...], edges: Mapping[str, Edge], integers: Mapping[str, LayerIntegers], limit: int
) -> tuple[Mapping[str, LayerBounds], Mapping[str, Reach]]:
    """The bounds of every layer, and the reach of every edge. Raises RangeError, naming the node."""
    reaches = {INPUT: Reach(magnitude=limit, deviation=0.5)}
    layers: dict[str, LayerBounds] = {}
    for node in nodes:
        if isinstance(node, LayerNode):
            entering = regrouped(reaches[node.source], edges[node.source].frames, node.steps)
            layers[node.name] = _layer_bounds(node, entering, integers[node.name])
            reaches[node.name] = _leaving(
                integers[node.name], layers[node.name], framed=edges[node.name].frames > 0
            )
        else:
            reaches[node.name] = _reach(node, reaches, edges)
    last = nodes[-1].name
    _hold(last, reaches[last].magnitude * max(1, edges[last].frames), SUM_LIMIT)
    return layers, reaches


def regrouped(reach: Reach, frames: int, steps: int) -> Reach:
    """The reach after frames are regrouped to steps; images have no frames and keep theirs."""
    if steps >= frames:
        return reach
    _hold("a mean of frames", reach.magnitude * frames, SUM_LIMIT)
    return Reach(magnitude=reach.magnitude, deviation=reach.deviation + 0.5)


def _layer_bounds(node: LayerNode, reach: Reach, numbers: LayerIntegers) -> LayerBounds:
    potential = reach.magnitude
    for threshold in numbers.threshold_T[:-1].tolist():
        potential = max(potential, threshold) + reach.magnitude
    _hold(node.name, potential + int(numbers.threshold_T.max()), POTENTIAL_LIMIT)
    heaviest = 1 if numbers.levels is None else _heaviest(numbers.levels)
    sums = tuple(levels_at(bits, signed=node.signed).high * heaviest for bits in node.spike_bits)
    return LayerBounds(reach=reach, sums_T=sums, potential=potential)


def _heaviest(levels: Any) -> int:
    flat = np.abs(levels).reshape(len(levels), -1)
    return int(flat.sum(axis=1, dtype=np.int64).max())


def _leaving(numbers: LayerIntegers, bounds: LayerBounds, *, framed: bool) -> Reach:
    join: Any = max if framed else sum
    largest_T = [max(abs(int(row.min())), abs(int(row.max()))) for row in numbers.multiplier_TO]
    bias = max(abs(int(numbers.bias_O.min())), abs(int(numbers.bias_O.max())))
    pairs = list(zip(largest_T, bounds.sums_T, strict=True))
    magnitude = join(scale * total for scale, total in pairs) + bias
    deviation = join(total * (0.5 + scale * SCALE_ERROR) for scale, total in pairs) + 0.5
    return Reach(magnitude=magnitude, deviation=deviation)


def _reach(node: Node, reaches: Mapping[str, Reach], edges: Mapping[str, Edge]) -> Reach:
    match node:
        case AddNode():
            branch, frames = reaches[node.branch], edges[node.branch].frames
            shortcut = regrouped(reaches[node.shortcut], edges[node.shortcut].frames, frames)
            return Reach(
                magnitude=branch.magnitude + shortcut.magnitude,
                deviation=branch.deviation + shortcut.deviation,
            )
        case PoolNode(op="mean_pool"):
            return _averaged(node.name, reaches[node.source], prod(node.kernel))
        case PlainNode(op="map_mean"):
            return _averaged(node.name, reaches[node.source], prod(edges[node.source].shape[1:]))
        case PoolNode() | PlainNode() | SubsampleNode():
            return reaches[node.source]
        case LayerNode():
            raise TypeError("a layer's reach follows from its bounds")
        case _:
            assert_never(node)


def _averaged(name: str, reach: Reach, count: int) -> Reach:
    _hold(name, reach.magnitude * count, SUM_LIMIT)
    return Reach(magnitude=reach.magnitude, deviation=reach.deviation + 0.5)


def _hold(name: str, magnitude: int, limit: int) -> None:
    if magnitude > limit:
        raise RangeError(f"numbers of {name} could reach 2^{magnitude.bit_length()}")


def border_deviation(node: LayerNode, bounds: LayerBounds, step: int, *, exact: bool) -> float:
    """d_t in units, for a step counted from 0; `exact`: the thresholds are whole numbers of units."""
    highs = [levels_at(bits, signed=node.signed).high for bits in node.spike_bits[: step + 1]]
    return (step + 1) * bounds.reach.deviation + (0.0 if exact else 0.5 * (sum(highs) + 0.5))
