"""Costs of an allocation (design section 3): one module for every method, every page and every test.

    bit_budget   mean Bw * mean Bs * mean T; Bw weighted by weight count, Bs (averaged over steps) and T
                 by input element count
    s_ace        sum over layers of MACs * sum_t (Bs_t * Bw)
    ns_ace       s_ace, each layer times its measured nonzero spike rate (averaged over its steps)
    weight_kib   (weights * Bw + 32 * (1 + T + biases)) / 8192: weights, step sizes (one per weight tensor,
                 one per step of the neuron) and biases, the last two as 32-bit words; no 1 without weights,
                 and the number of output channels in place of 1 where each has a step size of its own
    spike_kib    max over layers of inputs * sum_t Bs_t / 8192
    sops         MACs * nonzero spikes, summed over steps

Where output channels have weight bits of their own, Bw is their mean: they have equally many weights.

A layer without weights is a row too: its steps and spike bits count. Where its spikes are multiplied with
those of a partner (attention), the partner's mean spike bits stand in place of Bw (decision 5).

`bit_budget`, `s_ace`, `weight_kib` and `spike_kib` follow from the allocation alone and may bound a
search; `ns_ace` and `sops` need rates measured on data. The formulas work on numbers and on tensors
alike, so that the gradient method differentiates the very costs that are reported.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import torch

from models.allocation import Allocation, LayerBits, WeightPer
from models.errors import InvalidInputError, UnknownNameError

Scope = Literal["searched", "all"]
LayerKind = Literal["conv", "linear", "attention", "spikes"]
"""An operator with weights, an operand of attention, or spikes that a shortcut carries."""
Number = Any
"""A float or a 0-dimensional tensor; the formulas take either."""

COST_VERSIONS: Mapping[str, int] = {
    "bit_budget": 1,
    "s_ace": 1,
    "ns_ace": 1,
    "weight_kib": 1,
    "spike_kib": 1,
    "sops": 1,
}
MEASURED_METRICS = frozenset({"ns_ace", "sops"})
BUDGET_METRICS = tuple(name for name in COST_VERSIONS if name not in MEASURED_METRICS)
BITS_PER_KIB = 8 * 1024
WORD_BITS = 32
WEIGHTLESS_BITS = 1
"""The weight bits of a layer without weights, everywhere: they mean nothing, so they are never told apart."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LayerShape:
    """One row of the layer table: what a layer costs per bit, for one sample (for one frame of event data).

    `inputs` counts the elements that the layer's neuron sees; `biases` the biases left once batch
    normalisation is folded (one per output channel); `fixed` holds the bits of a layer that is not
    searched, and None for one that is; `partner` names the layer whose spikes this layer's are multiplied
    with, where it has no weights of its own.
    """

    name: str
    kind: LayerKind
    macs: int
    weights: int
    inputs: int
    biases: int
    fixed: LayerBits | None = None
    partner: str | None = None

    def held(self, bits: LayerBits) -> LayerBits:
        """The bits as this layer can have them: WEIGHTLESS_BITS where there are no weights."""
        return bits if self.weights else replace(bits, weight_bits=WEIGHTLESS_BITS, channel_bits=None)

    def weight_step_sizes(self, weight_per: WeightPer) -> int:
        """How many step sizes its weights have: one, or one per output channel, as biases are."""
        return self.biases if weight_per == "channel" and self.weights else 1


@dataclass(frozen=True, kw_only=True, slots=True)
class LayerLoad:
    """A layer with its bits, as numbers or as tensors that carry gradients.

    Once `paired`, `weight_bits` are the bits of what the spikes are multiplied with: weights, or a partner.
    """

    shape: LayerShape
    steps: Number
    mean_spike_bits: Number
    weight_bits: Number
    weight_step_sizes: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Limit:
    """An upper bound on one cost metric: a budget or a constraint."""

    metric: str
    maximum: float
    scope: Scope = "searched"


def default_scope(metric: str) -> Scope:
    """Memory is about the whole network; every other metric follows the paper's searched layers."""
    return "all" if metric in {"weight_kib", "spike_kib"} else "searched"


def costs(
    layers: Sequence[LayerShape],
    allocation: Allocation,
    scope: Scope = "searched",
    rates: Mapping[str, Sequence[float]] | None = None,
) -> dict[str, float]:
    """Every cost metric of an allocation.

    `rates` maps a layer name to its nonzero spike rate at each step; the measured metrics are left
    out without it. Raises InvalidInputError when the allocation names other layers than the table.
    """
    loads = layer_loads(layers, allocation, scope)
    found = {name: float(STATIC_COSTS[name](loads)) for name in BUDGET_METRICS}
    if rates is not None:
        found["ns_ace"] = sum(
            load.shape.macs * _bit_operations(load) * _mean(rates[load.shape.name]) for load in loads
        )
        found["sops"] = sum(load.shape.macs * sum(rates[load.shape.name]) for load in loads)
    return found


