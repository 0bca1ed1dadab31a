"""What lets one network read the same for images and for event data.

    images    maps [B, C, H, W], vectors [B, C]
    events    frames of maps [F, B, C, H, W], frames of vectors [F, B, C]

Adaptive layers know frames themselves. Everything else that works on a batch of maps (norms, pools) sees
frames as one longer batch, so normalisation takes its statistics over frames and samples together. A
residual sum adds branches of any T: the shortcut is regrouped to the frames of the branch.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from models.functional import regroup
from models.nets.replicated_norm import norm_over
from models.replicas import ALONE, Replicas

MAP_DIMS, VECTOR_DIMS = 4, 2
"""The dimensions of a batch of maps and of vectors, without frames."""


def per_frame(
    operation: Callable[[torch.Tensor], torch.Tensor], x: torch.Tensor, dims: int = MAP_DIMS
) -> torch.Tensor:
    """The operation on a batch of `dims` dimensions, or on every frame where there is one dimension more."""
    if x.dim() == dims:
        return operation(x)
    merged = operation(x.flatten(0, 1))
    return merged.view(*x.shape[:2], *merged.shape[1:])


class MapNorm(nn.BatchNorm2d):
    """Batch normalisation of maps or of frames of maps, per channel, over the batch of all replicas."""

    replicas: Replicas = ALONE

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The shape of the input."""
        if self.training and self.replicas.size > 1:
            return per_frame(lambda maps: norm_over(maps, self, self.replicas), x)
        return per_frame(super().forward, x)


class VectorNorm(nn.BatchNorm1d):
    """Batch normalisation of vectors or of frames of vectors, per channel, over the batch of all replicas."""

    replicas: Replicas = ALONE

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The shape of the input."""
        if self.training and self.replicas.size > 1:
            return per_frame(lambda vectors: norm_over(vectors, self, self.replicas), x, VECTOR_DIMS)
        return per_frame(super().forward, x, VECTOR_DIMS)


class MapPool(nn.Module):
    """A pooling module on maps or on frames of maps."""

    def __init__(self, pool: nn.Module) -> None:
        super().__init__()
        self.pool = pool

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Smaller maps, as many frames."""
        return per_frame(self.pool, x)


def residual_sum(branch: torch.Tensor, shortcut: torch.Tensor) -> torch.Tensor:
    """branch + shortcut for maps; frames of the shortcut are regrouped to those of the branch."""
    if branch.dim() > MAP_DIMS:
        shortcut = regroup(shortcut, len(branch))
    return branch + shortcut


def pooled(x: torch.Tensor) -> torch.Tensor:
    """The mean of each map: [B, C], or [F, B, C]."""
    return with_its_layout(x).mean(dim=(-2, -1))


def _channels_last(grad: torch.Tensor) -> torch.Tensor:
    return grad.contiguous(memory_format=torch.channels_last)


def with_its_layout(x: torch.Tensor) -> torch.Tensor:
    """The tensor, which passes its gradient back channels-last where it is so itself.

    That of a mean or of a slice is not, and would go as it is through every shortcut of a residual network:
    for a norm whose input and gradient differ in layout torch has only a slow way.
    """
    if not x.requires_grad or x.dim() != MAP_DIMS or not x.is_contiguous(memory_format=torch.channels_last):
        return x
    same = x.view_as(x)  # whose gradient is that of this use alone
    same.register_hook(_channels_last)  # type: ignore[no-untyped-call]  # torch leaves it untyped
    return same
