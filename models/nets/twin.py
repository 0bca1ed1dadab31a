"""The float twin of a network: the same net with ReLU for neurons and without quantizers.

The difference in accuracy is what quantization costs; that in step time is what quantizers cost.
"""

from __future__ import annotations

import copy

from torch import nn

from models.layers import AdaptiveLayer
from models.nets.network import Network


def float_twin(network: Network) -> nn.Module:
    """A copy with the same weights that maps images [B, C, H, W] to logits [B, K]."""
    twin = copy.deepcopy(network.body)
    for name, layer in network.layers.items():
        twin.set_submodule(name, _float_layer(layer))
    return twin


def _float_layer(layer: AdaptiveLayer) -> nn.Module:
    """The operator behind a ReLU; a signed neuron lets both signs through, and so does its twin."""
    operator = copy.deepcopy(layer.operator)
    return operator if layer.neuron.signed else nn.Sequential(nn.ReLU(), operator)
