"""Spiking self-attention (Spikformer, Zhou et al. 2023): no softmax, for spikes are never negative.

    attention(x) = norm(project(q k^T v * SCALE)),    q, k, v = spikes of norm(1x1 convolution(x))

for N tokens (pixels) of D channels, split into heads of D / heads channels. q, k and v each have a neuron
with steps and spike bits and no weights: three rows of kind "attention" in the layer table. With frames,

    scores_t = q_t k'_t^T for the T frames of q,    context_t = scores'_t v_t for those of v

where ' regroups to the frames of the other factor; so the two matmuls run as often as the rows of q and v
say that they do (decision 5).
"""

from __future__ import annotations

import torch
from torch import nn

from models.functional import regroup
from models.layers import WeightlessLayer
from models.nets.frames import MapNorm
from models.nets.operators import adaptive_conv
from models.nets.setting import NetworkInput

SCALE = 0.125
HEAD_DIMS = 4
"""The dimensions of a batch of heads [B, h, N, d], without frames."""


class SpikingAttention(nn.Module):
    """Self-attention between the pixels of a map."""

    def __init__(self, channels: int, heads: int, given: NetworkInput) -> None:
        super().__init__()
        self.heads = heads
        self.query_conv, self.query_norm = _projection(channels, given)
        self.key_conv, self.key_norm = _projection(channels, given)
        self.value_conv, self.value_norm = _projection(channels, given)
        self.query = WeightlessLayer(options=given.options, kind="attention", partner="key")
        self.key = WeightlessLayer(options=given.options, kind="attention")
        self.value = WeightlessLayer(options=given.options, kind="attention", partner="query")
        self.project, self.project_norm = _projection(channels, given)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[..., D, H, W] to the same shape, with the frames of `project` where there are frames."""
        query = self.query(self._heads(self.query_norm(self.query_conv(x))))
        key = self.key(self._heads(self.key_norm(self.key_conv(x))))
        value = self.value(self._heads(self.value_norm(self.value_conv(x))))
        scores = query @ _matched(key, query).transpose(-2, -1)
        context = _matched(scores, value) @ value * SCALE
        through: torch.Tensor = self.project_norm(self.project(_maps(context, x)))
        return through

    def _heads(self, x: torch.Tensor) -> torch.Tensor:
        """[..., D, H, W] as heads of tokens [..., h, N, d]."""
        tokens = x.flatten(-2)
        split = tokens.view(*tokens.shape[:-2], self.heads, -1, tokens.shape[-1])
        return split.transpose(-2, -1)


def _projection(channels: int, given: NetworkInput) -> tuple[nn.Module, nn.Module]:
    return adaptive_conv(channels, channels, 1, given, kernel=1), MapNorm(channels)


def _matched(factor: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """The factor with as many frames as the other; images have none."""
    return regroup(factor, len(other)) if factor.dim() > HEAD_DIMS else factor


def _maps(context: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """Heads of tokens [..., h, N, d] as maps [..., D, H, W] of the size of x."""
    channels = context.transpose(-2, -1).flatten(-3, -2)
    return channels.reshape(*channels.shape[:-1], *x.shape[-2:])
