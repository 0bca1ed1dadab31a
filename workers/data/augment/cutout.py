"""Cutout: a square hole in every sample, at a centre drawn uniformly from its pixels.

Near an edge the part of the square that lies outside is lost. Source: DeVries and Taylor, *Improved
Regularization of Convolutional Neural Networks with Cutout* (arXiv 1708.04552).
"""

from __future__ import annotations

import numpy as np
import torch

from workers.data.augment.draws import on_device


def random_cutout(x: torch.Tensor, side: int, random: np.random.Generator) -> torch.Tensor:
    """The batch with a hole of `side` x `side` zeros in every sample; 0 leaves it as it is."""
    if side == 0:
        return x
    centres_2B = np.stack([random.integers(0, size, x.shape[-4]) for size in x.shape[-2:]])
    return cutout(x, side, on_device(centres_2B, x.device))


def cutout(x: torch.Tensor, side: int, centres_2B: torch.Tensor) -> torch.Tensor:
    """The batch with rows top_B to top_B + side - 1 zero, and columns likewise; top is row - side // 2."""
    rows_BH, columns_BW = (
        _within(centres_B, side, size) for centres_B, size in zip(centres_2B, x.shape[-2:], strict=True)
    )
    hole_B1HW = (rows_BH[:, :, None] & columns_BW[:, None])[:, None]
    return x.masked_fill(hole_B1HW, 0.0)


def _within(centres_B: torch.Tensor, side: int, size: int) -> torch.Tensor:
    """Which of the positions 0..size-1 the hole takes, truth values [B, size]."""
    away = torch.arange(size, device=centres_B.device) - (centres_B[:, None] - side // 2)
    return (away >= 0) & (away < side)
