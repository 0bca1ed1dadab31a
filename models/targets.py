"""Steer mean bits to three targets (design section 2, the `gradient-targets` method).

    penalty = lw * |mean Bw - tw| + ls * |mean Bs - ts| + lt * |mean T - tt|

with the means of `models.cost.mean_bits` over the searched layers. Bits rise to at most their start + 2,
steps to their start + 1. Renewal ends once

    |mean Bw - tw| <= share * |mean Bw(0) - tw|    and the same for Bs:

from there on bits only swing about their targets, and renewing would undo what the step sizes have learned.

Targets that are not given follow from a budget. On the line of real bits, the same in every layer,

    x(q) = low * (high / low)^q,   0 <= q <= 1,   for each of Bw, Bs and T inside its bounds

they are those at the greatest q whose costs keep the budget and the constraints: for `bit_budget` that is
tw * ts * tt = budget, with every quantity equally far between its bounds (by ratio).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from models.allocation import Bounds, WeightPer
from models.cost import (
    WEIGHTLESS_BITS,
    LayerLoad,
    LayerShape,
    Limit,
    Number,
    mean_bits,
    paired,
)
from models.layers.options import LayerOptions

MORE_BITS = 2
MORE_STEPS = 1
HALVINGS = 40


@dataclass(frozen=True, kw_only=True, slots=True)
class Targets:
    """Wished means over the searched layers, or what each of them weighs."""

    weight: float
    spike: float
    steps: float


@dataclass(frozen=True, kw_only=True, slots=True)
class TargetsState:
    """How far mean weight and spike bits were from their targets at first; all a resumed training needs."""

    distances: tuple[float, float]

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> TargetsState:
        """The inverse of `dataclasses.asdict`."""
        first, second = data["distances"]
        return cls(distances=(first, second))


def penalty(loads: Sequence[LayerLoad], targets: Targets, weights: Targets) -> torch.Tensor:
    """The penalty for the loads of the searched layers, 0-dimensional, differentiable in their bits."""
    weight, spike, steps = mean_bits(loads)
    return torch.as_tensor(
        weights.weight * abs(weight - targets.weight)
        + weights.spike * abs(spike - targets.spike)
        + weights.steps * abs(steps - targets.steps)
    )


def initial_state(loads: Sequence[LayerLoad], targets: Targets) -> TargetsState:
    """The distances before the first step."""
    return TargetsState(distances=_distances(loads, targets))


def is_near(loads: Sequence[LayerLoad], targets: Targets, state: TargetsState, share: float) -> bool:
    """Whether mean weight and spike bits are within a share of their initial distance from the targets."""
    now = _distances(loads, targets)
    return all(distance <= share * first for distance, first in zip(now, state.distances, strict=True))


def target_bounds(options: LayerOptions) -> Bounds:
    """The bounds that this method learns bits in: not far above where they start."""
    bounds, initial = options.learning_bounds(), options.initial
    return Bounds(
        weight=_cut(bounds.weight, initial.weight + MORE_BITS),
        spike=_cut(bounds.spike, initial.spike + MORE_BITS),
        steps=_cut(bounds.steps, initial.steps + MORE_STEPS),
        weight_per=bounds.weight_per,
    )


def targets_under(limits: Sequence[Limit], layers: Sequence[LayerShape], bounds: Bounds) -> Targets:
    """The targets that follow from a budget and the constraints; the least bits where none keep them."""
    least, most = 0.0, 1.0
    if _keeps(_between(bounds, most), limits, layers, bounds.weight_per):
        return _between(bounds, most)
    for _ in range(HALVINGS):
        middle = (least + most) / 2
        kept = _keeps(_between(bounds, middle), limits, layers, bounds.weight_per)
        least, most = (middle, most) if kept else (least, middle)
    return _between(bounds, least)


def targets_cost(
    limit: Limit, targets: Targets, layers: Sequence[LayerShape], weight_per: WeightPer = "layer"
) -> float:
    """What a limit bounds, where every searched layer has the target bits."""
    loads = [_load(layer, targets, weight_per) for layer in layers]
    return float(limit.cost(paired(loads, limit.scope)))


def _keeps(
    targets: Targets, limits: Sequence[Limit], layers: Sequence[LayerShape], weight_per: WeightPer
) -> bool:
    return all(targets_cost(limit, targets, layers, weight_per) <= limit.maximum for limit in limits)


def _between(bounds: Bounds, share: float) -> Targets:
    """x(q) of the formulas above."""
    weight, spike, steps = (
        low * (high / low) ** share for low, high in (bounds.weight, bounds.spike, bounds.steps)
    )
    return Targets(weight=weight, spike=spike, steps=steps)


def _load(layer: LayerShape, targets: Targets, weight_per: WeightPer) -> LayerLoad:
    if layer.fixed is not None:
        return LayerLoad(
            shape=layer,
            steps=layer.fixed.steps,
            mean_spike_bits=layer.fixed.mean_spike_bits,
            weight_bits=layer.fixed.weight_bits,
        )
    return LayerLoad(
        shape=layer,
        steps=targets.steps,
        mean_spike_bits=targets.spike,
        weight_bits=targets.weight if layer.weights else WEIGHTLESS_BITS,
        weight_step_sizes=layer.weight_step_sizes(weight_per),
    )


def _distances(loads: Sequence[LayerLoad], targets: Targets) -> tuple[float, float]:
    weight, spike, _ = mean_bits(loads)
    return _distance(weight, targets.weight), _distance(spike, targets.spike)


def _distance(mean: Number, target: float) -> float:
    return abs(torch.as_tensor(mean).item() - target)


def _cut(bounds: tuple[int, int], most: int) -> tuple[int, int]:
    low, high = bounds
    return low, max(low, min(high, most))
