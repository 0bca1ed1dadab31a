"""Random horizontal flip: every sample is mirrored left to right with probability 1/2."""

from __future__ import annotations

import numpy as np
import torch

from workers.data.augment.draws import on_device


def random_flip(x: torch.Tensor, random: np.random.Generator) -> torch.Tensor:
    """The batch with about half of its samples mirrored."""
    return flip(x, on_device(random.random(x.shape[-4]) < 0.5, x.device))


def flip(x: torch.Tensor, chosen_B: torch.Tensor) -> torch.Tensor:
    """The batch with the chosen samples (truth values [B]) mirrored."""
    return torch.where(chosen_B[:, None, None, None], x.flip(-1), x)
