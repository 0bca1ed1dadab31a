"""Quantizers of weights and spikes with learned step size and bit width (design section 2).

Weights (signed), B = r(bits) >= 1, v = w / a:
    B >= 2:  Q = 2^(B-1) - 1,  w_q = a * clip(r(v), -Q, Q)
    B = 1:   Q = 1,            w_q = +a where w > 0, else -a
    dw = g where |v| <= Q, else 0
    da = k * sum g * (w_q/a - v  inside;  sign(v) * Q  outside),   k = 1/sqrt(N Q)
    dB = sum outside of g * sign(v) * ln2 * a * (Q + 1);           Q in place of Q + 1 when B = 1

Spikes (unsigned), Q = 2^B - 1, v = u / V:
    s = V * clip(r(v), 0, Q);  for B = 1: s = V where v > 1/2, else 0
    du = g where 0 <= v <= Q, else 0
    dV = k * sum g * (s/V - v  inside;  Q above;  0 below)
    dB = sum over v > Q of g * ln2 * V * (Q + 1);                  Q in place of Q + 1 when B = 1

The signed form of spikes is that of the weights. Outside its range a quotient clips to -Q, 0 or Q, which is just what
dV sums there.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch

from models.functional.rounding import round_half_away, whole_bits

LN2 = math.log(2.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Levels:
    """The integer range of a quantizer at a whole bit width."""

    low: int
    high: int
    binary: bool

    @property
    def growth(self) -> float:
        """d(range end)/dB in units of the step size: ln2 * (Q + 1), or ln2 * Q for binary ones."""
        return LN2 * (self.high if self.binary else self.high + 1)


def signed_levels(bits: int) -> Levels:
    """-Q..Q of weights and signed spikes."""
    top = max(1, 2 ** (bits - 1) - 1)
    return Levels(low=-top, high=top, binary=bits == 1)


def unsigned_levels(bits: int) -> Levels:
    """0..Q of spikes."""
    return Levels(low=0, high=2**bits - 1, binary=bits == 1)


def quantize_weights(weight: torch.Tensor, step_size: torch.Tensor, bits: torch.Tensor) -> torch.Tensor:
    """Fake-quantized weights of the same shape; differentiable in all three arguments.

    `step_size` (> 0) and `bits` (real) are one-element tensors. Source: design section 2, weights.
    """
    return _Quantize.apply(weight, step_size, bits, True)  # type: ignore[no-any-return,no-untyped-call]  # torch leaves apply untyped


def quantize_spikes(
    current: torch.Tensor, step_size: torch.Tensor, bits: torch.Tensor, signed: bool = False
) -> torch.Tensor:
    """Spikes of one step for a membrane potential of any shape; differentiable in the tensors.

    `step_size` (the threshold V > 0) and `bits` (real) are one-element tensors. Source: design section 2, spikes.
    """
    return _Quantize.apply(current, step_size, bits, signed)  # type: ignore[no-any-return,no-untyped-call]  # torch leaves apply untyped


def levels_of(v: torch.Tensor, levels: Levels) -> torch.Tensor:
    """The integer level of each quotient v, as a floating tensor."""
    if not levels.binary:
        return round_half_away(v).clamp_(levels.low, levels.high)
    if levels.low < 0:
        return torch.where(v > 0, 1.0, -1.0).to(v.dtype)
    return (v > 0.5).to(v.dtype)


def gradients(
    grad: torch.Tensor, v: torch.Tensor, level: torch.Tensor, levels: Levels, step_size: float
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """(du, dV, dB) of one quantization for an upstream gradient `grad`; dV and dB are 0-dimensional."""
    clipped = v.clamp(levels.low, levels.high)
    inside = clipped == v
    slope = torch.where(inside, level - v, clipped)
    scale = 1.0 / math.sqrt(max(v.numel(), 1) * levels.high)
    grad_step_size = (grad * slope).sum() * scale
    end = torch.sign(v) if levels.low < 0 else (v > 0).to(v.dtype)
    grad_bits = (grad * end).masked_fill(inside, 0.0).sum() * (levels.growth * step_size)
    return grad * inside, grad_step_size, grad_bits


class _Quantize(torch.autograd.Function):
    """Forward and backward of the formulas above."""

    @staticmethod
    def forward(
        ctx: Any, values: torch.Tensor, step_size: torch.Tensor, bits: torch.Tensor, signed: bool
    ) -> torch.Tensor:
        width = whole_bits(bits)
        ctx.levels = signed_levels(width) if signed else unsigned_levels(width)
        ctx.save_for_backward(values, step_size, bits)
        a = float(step_size)
        return levels_of(values / a, ctx.levels) * a

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, None]:  # type: ignore[override]  # torch declares *args
        values, step_size, bits = ctx.saved_tensors
        a = float(step_size)
        v = values / a
        du, dV, dB = gradients(grad, v, levels_of(v, ctx.levels), ctx.levels, a)
        return du, dV.to(step_size.dtype).reshape(step_size.shape), dB.to(bits.dtype).reshape(bits.shape), None
