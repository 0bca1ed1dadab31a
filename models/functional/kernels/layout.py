"""Memory without gaps: the fused forms walk over storage, so any order of dimensions is the same to them."""

from __future__ import annotations

import torch


def dense(tensor: torch.Tensor, *, framed: bool) -> tuple[torch.Tensor, torch.Tensor]:
    """The tensor, or a copy without gaps (and frame after frame), and an empty one laid out like it."""
    like = torch.empty_like(tensor)  # keeps the strides of a dense tensor, in any order of dimensions
    if framed and tensor.numel() and like.stride(0) * len(like) != like.numel():
        like = torch.empty_like(tensor, memory_format=torch.contiguous_format)
    if like.stride() == tensor.stride():
        return tensor, like
    return torch.empty_like(like).copy_(tensor), like


def laid_out_like(model: torch.Tensor, tensor: torch.Tensor) -> torch.Tensor:
    """The tensor with the strides and the type of a dense one."""
    same = tensor.stride() == model.stride() and tensor.dtype == model.dtype
    return tensor if same else torch.empty_like(model).copy_(tensor)
