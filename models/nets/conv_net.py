"""A small network for maps from 8x8 up: convolutions, the last two of stride 2, and a classifier.

Of `depth` d square convolutions of side `kernel` the first d - 2 have w channels, then come 2w and 4w.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

from models.errors import InvalidInputError
from models.nets.frames import MapNorm, pooled
from models.nets.operators import adaptive_conv, adaptive_linear
from models.nets.setting import NetworkInput, Setting, SettingValue, WholeSetting, width_setting

STRIDED = 2
"""The convolutions that halve the map and double the channels; at least one stands before them."""
SETTINGS: Mapping[str, Setting] = {
    "width": width_setting(16),
    "depth": WholeSetting(default=4, minimum=STRIDED + 1, maximum=16),
    "kernel": WholeSetting(default=3, minimum=1, maximum=7),
}


class ConvNet(nn.Module):
    """conv(w), d - 2 times; conv(2w, stride 2); conv(4w, stride 2); each with batch norm; pool; linear."""

    def __init__(self, given: NetworkInput, *, width: int, depth: int, kernel: int) -> None:
        super().__init__()
        alike = depth - STRIDED
        channels = (*(width,) * alike, 2 * width, 4 * width)
        strides = (*(1,) * alike, 2, 2)
        self.convs = nn.ModuleList()
        self.norms = nn.ModuleList()
        entering = given.sample_shape[0]
        for number, (leaving, stride) in enumerate(zip(channels, strides, strict=True)):
            first = number == 0
            self.convs.append(adaptive_conv(entering, leaving, stride, given, kernel=kernel, first=first))
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
    """The network of checked settings. Raises InvalidInputError for an even kernel, which moves the map."""
    width, depth, kernel = (int(settings[name]) for name in ("width", "depth", "kernel"))
    if kernel % 2 == 0:
        raise InvalidInputError(
            f"kernel is {kernel}, which has no middle.",
            fix="Use 1, 3, 5 or 7.",
            pointer="/architecture/kernel",
        )
    return ConvNet(given, width=width, depth=depth, kernel=kernel)
