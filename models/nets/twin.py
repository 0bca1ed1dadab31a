"""The float twin of a network: the same net with ReLU for neurons and without quantizers.

The difference in accuracy is what quantization costs; that in step time is what quantizers cost. The twin of
a temporal network sees every frame at every layer, and averages over the frames at the end, as the network
does. Weights keep their names, so a twin's state is a network's but for bits and step sizes.
"""

from __future__ import annotations

import copy

import torch
from torch import nn

from models.layers import AdaptiveLayer, SpikingLayer
from models.layers.adaptive import Operator, operate
from models.nets.network import Network


class FloatLayer(nn.Module):
    """The operator of an adaptive layer behind a ReLU.

    A signed neuron lets both signs through, and so does its twin.
    """

    def __init__(self, operator: Operator, *, signed: bool, temporal: bool) -> None:
        super().__init__()
        self.operator = operator
        self.activation = nn.Identity() if signed else nn.ReLU()
        self.temporal = temporal

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """What the operator gives for [B, ...], or for every frame of [F, B, ...]."""
        x = self.activation(x)
        if not self.temporal:
            return operate(self.operator, x, self.operator.weight)
        merged = operate(self.operator, x.flatten(0, 1), self.operator.weight)
        return merged.view(*x.shape[:2], *merged.shape[1:])


def float_twin(network: Network) -> Network:
    """A copy with the same weights, which maps what the network maps to logits [B, K]; it has no bits."""
    body = copy.deepcopy(network.body)
    for name, layer in network.layers.items():
        body.set_submodule(name, _float_layer(layer))
    return Network(body).train(network.training)


def _float_layer(layer: SpikingLayer) -> nn.Module:
    signed = layer.neuron.signed
    if not isinstance(layer, AdaptiveLayer):
        return nn.Identity() if signed else nn.ReLU()
    operator = copy.deepcopy(layer.operator)
    return FloatLayer(operator, signed=signed, temporal=layer.options.temporal)
