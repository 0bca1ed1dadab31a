"""Random crop: pad with zeros (black, no events) on every side, then cut a window of the old size.

y[h, w] = padded[top + h, left + w],   top and left uniform in 0..2 * padding, one of each per sample
"""

from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional

from workers.data.augment.draws import on_device


def random_crop(x: torch.Tensor, padding: int, random: np.random.Generator) -> torch.Tensor:
    """The batch with every sample moved by up to `padding` pixels each way; 0 leaves it as it is."""
    if padding == 0:
        return x
    corners_2B = random.integers(0, 2 * padding + 1, (2, x.shape[-4]))
    return crop(x, padding, on_device(corners_2B, x.device))


def crop(x: torch.Tensor, padding: int, corners_2B: torch.Tensor) -> torch.Tensor:
    """The windows whose corners in the padded samples are (top_B, left_B); `padding` is the middle."""
    height, width = x.shape[-2:]
    padded = functional.pad(x, (padding,) * 4)
    rows_BH1 = (corners_2B[0, :, None] + torch.arange(height, device=x.device))[:, :, None]
    columns_B1W = (corners_2B[1, :, None] + torch.arange(width, device=x.device))[:, None]
    samples_B11 = torch.arange(x.shape[-4], device=x.device)[:, None, None]
    found = padded[..., samples_B11, :, rows_BH1, columns_B1W]  # indexed axes come first: [B, H, W, ..., C]
    return found.movedim((0, 1, 2), (-4, -2, -1)).contiguous()
