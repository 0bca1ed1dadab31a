"""A small network for maps from 8x8 up: four 3x3 convolutions, two of stride 2, and a classifier."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

from models.nets.frames import MapNorm, pooled
from models.nets.operators import adaptive_conv, adaptive_linear
from models.nets.setting import NetworkInput, Setting, SettingValue, width_setting

SETTINGS: Mapping[str, Setting] = {"width": width_setting(16)}


class ConvNet(nn.Module):
    """conv(w) - conv(w) - conv(2w, stride 2) - conv(4w, stride 2), each with batch norm, - pool - linear."""

    def __init__(self, given: NetworkInput, *, width: int) -> None:
        super().__init__()
        channels = (width, width, 2 * width, 4 * width)
        strides = (1, 1, 2, 2)
        self.convs = nn.ModuleList()
        self.norms = nn.ModuleList()
        entering = given.sample_shape[0]
        for number, (leaving, stride) in enumerate(zip(channels, strides, strict=True)):
            self.convs.append(adaptive_conv(entering, leaving, stride, given, first=number == 0))
            self.norms.append(MapNorm(leaving))
            entering = leaving
        self.classifier = adaptive_linear(entering, given.classes, given)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[B, C, H, W] to logits [B, K], or [F, B, C, H, W] to [T, B, K]."""
        for conv, norm in zip(self.convs, self.norms, strict=True):
            x = norm(conv(x))
        logits: torch.Tensor = self.classifier(pooled(x))
        return logits


def build(given: NetworkInput, settings: Mapping[str, SettingValue]) -> nn.Module:
    """The network of checked settings."""
    return ConvNet(given, width=int(settings["width"]))
