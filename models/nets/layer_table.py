"""The layer table of a network, measured by one forward pass with hooks: what each layer costs per bit.

conv:    MACs = output elements * (input channels / groups) * kernel height * kernel width
linear:  MACs = input features * output features
"""

from __future__ import annotations

import copy
from functools import partial
from typing import Any

import torch
from torch import nn

from models.cost import LayerShape
from models.layers import AdaptiveLayer
from models.nets.network import Network


def layer_table(network: Network, sample_shape: tuple[int, int, int]) -> tuple[LayerShape, ...]:
    """The shapes of every adaptive layer for one sample of shape [C, H, W], in forward order.

    Runs a copy of the network in evaluation mode, so neither statistics nor step sizes change.
    """
    probe = copy.deepcopy(network).eval()
    rows: list[LayerShape] = []
    for name, layer in probe.layers.items():
        layer.register_forward_hook(partial(_record, rows, name))
    with torch.no_grad():
        probe(torch.zeros(1, *sample_shape))
    return tuple(rows)


def _record(
    rows: list[LayerShape], name: str, layer: nn.Module, inputs: tuple[Any, ...], output: torch.Tensor
) -> None:
    if not isinstance(layer, AdaptiveLayer):
        raise TypeError("only adaptive layers are measured")
    weight = layer.operator.weight
    rows.append(
        LayerShape(
            name=name,
            kind="linear" if isinstance(layer.operator, nn.Linear) else "conv",
            macs=output.numel() * weight[0].numel(),
            weights=weight.numel(),
            inputs=inputs[0].numel(),
            biases=weight.shape[0],
            fixed=layer.fixed,
        )
    )
