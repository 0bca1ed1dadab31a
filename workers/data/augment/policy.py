"""A policy in the manner of AutoAugment: ROUNDS times, every sample gets an operation drawn for it alone.

Operations and strengths are drawn uniformly instead of learned, as in RandAugment (Cubuk et al., arXiv
1909.13719) and TrivialAugment (Müller and Hutter, arXiv 2103.10158). Event data and samples that are not
bytes only get the geometric operations: their values are no brightness.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

from workers.data.augment.affine import affine, rotation, shear, translation
from workers.data.augment.draws import on_device
from workers.data.augment.photometric import (
    autocontrast,
    brightness,
    contrast,
    equalize,
    posterize,
    solarize,
)

ROUNDS = 2
MOST_DEGREES = 30.0
MOST_SHEAR = 0.3
MOST_SHIFT = 0.3
MOST_FACTOR = 0.9
FEWEST_BITS = 4

Operation = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""Samples and their strengths [B], -1 to 1, to samples; strength 0 changes nothing or little."""


def _rotate(x: torch.Tensor, s_B: torch.Tensor) -> torch.Tensor:
    return affine(x, rotation(MOST_DEGREES * s_B, *x.shape[-2:]))


GEOMETRIC: tuple[Operation, ...] = (
    lambda x, s_B: x,
    _rotate,
    lambda x, s_B: affine(x, shear(MOST_SHEAR * s_B, torch.zeros_like(s_B))),
    lambda x, s_B: affine(x, shear(torch.zeros_like(s_B), MOST_SHEAR * s_B)),
    lambda x, s_B: affine(x, translation(MOST_SHIFT * s_B, torch.zeros_like(s_B))),
    lambda x, s_B: affine(x, translation(torch.zeros_like(s_B), MOST_SHIFT * s_B)),
)
PHOTOMETRIC: tuple[Operation, ...] = (
    lambda x, s_B: brightness(x, 1 + MOST_FACTOR * s_B),
    lambda x, s_B: contrast(x, 1 + MOST_FACTOR * s_B),
    lambda x, s_B: posterize(x, 8 - ((8 - FEWEST_BITS) * s_B.abs()).round()),
    lambda x, s_B: solarize(x, 1 - s_B.abs()),
    lambda x, s_B: autocontrast(x),
    lambda x, s_B: equalize(x),
)


def random_policy(x: torch.Tensor, random: np.random.Generator, *, photometric: bool) -> torch.Tensor:
    """The batch after ROUNDS operations for every sample."""
    operations = GEOMETRIC + PHOTOMETRIC if photometric else GEOMETRIC
    for _ in range(ROUNDS):
        kinds_B = random.integers(0, len(operations), x.shape[-4])
        strengths_B = random.uniform(-1, 1, x.shape[-4]).astype(np.float32)
        x = _applied(x, operations, kinds_B, on_device(strengths_B, x.device))
    return x


def _applied(
    x: torch.Tensor, operations: tuple[Operation, ...], kinds_B: NDArray[np.int64], strengths_B: torch.Tensor
) -> torch.Tensor:
    """Each operation on the samples that drew it, all at once."""
    changed = x.clone()
    for kind in np.unique(kinds_B):
        chosen = on_device(np.flatnonzero(kinds_B == kind), x.device)
        part = operations[kind](x.index_select(-4, chosen), strengths_B[chosen])
        changed.index_copy_(x.dim() - 4, chosen, part)
    return changed
