"""Fake quantization of weights with a step size and a bit width for each output channel.

The formulas of weights in `levels`, for each channel c with its N weights, a_c and B_c:

    w_q = a_c * clip(r(v), -Q_c, Q_c),   v = w / a_c,   Q_c = max(1, 2^(B_c - 1) - 1);   +-a_c when B_c = 1
    dw = g where |v| <= Q_c, else 0
    E_c = sum outside of g * sign(v)
    da_c = (sum dw * (w_q/a_c - v) + Q_c * E_c) / sqrt(N Q_c)
    dB_c = E_c * ln2 * a_c * (Q_c + 1);   Q_c in place of Q_c + 1 when B_c = 1

All channels in one pass of plain torch. There is no fused form: weights are few beside the spikes that meet
them.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.autograd.function import once_differentiable

from models.functional.levels import LN2, working
from models.functional.rounding import round_half_away


def quantize_channels(weight: torch.Tensor, step_sizes_O: torch.Tensor, bits_O: torch.Tensor) -> torch.Tensor:
    """Fake-quantized weights [O, ...] of the same shape; differentiable in all three arguments.

    `step_sizes_O` (> 0) and `bits_O` (real) have one entry for each output channel, the first dimension.
    Source: design section 2, weights, channel by channel.
    """
    return _QuantizeChannels.apply(weight, step_sizes_O, bits_O)  # type: ignore[no-any-return,no-untyped-call]  # torch leaves apply untyped


class _QuantizeChannels(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, weight: torch.Tensor, step_sizes_O: torch.Tensor, bits_O: torch.Tensor
    ) -> torch.Tensor:
        ctx.save_for_backward(weight, step_sizes_O, bits_O)
        w = working(weight)
        a, (Q, binary) = _beside(step_sizes_O, w), _ranges(_beside(bits_O, w))
        return (_levels(w / a, Q, binary) * a).to(weight.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        weight, step_sizes_O, bits_O = ctx.saved_tensors
        w, g = working(weight), working(grad)
        a, (Q, binary) = _beside(step_sizes_O, w), _ranges(_beside(bits_O, w))
        v = w / a
        inside = v.abs() <= Q
        dw = g * inside
        outside = _sums((g - dw) * v.sign())
        errors = _sums(dw * (_levels(v, Q, binary) - v))
        da = (errors + Q * outside) * (Q * max(1, w[0].numel())).rsqrt()
        dB = outside * (Q + ~binary) * a * LN2
        return dw.to(weight.dtype), _like(da, step_sizes_O), _like(dB, bits_O)


def _beside(values_O: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """[O] as [O, 1, ...], in the type of the weights."""
    return values_O.to(weight.dtype).view(-1, *[1] * (weight.dim() - 1))


def _ranges(bits: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Q of real bit widths of any shape, and whether each is binary."""
    B = round_half_away(bits).clamp_(min=1)
    powers = torch.exp2(B - 1).round_()  # exact, though a device's exp2 need not be
    return (powers - 1).clamp_(min=1), B == 1


def _levels(v: torch.Tensor, Q: torch.Tensor, binary: torch.Tensor) -> torch.Tensor:
    clipped = torch.minimum(torch.maximum(round_half_away(v), -Q), Q)
    return torch.where(binary, (v > 0).to(v.dtype) * 2 - 1, clipped)


def _sums(values: torch.Tensor) -> torch.Tensor:
    """The sum of each channel, as [O, 1, ...]."""
    return values.flatten(1).sum(1).view(-1, *[1] * (values.dim() - 1))


def _like(value: torch.Tensor, argument: torch.Tensor) -> torch.Tensor:
    return value.to(argument.dtype).reshape(argument.shape)
