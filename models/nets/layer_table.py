"""The layer table of a network, measured by one forward pass with hooks: what each layer costs per bit.

conv        MACs = output elements * (input channels / groups) * kernel height * kernel width
linear      MACs = tokens * input features * output features
attention   MACs = N * N * D for N tokens of D channels where the layer has a partner, else 0
spikes      MACs = 0

Elements are those of one sample, or of one frame of one sample for event data.
"""

from __future__ import annotations

import copy
from functools import partial
from typing import Any

import torch
from torch import nn

from models.cost import LayerShape
from models.layers import AdaptiveLayer, SpikingLayer, WeightlessLayer
from models.nets.network import Network


def layer_table(
    network: Network, sample_shape: tuple[int, int, int], frames: int = 0
) -> tuple[LayerShape, ...]:
    """The shapes of every layer with bits for one sample of shape [C, H, W], in forward order.

    `frames` is 0 for images. Runs a copy of the network in evaluation mode, so neither statistics nor step
    sizes change.
    """
    probe = copy.deepcopy(network).eval()
    rows: list[LayerShape] = []
    for name, layer in probe.layers.items():
        layer.register_forward_hook(partial(_record, rows, name))
    leading = (frames, 1) if frames else (1,)
    with torch.no_grad():
        probe(torch.zeros(*leading, *sample_shape))
    return tuple(rows)


def _record(
    rows: list[LayerShape], name: str, layer: nn.Module, inputs: tuple[Any, ...], output: torch.Tensor
) -> None:
    if not isinstance(layer, SpikingLayer):
        raise TypeError("only layers with bits are measured")
    entering, leaving = inputs[0], output
    if layer.options.temporal:
        entering, leaving = entering[0], leaving[0]
    rows.append(_row(name, layer, entering, leaving))


def _row(name: str, layer: SpikingLayer, entering: torch.Tensor, leaving: torch.Tensor) -> LayerShape:
    if isinstance(layer, AdaptiveLayer):
        return _weighted_row(name, layer, entering, leaving)
    if isinstance(layer, WeightlessLayer):
        return _weightless_row(name, layer, entering)
    raise TypeError(f"{name} is no layer that the table knows")


def _weighted_row(
    name: str, layer: AdaptiveLayer, entering: torch.Tensor, leaving: torch.Tensor
) -> LayerShape:
    weight = layer.operator.weight
    return LayerShape(
        name=name,
        kind="linear" if isinstance(layer.operator, nn.Linear) else "conv",
        macs=leaving.numel() * weight[0].numel(),
        weights=weight.numel(),
        inputs=entering.numel(),
        biases=weight.shape[0],
        fixed=layer.fixed,
    )


def _weightless_row(name: str, layer: WeightlessLayer, entering: torch.Tensor) -> LayerShape:
    inside, _, _ = name.rpartition(".")
    partner = f"{inside}.{layer.partner}".lstrip(".") if layer.partner else None
    return LayerShape(
        name=name,
        kind=layer.kind,
        macs=entering.numel() * entering.shape[-2] if partner else 0,
        weights=0,
        inputs=entering.numel(),
        biases=0,
        partner=partner,
    )
