"""VGGSNN, the convolutional network of the event-data field (Deng et al. 2022, TET).

    64 - 128 - pool - 256 - 256 - pool - 512 - 512 - pool - 512 - 512 - pool - linear

Numbers are channels of 3x3 convolutions at width w = 64, each with batch norm; a pool averages 2x2. In the
published network the neuron stands before the pool; here before the next convolution, so the pool averages
currents and every convolution sees spikes of a whole number of bits. Maps of an odd size round up, so any
size will do.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

from models.nets.frames import MapNorm, MapPool
from models.nets.operators import adaptive_conv, adaptive_linear
from models.nets.setting import NetworkInput, Setting, SettingValue, width_setting

SETTINGS: Mapping[str, Setting] = {"width": width_setting(64)}
STAGES = ((1, 2), (4, 4), (8, 8), (8, 8))
"""Channels of each convolution in widths; a pool ends every stage."""


class VggSnn(nn.Module):
    """Four stages of two convolutions and a pool, then a classifier of the flattened map."""

    def __init__(self, given: NetworkInput, *, width: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        entering, height, breadth = given.sample_shape
        for stage in STAGES:
            for leaving in (factor * width for factor in stage):
                layers.append(adaptive_conv(entering, leaving, 1, given, first=not layers))
                layers.append(MapNorm(leaving))
                entering = leaving
            layers.append(MapPool(nn.AvgPool2d(2, ceil_mode=True)))
            height, breadth = -(-height // 2), -(-breadth // 2)
        self.features = nn.Sequential(*layers)
        self.classifier = adaptive_linear(entering * height * breadth, given.classes, given)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[B, C, H, W] to logits [B, K], or [F, B, C, H, W] to [T, B, K]."""
        logits: torch.Tensor = self.classifier(self.features(x).flatten(-3))
        return logits


def build(given: NetworkInput, settings: Mapping[str, SettingValue]) -> nn.Module:
    """The network of checked settings."""
    return VggSnn(given, width=int(settings["width"]))
