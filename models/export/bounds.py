"""How large every whole number of an integer network can become, and how far it can be from the real one.

With X the greatest magnitude of a layer's input current, e its greatest deviation, both in units of 2^-F:

    potential     U_1 = X + |Z_1|,  U_(t+1) = max(U_t, V_t) + X + |Z_(t+1)|, with Z_t = V_t z_t of a shift
    sums          A_t = Q_t * max_O sum |w|: no partial sum of op(n_t, w), in whatever order, is greater
    current       sum_t (|M_t| * A_t + |N_t| * A) + |b|;  of frames, the greatest of a frame
    deviation     sum_t A_t * (1/2 + |M_t| * 2^-48) + 1/2, since each M_t and b is rounded once; with shifts
                  the same again of A = max_O sum |w| and N_t

from one layer to the next: a deviation does not pass through a neuron whose spikes are the same. Spikes can
only differ where the real potential at step t lies within

    d_t = t * e + (1/2 if V is not a whole number of units) * (Q_1 + ... + Q_t + 1/2)
          + t / 2 with shifts + sum_(r<t) (1/2 + max(U_r, V_r) * 2^-30) with a leak

of a border between two levels. Sums add both; a rounded mean adds 1/2 to the deviation. `attention`
has its own sums, of which each term is rounded once.

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

from models.export import attention
from models.export.integers import AttentionIntegers, LayerIntegers
from models.export.nodes import (
    INPUT,
    LEAK_BITS,
    NO_LEAK,
    AddNode,
    AttentionNode,
    LayerNode,
    Node,
    PlainNode,
    PoolNode,
    SubsampleNode,
)
from models.export.shapes import Edge
from models.functional.levels import levels_at

POTENTIAL_LIMIT = 2**51
SUM_LIMIT = 2**61
FLOAT32_LIMIT, FLOAT64_LIMIT = 2**24, 2**53
SCALE_ERROR = 2.0**-48
"""Relative: what float64 may lose in a scale that holds a batch norm."""
LEAK_ERROR = 2.0**-LEAK_BITS
"""What a leak may lose by being rounded, not to 0, and so of what it is multiplied with."""
Integers = Mapping[str, LayerIntegers]
Attentions = Mapping[str, AttentionIntegers]


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
    rests_T: tuple[int, ...] = ()  # noqa: N815 - the letter is the axis
    """The greatest magnitude of u - s after each step."""


def bounds_of(
    nodes: tuple[Node, ...],
    edges: Mapping[str, Edge],
    integers: Integers,
    limit: int,
    attentions: Attentions | None = None,
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
        elif isinstance(node, AttentionNode):
            reaches[node.name] = _attended(node, edges, layers, (attentions or {})[node.name])
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
    thresholds = numbers.threshold_T.tolist()
    shifts = [0] * node.steps if numbers.shift_T is None else [abs(Z) for Z in numbers.shift_T.tolist()]
    potential, rests = 0, list[int]()
    for V, Z in zip(thresholds, shifts, strict=True):
        potential = (rests[-1] if rests else 0) + reach.magnitude + Z
        rests.append(max(potential, V))
    _hold(node.name, potential + max(thresholds), POTENTIAL_LIMIT)
    sums = tuple(levels_at(bits, signed=node.signed).high * _heaviest(numbers) for bits in node.spike_bits)
    return LayerBounds(reach=reach, sums_T=sums, potential=potential, rests_T=tuple(rests))


def _heaviest(numbers: LayerIntegers) -> int:
    """A: no sum of op(1, w) is greater."""
    if numbers.levels is None:
        return 1
    flat = np.abs(numbers.levels).reshape(len(numbers.levels), -1)
    return int(flat.sum(axis=1, dtype=np.int64).max())


def _leaving(numbers: LayerIntegers, bounds: LayerBounds, *, framed: bool) -> Reach:
    if not numbers.bias_O.size:  # an operand, whose spikes attention bounds
        return Reach(magnitude=max(bounds.sums_T), deviation=0.0)
    join: Any = max if framed else sum
    pairs = list(zip(_largest(numbers.multiplier_TO), bounds.sums_T, strict=True))
    magnitudes = [scale * total for scale, total in pairs]
    deviations = [total * (0.5 + scale * SCALE_ERROR) for scale, total in pairs]
    if numbers.offset_TO is not None:
        ones, offsets = _heaviest(numbers), _largest(numbers.offset_TO)
        magnitudes = [total + ones * scale for total, scale in zip(magnitudes, offsets, strict=True)]
        deviations = [
            total + ones * (0.5 + scale * SCALE_ERROR)
            for total, scale in zip(deviations, offsets, strict=True)
        ]
    (bias,) = _largest(numbers.bias_O[None])
    return Reach(magnitude=join(magnitudes) + bias, deviation=join(deviations) + 0.5)


def _largest(numbers_TO: Any) -> list[int]:
    """The greatest magnitude of each row; that of -2^63 has no 64-bit integer."""
    return [max(abs(int(row.min())), abs(int(row.max()))) for row in numbers_TO]


def _attended(
    node: AttentionNode,
    edges: Mapping[str, Edge],
    layers: Mapping[str, LayerBounds],
    numbers: AttentionIntegers,
) -> Reach:
    channels, *sides = edges[node.name].shape
    products = attention.products_of(
        [layers[name].sums_T for name in (node.query, node.key, node.value)],
        numbers.terms_K4,
        reads=channels // node.heads * prod(sides),
    )
    _hold(node.name, max(products), FLOAT64_LIMIT)
    frames: dict[int, tuple[int, float]] = {}
    for frame, product, scale in zip(
        numbers.terms_K4[:, 0].tolist(), products, numbers.multiplier_K.tolist(), strict=True
    ):
        magnitude, deviation = frames.get(frame, (0, 0.0))
        frames[frame] = magnitude + product * abs(scale), deviation + product * 0.5
    found = Reach(
        magnitude=max(one for one, _ in frames.values()), deviation=max(one for _, one in frames.values())
    )
    _hold(node.name, found.magnitude, POTENTIAL_LIMIT)
    return found


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
        case LayerNode() | AttentionNode():
            raise TypeError("this reach follows from bounds")
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
    thresholds = 0.0 if exact else 0.5 * (sum(highs) + 0.5)
    shifts = 0.5 * (step + 1) if node.shifted else 0.0
    leaks = [0.5 + rest * LEAK_ERROR for rest in bounds.rests_T[:step]] if node.leak != NO_LEAK else []
    return (step + 1) * bounds.reach.deviation + thresholds + shifts + sum(leaks)
