"""Batch normalisation in training over the parts of a batch that replicas hold (models.replicas).

    m = total(sum x) / n,   v = total(sum (x - m)^2) / n,   y = (x - m) / sqrt(v + eps) * w + b
    running mean += momentum * (m - running mean);   running variance the same with v * n / (n - 1)

torch's own SyncBatchNorm does so on GPUs alone, and with sums that differ in their last bits; this one is for
every device, and its gradients are autograd's through the two totals.
"""

from __future__ import annotations

import torch
from torch import nn

from models.replicas import Replicas

Norm = nn.BatchNorm1d | nn.BatchNorm2d
CHANNELS = 1
"""The dimension that has statistics of its own for each of its places."""


def norm_over(x: torch.Tensor, norm: Norm, replicas: Replicas) -> torch.Tensor:
    """`x` [B, C, ...] normalised by the statistics of all replicas, which `norm` notes as it runs.

    Raises ValueError where all replicas together hold one value per channel: it has no spread.
    """
    others = [dim for dim in range(x.dim()) if dim != CHANNELS]
    shape = [-1 if dim == CHANNELS else 1 for dim in range(x.dim())]
    held = torch.tensor(float(x.numel() // x.shape[CHANNELS]), device=x.device)
    count = replicas.total(held)
    if count.item() <= 1:
        raise ValueError("a batch norm needs more than one value per channel in training")
    mean_C = replicas.total(x.sum(others)) / count
    centred = x - mean_C.view(shape)
    variance_C = replicas.total(centred.square().sum(others)) / count
    _note(norm, mean_C.detach(), (variance_C * count / (count - 1)).detach())
    scale_C = torch.rsqrt(variance_C + norm.eps) * norm.weight
    return centred * scale_C.view(shape) + norm.bias.view(shape)


@torch.no_grad()
def _note(norm: Norm, mean_C: torch.Tensor, variance_C: torch.Tensor) -> None:
    if norm.running_mean is None or norm.running_var is None or norm.num_batches_tracked is None:
        return
    norm.num_batches_tracked.add_(1)
    momentum = norm.momentum if norm.momentum is not None else 1.0 / float(norm.num_batches_tracked)
    norm.running_mean.lerp_(mean_C.to(norm.running_mean.dtype), momentum)
    norm.running_var.lerp_(variance_C.to(norm.running_var.dtype), momentum)
