"""The costs that follow from bits and layer shapes alone; the formulas stand in `models.cost`."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from models.cost.layers import LayerLoad, Number

BITS_PER_KIB = 8 * 1024
WORD_BITS = 32


def mean_bits(loads: Sequence[LayerLoad]) -> tuple[Number, Number, Number]:
    """Mean Bw, Bs and T, weighted as `bit_budget` weighs them."""
    weights = [load.shape.weights for load in loads]
    inputs = [load.shape.inputs for load in loads]
    return (
        _weighted([load.weight_bits for load in loads], weights),
        _weighted([load.mean_spike_bits for load in loads], inputs),
        _weighted([load.steps for load in loads], inputs),
    )


def bit_budget(loads: Sequence[LayerLoad]) -> Number:
    """Mean Bw x mean Bs x mean T."""
    mean_weight_bits, mean_spike_bits, mean_steps = mean_bits(loads)
    return mean_weight_bits * mean_spike_bits * mean_steps


def s_ace(loads: Sequence[LayerLoad]) -> Number:
    """Bit operations of all layers."""
    return sum(load.shape.macs * load.bit_operations for load in loads)


def weight_kib(loads: Sequence[LayerLoad]) -> Number:
    """KiB of weights, step sizes and biases."""
    return sum(layer_weight_kib(load) for load in loads)


def layer_weight_kib(load: LayerLoad) -> Number:
    """The same of one layer."""
    weight_step_sizes = load.weight_step_sizes if load.shape.weights else 0
    words = weight_step_sizes + load.steps + load.shape.biases
    return (load.shape.weights * load.weight_bits + WORD_BITS * words) / BITS_PER_KIB


def spike_kib(loads: Sequence[LayerLoad]) -> Number:
    """KiB of the largest spike traffic of a layer."""
    return _largest([layer_spike_kib(load) for load in loads])


def layer_spike_kib(load: LayerLoad) -> Number:
    """The same of one layer."""
    return load.shape.inputs * load.spike_bits / BITS_PER_KIB


def _weighted(values: Sequence[Number], weights: Sequence[int]) -> Number:
    return sum(value * weight for value, weight in zip(values, weights, strict=True)) / max(sum(weights), 1)


def _largest(values: Sequence[Number]) -> Number:
    if any(isinstance(value, torch.Tensor) for value in values):
        return torch.stack([torch.as_tensor(value) for value in values]).max()
    return max(values, default=0.0)