def layer_loads(layers: Sequence[LayerShape], allocation: Allocation, scope: Scope) -> list[LayerLoad]:
    """Pair the layers of a scope with their bits."""
    searched = {layer.name for layer in layers if layer.fixed is None}
    if searched != set(allocation.layers):
        odd = sorted(searched ^ set(allocation.layers))
        raise InvalidInputError(f"the allocation and the layer table disagree on {', '.join(odd)}.")
    return paired([_load(layer, layer.fixed or allocation[layer.name]) for layer in layers], scope)


def paired(loads: Sequence[LayerLoad], scope: Scope) -> list[LayerLoad]:
    """The loads of a scope, out of those of the whole table, each with the bits of its partner if any."""
    spike_bits = {load.shape.name: load.mean_spike_bits for load in loads}
    return [
        replace(load, weight_bits=spike_bits[load.shape.partner]) if load.shape.partner else load
        for load in loads
        if scope == "all" or load.shape.fixed is None
    ]


def in_scope(layers: Sequence[LayerShape], scope: Scope) -> list[LayerShape]:
    """The layers that a scope counts."""
    return [layer for layer in layers if scope == "all" or layer.fixed is None]


def static_cost(metric: str, loads: Sequence[LayerLoad]) -> Number:
    """One cost that follows from bits alone; differentiable when the loads hold tensors."""
    if metric not in STATIC_COSTS:
        raise UnknownNameError(
            f"{metric!r} cannot bound a search.", fix=f"Use one of {', '.join(BUDGET_METRICS)}."
        )
    return STATIC_COSTS[metric](loads)


def limit_cost(limit: Limit, layers: Sequence[LayerShape], allocation: Allocation) -> float:
    """The cost that a limit bounds."""
    return float(static_cost(limit.metric, layer_loads(layers, allocation, limit.scope)))


def within(limits: Sequence[Limit], layers: Sequence[LayerShape], allocation: Allocation) -> bool:
    """Whether an allocation keeps every limit."""
    return all(limit_cost(limit, layers, allocation) <= limit.maximum for limit in limits)


def _load(layer: LayerShape, bits: LayerBits) -> LayerLoad:
    return LayerLoad(
        shape=layer,
        steps=bits.steps,
        mean_spike_bits=bits.mean_spike_bits,
        weight_bits=bits.mean_weight_bits,
        weight_step_sizes=1 if bits.channel_bits is None else len(bits.channel_bits),
    )


def mean_bits(loads: Sequence[LayerLoad]) -> tuple[Number, Number, Number]:
    """Mean Bw, Bs and T, weighted as `bit_budget` weighs them."""
    weights = [load.shape.weights for load in loads]
    inputs = [load.shape.inputs for load in loads]
    return (
        _weighted([load.weight_bits for load in loads], weights),
        _weighted([load.mean_spike_bits for load in loads], inputs),
        _weighted([load.steps for load in loads], inputs),
    )


def _bit_budget(loads: Sequence[LayerLoad]) -> Number:
    mean_weight_bits, mean_spike_bits, mean_steps = mean_bits(loads)
    return mean_weight_bits * mean_spike_bits * mean_steps


def _s_ace(loads: Sequence[LayerLoad]) -> Number:
    return sum(load.shape.macs * _bit_operations(load) for load in loads)


def _weight_kib(loads: Sequence[LayerLoad]) -> Number:
    return sum(_weight_storage_bits(load) for load in loads) / BITS_PER_KIB


def _spike_kib(loads: Sequence[LayerLoad]) -> Number:
    return _largest([load.shape.inputs * load.steps * load.mean_spike_bits for load in loads]) / BITS_PER_KIB


def _weight_storage_bits(load: LayerLoad) -> Number:
    weight_step_sizes = load.weight_step_sizes if load.shape.weights else 0
    words = weight_step_sizes + load.steps + load.shape.biases
    return load.shape.weights * load.weight_bits + WORD_BITS * words


def _bit_operations(load: LayerLoad) -> Number:
    """sum_t (Bs_t * Bw), a partner's mean spike bits in place of Bw."""
    return load.steps * load.mean_spike_bits * load.weight_bits


def _weighted(values: Sequence[Number], weights: Sequence[int]) -> Number:
    return sum(value * weight for value, weight in zip(values, weights, strict=True)) / max(sum(weights), 1)


def _largest(values: Sequence[Number]) -> Number:
    if any(isinstance(value, torch.Tensor) for value in values):
        return torch.stack([torch.as_tensor(value) for value in values]).max()
    return max(values, default=0.0)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


STATIC_COSTS: Mapping[str, Callable[[Sequence[LayerLoad]], Number]] = {
    "bit_budget": _bit_budget,
    "s_ace": _s_ace,
    "weight_kib": _weight_kib,
    "spike_kib": _spike_kib,
}
