"""What costs are computed from: the rows of a layer table, and those rows paired with their bits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import torch

from models.allocation import Allocation, LayerBits, WeightPer
from models.errors import InvalidInputError

Scope = Literal["searched", "all"]
LayerKind = Literal["conv", "linear", "attention", "spikes"]
"""An operator with weights, an operand of attention, or spikes that a shortcut carries."""
Number = Any
"""A float or a 0-dimensional tensor; the formulas take either."""


def plain(number: Number) -> float:
    """A number or a tensor as a float that carries no gradient."""
    return float(number.item()) if isinstance(number, torch.Tensor) else float(number)


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

    @property
    def spike_bits(self) -> Number:
        """sum_t Bs_t: the spike bits of all steps together."""
        return self.steps * self.mean_spike_bits

    @property
    def bit_operations(self) -> Number:
        """sum_t (Bs_t * Bw) of one multiply-accumulate, a partner's mean spike bits in place of Bw."""
        return self.spike_bits * self.weight_bits


def layer_loads(layers: Sequence[LayerShape], allocation: Allocation, scope: Scope) -> list[LayerLoad]:
    """Pair the layers of a scope with their bits.

    Raises InvalidInputError when the allocation names other layers than the table.
    """
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


def _load(layer: LayerShape, bits: LayerBits) -> LayerLoad:
    return LayerLoad(
        shape=layer,
        steps=bits.steps,
        mean_spike_bits=bits.mean_spike_bits,
        weight_bits=bits.mean_weight_bits,
        weight_step_sizes=1 if bits.channel_bits is None else len(bits.channel_bits),
    )
