"""A small network for images from 8x8 up: four 3x3 convolutions, two of stride 2, and a classifier."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

from models.layers import AdaptiveLayer
from models.nets.setting import NetworkInput, Setting, SettingValue

SETTINGS: Mapping[str, Setting] = {"width": Setting(default=16, minimum=1, maximum=512)}


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
            self.norms.append(nn.BatchNorm2d(leaving))
            entering = leaving
        self.classifier = AdaptiveLayer(nn.Linear(entering, given.classes), options=given.options)

    def forward(self, x_BCHW: torch.Tensor) -> torch.Tensor:
        """Logits [B, K]."""
        for conv, norm in zip(self.convs, self.norms, strict=True):
            x_BCHW = norm(conv(x_BCHW))
        pooled_BC = x_BCHW.mean(dim=(2, 3))
        logits_BK: torch.Tensor = self.classifier(pooled_BC)
        return logits_BK


def adaptive_conv(
    entering: int, leaving: int, stride: int, given: NetworkInput, *, first: bool = False
) -> AdaptiveLayer:
    """A 3x3 adaptive convolution without bias; the first of a network sees a signed image at fixed bits."""
    operator = nn.Conv2d(entering, leaving, 3, stride=stride, padding=1, bias=False)
    nn.init.kaiming_normal_(operator.weight, mode="fan_out", nonlinearity="relu")
    return AdaptiveLayer(
        operator,
        options=given.options,
        fixed=given.first_layer if first else None,
        signed=first,
    )


def build(given: NetworkInput, settings: Mapping[str, SettingValue]) -> nn.Module:
    """The network of checked settings."""
    return ConvNet(given, width=int(settings["width"]))
