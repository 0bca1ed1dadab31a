"""Residual networks of basic blocks, with shortcuts of the residual current.

    block(x) = norm2(conv2(norm1(conv1(x)))) + shortcut(x)

Every convolution is an adaptive layer, so its neuron stands before it; the residual current itself stays
real (a membrane shortcut). Where a block changes the map, its shortcut is one of

    padded      every second pixel, channels padded with zeros: no parameters and so no bits (ResNet-20)
    projected   norm(1x1 convolution), an adaptive layer with bits of its own (ResNet-18, 19, 34)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, assert_never

import torch
from torch import nn
from torch.nn import functional

from models.nets.frames import MapNorm, MapPool, pooled, residual_sum, with_its_layout
from models.nets.operators import adaptive_conv, adaptive_linear
from models.nets.setting import NetworkInput

ShortcutKind = Literal["padded", "projected"]
Stem = Literal["cifar", "imagenet"]


@dataclass(frozen=True, kw_only=True, slots=True)
class ResidualPlan:
    """The shape of a residual network.

    `blocks` and `widths` have one entry per stage, and every stage but the first halves the map; `stem` is
    a 3x3 convolution, or 7x7 with stride 2 and a 3x3 max pool with stride 2; `hidden` is the width of a
    linear layer before the classifier, 0 for none.
    """

    blocks: tuple[int, ...]
    widths: tuple[int, ...]
    stem: Stem
    shortcut: ShortcutKind
    hidden: int = 0


class ResidualNet(nn.Module):
    """A first convolution, stages of blocks, average pool and classifier."""

    def __init__(self, given: NetworkInput, plan: ResidualPlan) -> None:
        super().__init__()
        width = plan.widths[0]
        self.conv = stem_conv(width, given, plan.stem)
        self.norm = MapNorm(width)
        self.pool = stem_pool(plan.stem)
        self.blocks = nn.Sequential(*_blocks(given, plan))
        leaving = plan.widths[-1]
        self.hidden = adaptive_linear(leaving, plan.hidden, given) if plan.hidden else nn.Identity()
        self.classifier = adaptive_linear(plan.hidden or leaving, given.classes, given)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[B, C, H, W] to logits [B, K], or [F, B, C, H, W] to [T, B, K]."""
        x = self.blocks(self.pool(self.norm(self.conv(x))))
        logits: torch.Tensor = self.classifier(self.hidden(pooled(x)))
        return logits


class Block(nn.Module):
    """Two adaptive convolutions around a shortcut."""

    def __init__(
        self, entering: int, leaving: int, stride: int, given: NetworkInput, kind: ShortcutKind
    ) -> None:
        super().__init__()
        self.conv1 = adaptive_conv(entering, leaving, stride, given)
        self.norm1 = MapNorm(leaving)
        self.conv2 = adaptive_conv(leaving, leaving, 1, given)
        self.norm2 = MapNorm(leaving)
        self.shortcut = _shortcut(entering, leaving, stride, given, kind)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The residual current after the block."""
        through = self.norm2(self.conv2(self.norm1(self.conv1(x))))
        return residual_sum(through, self.shortcut(x))


class PaddedShortcut(nn.Module):
    """Keeps every `stride`-th pixel and pads the channels with zeros."""

    def __init__(self, stride: int, added: int) -> None:
        super().__init__()
        self.stride = stride
        self.added = added

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[..., C, H, W] to [..., C + added, ceil(H / stride), ceil(W / stride)]."""
        kept = with_its_layout(x)[..., :: self.stride, :: self.stride]
        return functional.pad(kept, (0, 0, 0, 0, 0, self.added))


def stem_conv(width: int, given: NetworkInput, stem: Stem) -> nn.Module:
    """The first convolution."""
    match stem:
        case "cifar":
            return adaptive_conv(given.sample_shape[0], width, 1, given, first=True)
        case "imagenet":
            return adaptive_conv(given.sample_shape[0], width, 2, given, kernel=7, first=True)
        case _:
            assert_never(stem)


def stem_pool(stem: Stem) -> nn.Module:
    """What follows the first convolution and its norm."""
    return MapPool(nn.MaxPool2d(3, stride=2, padding=1)) if stem == "imagenet" else nn.Identity()


def stages(blocks: Sequence[int], widths: Sequence[int]) -> list[tuple[int, int, int]]:
    """(entering, leaving, stride) of every block of the stages; the first halves no map."""
    found, entering = [], widths[0]
    for stage, (count, leaving) in enumerate(zip(blocks, widths, strict=True)):
        for number in range(count):
            found.append((entering, leaving, 2 if stage and not number else 1))
            entering = leaving
    return found


def _blocks(given: NetworkInput, plan: ResidualPlan) -> list[Block]:
    return [Block(*shape, given, plan.shortcut) for shape in stages(plan.blocks, plan.widths)]


def _shortcut(entering: int, leaving: int, stride: int, given: NetworkInput, kind: ShortcutKind) -> nn.Module:
    if entering == leaving and stride == 1:
        return nn.Identity()
    match kind:
        case "padded":
            return PaddedShortcut(stride, leaving - entering)
        case "projected":
            conv = adaptive_conv(entering, leaving, stride, given, kernel=1)
            return nn.Sequential(conv, MapNorm(leaving))
        case _:
            assert_never(kind)
