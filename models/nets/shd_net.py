"""The network for spoken digits (SHD): two hidden linear layers and a readout.

    linear(h) - norm - linear(h) - norm - linear(K)

Samples are channels without a map: [700, 1, 1]. Images are flattened.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

import torch
from torch import nn

from models.nets.frames import VectorNorm
from models.nets.operators import adaptive_linear
from models.nets.setting import NetworkInput, Setting, SettingValue, WholeSetting

SETTINGS: Mapping[str, Setting] = {"hidden": WholeSetting(default=256, minimum=1, maximum=4096)}


class ShdNet(nn.Module):
    """Two hidden layers of one width, each with batch norm, and a readout."""

    def __init__(self, given: NetworkInput, *, hidden: int) -> None:
        super().__init__()
        self.linear1 = adaptive_linear(prod(given.sample_shape), hidden, given, first=True)
        self.norm1 = VectorNorm(hidden)
        self.linear2 = adaptive_linear(hidden, hidden, given)
        self.norm2 = VectorNorm(hidden)
        self.classifier = adaptive_linear(hidden, given.classes, given)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[B, C, H, W] to logits [B, K], or [F, B, C, H, W] to [T, B, K]."""
        x = self.norm1(self.linear1(x.flatten(-3)))
        x = self.norm2(self.linear2(x))
        logits: torch.Tensor = self.classifier(x)
        return logits


def build(given: NetworkInput, settings: Mapping[str, SettingValue]) -> nn.Module:
    """The network of checked settings."""
    return ShdNet(given, hidden=int(settings["hidden"]))
