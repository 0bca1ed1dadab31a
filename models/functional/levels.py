"""The integer levels of weights and spikes, and the gradients of one quantization (design section 2).

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

With a threshold shift z (off: z = 0), w = v - z takes the place of v in every comparison, and
    s = V * (clip(r(w), 0, Q) + z)
    dV = k * sum g * (s/V - v  inside;  s/V  outside),  where s/V - v = level - w
    dz = V * sum outside of g:  inside, what the rounding takes off (-V) is what the shift puts back (+V)

The signed form of spikes is that of the weights. Both sums share E = sum outside of g * sign(v), without
the part below when unsigned:  da = k * (sum du * (w_q/a - v) + Q * E),  dB = E * ln2 * a * (Q + 1).

Half-precision input is quantized in float32: bfloat16 cannot hold 129 + 1/2.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import torch

from models.functional.rounding import half_below, round_half_away

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

    def just_outside(self, dtype: torch.dtype) -> tuple[float, float]:
        """The greatest normal number below the range and the least above it."""
        kind = torch.finfo(dtype)
        high = self.high + 2 ** (self.high.bit_length() - 1) * kind.eps
        return (-high if self.signed else -kind.tiny), high

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


@functools.cache
def levels_at(bits: int, *, signed: bool) -> Levels:
    """The range of either form."""
    return signed_levels(bits) if signed else unsigned_levels(bits)


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
    low, high = levels.just_outside(v.dtype)  # torch's operator keeps g strictly between its two ends
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


def _signed_binary(v: torch.Tensor) -> torch.Tensor:
    return v.clone().gt_(0).mul_(2).sub_(1)
