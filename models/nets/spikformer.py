"""Spikformer (Zhou et al. 2023): a convolutional patch embedding, blocks of attention and MLP, a classifier.

    embedding   four 3x3 convolutions at w/8, w/4, w/2, w; the last `patch_stages` of them halve the map by
                a 3x3 max pool; then x + norm(3x3 convolution(x)), which tells places apart
    block(x)    y = x + attention(x);  y + mlp(y),   mlp = norm(conv_w(norm(conv_rw(y)))), 1x1, r = mlp_ratio
    classifier  mean over the tokens, then a linear layer

Tokens are kept as the pixels of a map, so that linear layers on tokens are 1x1 convolutions. The neurons
stand before the convolutions, and the residual current stays real, as in our residual networks.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

from models.errors import InvalidInputError
from models.nets.attention import SpikingAttention
from models.nets.frames import MapNorm, MapPool, pooled, residual_sum
from models.nets.operators import adaptive_conv, adaptive_linear
from models.nets.setting import NetworkInput, Setting, SettingValue, WholeSetting

EMBEDDING = (8, 4, 2, 1)
"""The width over the channels of each convolution of the embedding."""
SETTINGS: Mapping[str, Setting] = {
    "depth": WholeSetting(default=4, minimum=1, maximum=24),
    "width": WholeSetting(default=384, minimum=1, maximum=1024),
    "heads": WholeSetting(default=12, minimum=1, maximum=64),
    "mlp_ratio": WholeSetting(default=4, minimum=1, maximum=8),
    "patch_stages": WholeSetting(default=2, minimum=0, maximum=4),
}


class Spikformer(nn.Module):
    """The network above."""

    def __init__(
        self,
        given: NetworkInput,
        *,
        depth: int,
        width: int,
        heads: int,
        mlp_ratio: int,
        patch_stages: int,
    ) -> None:
        super().__init__()
        self.embedding = PatchEmbedding(given, width=width, stages=patch_stages)
        self.blocks = nn.Sequential(
            *(TransformerBlock(given, width=width, heads=heads, mlp_ratio=mlp_ratio) for _ in range(depth))
        )
        self.classifier = adaptive_linear(width, given.classes, given)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[B, C, H, W] to logits [B, K], or [F, B, C, H, W] to [T, B, K]."""
        logits: torch.Tensor = self.classifier(pooled(self.blocks(self.embedding(x))))
        return logits


class PatchEmbedding(nn.Module):
    """From pixels to a smaller map of tokens."""

    def __init__(self, given: NetworkInput, *, width: int, stages: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        entering = given.sample_shape[0]
        for number, divisor in enumerate(EMBEDDING):
            leaving = max(1, width // divisor)
            layers += [adaptive_conv(entering, leaving, 1, given, first=not number), MapNorm(leaving)]
            if number >= len(EMBEDDING) - stages:
                layers.append(MapPool(nn.MaxPool2d(3, stride=2, padding=1)))
            entering = leaving
        self.layers = nn.Sequential(*layers)
        self.place_conv = adaptive_conv(width, width, 1, given)
        self.place_norm = MapNorm(width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[..., C, H, W] to tokens [..., D, H', W']."""
        x = self.layers(x)
        return residual_sum(self.place_norm(self.place_conv(x)), x)


class TransformerBlock(nn.Module):
    """Attention and MLP, each around a shortcut."""

    def __init__(self, given: NetworkInput, *, width: int, heads: int, mlp_ratio: int) -> None:
        super().__init__()
        inner = width * mlp_ratio
        self.attention = SpikingAttention(width, heads, given)
        self.mlp = nn.Sequential(
            adaptive_conv(width, inner, 1, given, kernel=1),
            MapNorm(inner),
            adaptive_conv(inner, width, 1, given, kernel=1),
            MapNorm(width),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The residual current after the block."""
        x = residual_sum(self.attention(x), x)
        return residual_sum(self.mlp(x), x)


def build(given: NetworkInput, settings: Mapping[str, SettingValue]) -> nn.Module:
    """The network of checked settings. Raises InvalidInputError where the heads do not share the width."""
    sizes = {name: int(value) for name, value in settings.items()}
    if sizes["width"] % sizes["heads"]:
        raise InvalidInputError(
            f"{sizes['heads']} heads cannot share a width of {sizes['width']}.",
            fix="Use a width that is a multiple of heads.",
            pointer="/architecture/heads",
        )
    return Spikformer(given, **sizes)
