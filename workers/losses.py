"""The losses of a training.

    cross_entropy   CE(mean_t o_t, y)
    tet             (1 - s) * mean_t CE(o_t, y) + s * mean (o - c)^2,   s = share, c = constant

for the logits o_t of frame t. The second term of `tet` keeps single frames from growing beyond the others.
Source of `tet`: Deng et al., *Temporal Efficient Training of Spiking Neural Network via Gradient
Re-weighting* (arXiv 2202.11946).
"""

from __future__ import annotations

from typing import assert_never

import torch
from torch.nn import functional

from search.recipe import TrainingSpec


def loss_of(logits_TBK: torch.Tensor, target: torch.Tensor, recipe: TrainingSpec) -> torch.Tensor:
    """The 0-dimensional loss; `target` holds classes [B] or shares of classes [B, K]."""
    match recipe.loss:
        case "cross_entropy":
            return _cross_entropy(logits_TBK.mean(0), target, recipe)
        case "tet":
            framed = target.repeat(len(logits_TBK), *(1 for _ in target.shape[1:]))
            wrong = _cross_entropy(logits_TBK.flatten(0, 1), framed, recipe)
            far = functional.mse_loss(logits_TBK, torch.full_like(logits_TBK, recipe.tet.constant))
            return (1 - recipe.tet.share) * wrong + recipe.tet.share * far
        case _:
            assert_never(recipe.loss)


def _cross_entropy(logits_BK: torch.Tensor, target: torch.Tensor, recipe: TrainingSpec) -> torch.Tensor:
    target = target.to(logits_BK.dtype) if target.dim() > 1 else target
    return functional.cross_entropy(logits_BK, target, label_smoothing=recipe.label_smoothing)
