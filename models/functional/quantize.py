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

The signed form of spikes is that of the weights. Both sums share E = sum outside of g * sign(v), without
the part below when unsigned:  da = k * (sum du * (w_q/a - v) + Q * E),  dB = E * ln2 * a * (Q + 1).

Eager torch is bound by memory, so there are as few passes over the tensor as the formulas allow; the backward
pass computes v again rather than keep it. Half-precision input is quantized in float32: bfloat16 cannot hold
129 + 1/2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch.autograd.function import once_differentiable

from models.functional.rounding import half_below, round_half_away, whole_number

LN2 = math.log(2.0)
aten = torch.ops.aten


@dataclass(frozen=True, kw_only=True, slots=True)
class Levels:
    """The integer range of a quantizer at a whole bit width."""

    low: int
    high: int
    binary: bool

    @property
    def signed(self) -> bool:
        """Whether levels below 0 exist."""
        return self.low < 0

    @property
    def growth(self) -> float:
        """d(range end)/dB in units of the step size: ln2 * (Q + 1), or ln2 * Q for binary ones."""
        return LN2 * (self.high if self.binary else self.high + 1)

    def scale(self, count: int) -> float:
        """k of the formulas for a tensor of `count` elements."""
        return 1.0 / math.sqrt(max(count, 1) * self.high)


def signed_levels(bits: int) -> Levels:
    """-Q..Q of weights and signed spikes."""
    top = max(1, 2 ** (bits - 1) - 1)
    return Levels(low=-top, high=top, binary=bits == 1)


def unsigned_levels(bits: int) -> Levels:
    """0..Q of spikes."""
    return Levels(low=0, high=2**bits - 1, binary=bits == 1)


def levels_at(bits: int, *, signed: bool) -> Levels:
    """The range of either form."""
    return signed_levels(bits) if signed else unsigned_levels(bits)


def quantize_weights(weight: torch.Tensor, step_size: torch.Tensor, bits: torch.Tensor) -> torch.Tensor:
    """Fake-quantized weights of the same shape; differentiable in all three arguments.

    `step_size` (> 0) and `bits` (real) are one-element tensors. Source: design section 2, weights.
    """
    return _Quantize.apply(weight, step_size, bits, True)  # type: ignore[no-any-return,no-untyped-call]  # torch leaves apply untyped


def quantize_spikes(
    current: torch.Tensor, step_size: torch.Tensor, bits: torch.Tensor, signed: bool = False
) -> torch.Tensor:
    """Spikes of one step for a membrane potential of any shape; differentiable in the tensors.

    `step_size` (the threshold V > 0) and `bits` (real) are one-element tensors. Source: design section 2,
    spikes.
    """
    return _Quantize.apply(current, step_size, bits, signed)  # type: ignore[no-any-return,no-untyped-call]  # torch leaves apply untyped


def levels_of(v: torch.Tensor, levels: Levels) -> torch.Tensor:
    """The integer level of each quotient v, as a new floating tensor."""
    if levels.signed:
        return _signed_binary(v) if levels.binary else round_half_away(v).clamp_(levels.low, levels.high)
    if levels.binary:
        return v.clone().gt_(0.5)
    # Below 0 everything clips to 0, so rounding half up is rounding half away from zero.
    return torch.add(v, half_below(v.dtype)).floor_().clamp_(0, levels.high)


def inside_gradient(grad: torch.Tensor, v: torch.Tensor, levels: Levels) -> torch.Tensor:
    """du: g where the quotient lies inside the range, ends included, else 0."""
    # The kernel keeps g strictly between its two ends: the (normal) floats just outside the range.
    kind = torch.finfo(v.dtype)
    high = levels.high + 2 ** (levels.high.bit_length() - 1) * kind.eps
    low = -high if levels.signed else -kind.tiny
    return aten.hardtanh_backward(grad, v, low, high)  # type: ignore[no-any-return]  # torch leaves its operators untyped


def outside_sum(grad: torch.Tensor, v: torch.Tensor, levels: Levels) -> torch.Tensor:
    """E: sum of g above the range, less that below it when signed; 0-dimensional."""
    above = aten.threshold_backward(grad, v, levels.high).sum()
    if not levels.signed:
        return above  # type: ignore[no-any-return]  # torch leaves its operators untyped
    return above - aten.threshold_backward(grad, v.neg(), levels.high).sum()  # type: ignore[no-any-return]  # as above


def gradients(
    grad: torch.Tensor, v: torch.Tensor, level: torch.Tensor, levels: Levels, step_size: float
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """(du, dV, dB) of one quantization for an upstream gradient `grad`; dV and dB are 0-dimensional."""
    grad_values = inside_gradient(grad, v, levels)
    outside = outside_sum(grad, v, levels)
    error = torch.sub(level, v).mul_(grad_values).sum()
    grad_step_size = (error + levels.high * outside) * levels.scale(v.numel())
    return grad_values, grad_step_size, outside * (levels.growth * step_size)


def working(tensor: torch.Tensor) -> torch.Tensor:
    """The tensor in the precision that is computed in: float32 for half precision, else its own."""
    return tensor if tensor.dtype in (torch.float32, torch.float64) else tensor.float()


def like(value: torch.Tensor, argument: torch.Tensor) -> torch.Tensor:
    """A one-element gradient in the shape and type of its argument."""
    return value.to(argument.dtype).reshape(argument.shape)


def _signed_binary(v: torch.Tensor) -> torch.Tensor:
    return v.clone().gt_(0).mul_(2).sub_(1)


class _Quantize(torch.autograd.Function):
    """Forward and backward of the formulas above."""

    @staticmethod
    def forward(
        ctx: Any, values: torch.Tensor, step_size: torch.Tensor, bits: torch.Tensor, signed: bool
    ) -> torch.Tensor:
        ctx.levels = levels_at(whole_number(bits.item()), signed=signed)
        ctx.step_size = step_size.item()
        ctx.save_for_backward(values, step_size, bits)
        level = levels_of(working(values) / ctx.step_size, ctx.levels)
        return level.mul_(ctx.step_size).to(values.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, None]:
        values, step_size, bits = ctx.saved_tensors
        v = working(values) / ctx.step_size
        du, dV, dB = gradients(working(grad), v, levels_of(v, ctx.levels), ctx.levels, ctx.step_size)
        return du.to(values.dtype), like(dV, step_size), like(dB, bits), None
