"""ResNet-20 for small images: three stages of three blocks, with shortcuts of the residual current.

    block(x) = norm2(conv2(norm1(conv1(x)))) + shortcut(x)

Every convolution is an adaptive layer, so its neuron stands before it; the residual current itself stays
real (a membrane shortcut). Where a block halves the map, the shortcut keeps every second pixel and pads
channels with zeros: it has no parameters and so no bits.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn
from torch.nn import functional

from models.layers import AdaptiveLayer
from models.nets.conv_net import adaptive_conv
from models.nets.setting import NetworkInput, Setting, SettingValue

SETTINGS: Mapping[str, Setting] = {"width": Setting(default=16, minimum=1, maximum=512)}
BLOCKS_PER_STAGE = 3


class Block(nn.Module):
    """Two adaptive convolutions around a shortcut."""

    def __init__(self, entering: int, leaving: int, stride: int, given: NetworkInput) -> None:
        super().__init__()
        self.stride = stride
        self.padding = leaving - entering
        self.conv1 = adaptive_conv(entering, leaving, stride, given)
        self.norm1 = nn.BatchNorm2d(leaving)
        self.conv2 = adaptive_conv(leaving, leaving, 1, given)
        self.norm2 = nn.BatchNorm2d(leaving)

    def forward(self, x_BCHW: torch.Tensor) -> torch.Tensor:
        """The residual current after the block."""
        through_BCHW: torch.Tensor = self.norm2(self.conv2(self.norm1(self.conv1(x_BCHW))))
        return through_BCHW + self._shortcut(x_BCHW)

    def _shortcut(self, x_BCHW: torch.Tensor) -> torch.Tensor:
        if self.stride == 1 and not self.padding:
            return x_BCHW
        kept_BCHW = x_BCHW[:, :, :: self.stride, :: self.stride]
        return functional.pad(kept_BCHW, (0, 0, 0, 0, 0, self.padding))


class ResNet20(nn.Module):
    """A first convolution, nine blocks at widths w, 2w and 4w, average pool and classifier."""

    def __init__(self, given: NetworkInput, *, width: int) -> None:
        super().__init__()
        self.conv = adaptive_conv(given.sample_shape[0], width, 1, given, first=True)
        self.norm = nn.BatchNorm2d(width)
        self.blocks = nn.Sequential(*_blocks(width, given))
        self.classifier = AdaptiveLayer(nn.Linear(4 * width, given.classes), options=given.options)

    def forward(self, x_BCHW: torch.Tensor) -> torch.Tensor:
        """Logits [B, K]."""
        x_BCHW = self.blocks(self.norm(self.conv(x_BCHW)))
        logits_BK: torch.Tensor = self.classifier(x_BCHW.mean(dim=(2, 3)))
        return logits_BK


def build(given: NetworkInput, settings: Mapping[str, SettingValue]) -> nn.Module:
    """The network of checked settings."""
    return ResNet20(given, width=int(settings["width"]))


def _blocks(width: int, given: NetworkInput) -> list[Block]:
    blocks, entering = [], width
    for stage in range(3):
        for number in range(BLOCKS_PER_STAGE):
            leaving = width * 2**stage
            blocks.append(Block(entering, leaving, 2 if stage and not number else 1, given))
            entering = leaving
    return blocks
