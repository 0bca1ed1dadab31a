"""Mixup: every sample becomes a mean of itself and another one, and so does its target.

    x' = m x + (1 - m) x[partner]      t' = m onehot(y) + (1 - m) onehot(y[partner])
    m ~ Beta(alpha, alpha), one for the batch, and at least 1/2: the sample itself weighs the most

Source: Zhang et al., *mixup: Beyond Empirical Risk Minimization* (arXiv 1710.09412).
"""

from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional

from workers.data.augment.draws import on_device


def mixup(
    x: torch.Tensor, y_B: torch.Tensor, alpha: float, classes: int, random: np.random.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """(the mixed batch, the shares of its classes, float32 [B, K], each row adding up to one)."""
    share = float(random.beta(alpha, alpha))
    partners_B = on_device(random.permutation(x.shape[-4]), x.device)
    return mixed(x, y_B, max(share, 1.0 - share), partners_B, classes)


def mixed(
    x: torch.Tensor, y_B: torch.Tensor, share: float, partners_B: torch.Tensor, classes: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """The same for a given share and given partners."""
    targets_BK = functional.one_hot(y_B, classes).to(torch.float32)
    others = x.index_select(-4, partners_B)
    return others.lerp(x, share), targets_BK[partners_B].lerp(targets_BK, share)
