"""Fold batch normalisation into the layer before it: the same network, faster, for evaluation only.

    norm(conv(s, w) + b) = conv(s, k w) + k (b - mean) + beta,    k = gamma / sqrt(variance + eps)

with the quantized weights w, which are then quantized once and not at every batch. A norm belongs to a layer
where it is given the very tensor that the layer gave, which running the network once shows. What it does
not show is whether anything else reads that tensor, as a user's module may; so the folded network has to
agree with the original in float64, where no rounding reaches a level's edge, or nothing is folded.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from models.layers import AdaptiveLayer
from models.layers.bit_width import BitWidth
from models.layers.weight_quantizer import WeightQuantizer
from models.nets.network import Network

Norm = nn.BatchNorm1d | nn.BatchNorm2d


class HeldWeights(nn.Module):
    """Stands for the quantizer of weights that are already quantized, and keeps its bits."""

    def __init__(self, quantizer: WeightQuantizer) -> None:
        super().__init__()
        self.bits: BitWidth = quantizer.bits

    def forward(self, weight: torch.Tensor) -> torch.Tensor:
        """The weights as they are."""
        return weight


@torch.no_grad()
def folded(network: Network, example: torch.Tensor) -> Network:
    """A copy in evaluation mode with its norms folded; equal up to the rounding of floats.

    `example` is a batch of few samples, [B, C, H, W] or [F, B, C, H, W]. The copy must not be trained.
    """
    plain = copy.deepcopy(network).eval()
    found = _pairs(plain, example)
    result = _folded(copy.deepcopy(plain), found)
    wide = example.double()
    expected = copy.deepcopy(plain).double()(wide)
    agrees = torch.allclose(_folded(plain.double(), found)(wide), expected, rtol=1e-6, atol=1e-9)
    return result if agrees else copy.deepcopy(network).eval()


def _pairs(network: Network, example: torch.Tensor) -> Mapping[str, str]:
    """The norm that is given what a layer gave, by the layer's name."""
    given: dict[int, str] = {}
    kept: list[torch.Tensor] = []  # while they live, no other tensor has their id
    found: dict[str, str] = {}

    def note_output(name: str) -> Any:
        def hook(_: nn.Module, __: Any, output: torch.Tensor) -> None:
            kept.append(output)
            given[id(output)] = name

        return hook

    def note_input(name: str) -> Any:
        def hook(_: nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
            if (layer := given.get(id(inputs[0]))) is not None:
                found[layer] = name

        return hook

    handles = []
    for name, part in network.body.named_modules():
        if isinstance(part, AdaptiveLayer):
            handles.append(part.register_forward_hook(note_output(name)))
        elif isinstance(part, Norm) and part.track_running_stats:
            handles.append(part.register_forward_pre_hook(note_input(name)))
    network(example)
    for handle in handles:
        handle.remove()
    return found


def _folded(network: Network, pairs: Mapping[str, str]) -> Network:
    for layer_name, norm_name in pairs.items():
        layer = network.body.get_submodule(layer_name)
        norm = network.body.get_submodule(norm_name)
        if isinstance(layer, AdaptiveLayer) and isinstance(norm, Norm):
            _fold(layer, norm)
            network.body.set_submodule(norm_name, nn.Identity())
    return network


def _fold(layer: AdaptiveLayer, norm: Norm) -> None:
    """Give the layer weights and a bias that hold the norm."""
    operator, mean, variance = layer.operator, norm.running_mean, norm.running_var
    if mean is None or variance is None:
        raise TypeError("a norm without statistics cannot be folded")
    scale = (variance + norm.eps).rsqrt()
    if norm.affine:
        scale = scale * norm.weight
    shift = -mean if operator.bias is None else operator.bias - mean
    bias = shift * scale + (norm.bias if norm.affine else 0.0)
    weight = layer.quantizer(operator.weight)
    operator.weight = nn.Parameter(weight * scale.view(-1, *[1] * (weight.dim() - 1)), requires_grad=False)
    operator.bias = nn.Parameter(bias, requires_grad=False)
    layer.set_submodule("quantizer", HeldWeights(layer.quantizer))
