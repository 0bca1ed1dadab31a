"""Spike-element-wise residual networks (SEW-ResNet, Fang et al. 2021), with addition as the element-wise sum.

In a plain spiking residual block the last neuron stands after the sum, so a block cannot pass its input
on unchanged. A SEW block adds after the neuron:

    block(S) = neuron(norm2(conv2(norm1(conv1(S))))) + shortcut(S),    shortcut(S) = S
                                                     or neuron(norm(1x1 convolution(S))) where the map changes

S is a sum of spikes, from the neuron after the first convolution on. In the published network conv1 reads
that sum as it is, whose range grows from block to block. Here every convolution has its own neuron before
it, which makes S spikes of a known number of bits again; only the shortcut carries the sum. The neuron
that ends a branch is a weightless layer: a row of kind "spikes" with steps and spike bits, and no MACs.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

from models.layers import WeightlessLayer
from models.nets.frames import MapNorm, pooled, residual_sum
from models.nets.operators import adaptive_conv, adaptive_linear
from models.nets.residual import Stem, stages, stem_conv, stem_pool
from models.nets.resnet import resnet_settings, stem_of
from models.nets.setting import Build, ChoiceSetting, NetworkInput, Setting, SettingValue

RESIDUAL = ChoiceSetting(default="current", choices=("current", "spikes"))
"""What a shortcut carries: the residual current, or spikes as here."""


class SewResNet(nn.Module):
    """A first convolution and neuron, four stages of SEW blocks at w, 2w, 4w and 8w, pool and classifier."""

    def __init__(self, given: NetworkInput, *, blocks: tuple[int, ...], width: int, stem: Stem) -> None:
        super().__init__()
        widths = tuple(width * 2**stage for stage in range(len(blocks)))
        self.conv = stem_conv(width, given, stem)
        self.norm = MapNorm(width)
        self.spikes = _spikes(given)
        self.pool = stem_pool(stem)
        self.blocks = nn.Sequential(*(SewBlock(*shape, given) for shape in stages(blocks, widths)))
        self.classifier = adaptive_linear(widths[-1], given.classes, given)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[B, C, H, W] to logits [B, K], or [F, B, C, H, W] to [T, B, K]."""
        x = self.blocks(self.pool(self.spikes(self.norm(self.conv(x)))))
        logits: torch.Tensor = self.classifier(pooled(x))
        return logits


class SewBlock(nn.Module):
    """Two adaptive convolutions and a neuron, around a shortcut of spikes."""

    def __init__(self, entering: int, leaving: int, stride: int, given: NetworkInput) -> None:
        super().__init__()
        self.conv1 = adaptive_conv(entering, leaving, stride, given)
        self.norm1 = MapNorm(leaving)
        self.conv2 = adaptive_conv(leaving, leaving, 1, given)
        self.norm2 = MapNorm(leaving)
        self.spikes = _spikes(given)
        self.shortcut = _shortcut(entering, leaving, stride, given)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The sum of spikes after the block."""
        through = self.norm2(self.conv2(self.norm1(self.conv1(x))))
        return residual_sum(self.spikes(through), self.shortcut(x))


def either_settings(width: int) -> Mapping[str, Setting]:
    """The settings of a network that has both kinds of residuals."""
    return {**resnet_settings(width), "residual": RESIDUAL}


def build_either(current: Build, spikes: Build) -> Build:
    """Builds the one or the other, as the setting `residual` says."""

    def build(given: NetworkInput, settings: Mapping[str, SettingValue]) -> nn.Module:
        return (spikes if settings["residual"] == "spikes" else current)(given, settings)

    return build


def build_18(given: NetworkInput, settings: Mapping[str, SettingValue]) -> nn.Module:
    """SEW-ResNet-18 of checked settings."""
    return SewResNet(given, blocks=(2, 2, 2, 2), width=int(settings["width"]), stem=stem_of(settings))


def build_34(given: NetworkInput, settings: Mapping[str, SettingValue]) -> nn.Module:
    """SEW-ResNet-34 of checked settings."""
    return SewResNet(given, blocks=(3, 4, 6, 3), width=int(settings["width"]), stem=stem_of(settings))


def _spikes(given: NetworkInput) -> WeightlessLayer:
    return WeightlessLayer(options=given.options, kind="spikes")


def _shortcut(entering: int, leaving: int, stride: int, given: NetworkInput) -> nn.Module:
    if entering == leaving and stride == 1:
        return nn.Identity()
    conv = adaptive_conv(entering, leaving, stride, given, kernel=1)
    return nn.Sequential(conv, MapNorm(leaving), _spikes(given))
