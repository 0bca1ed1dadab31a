"""Rounding half away from zero, r(.), and the straight-through estimator (design section 2).

    forward  r(v) = sign(v) * floor(|v| + 1/2)          backward  dv = g
"""

from __future__ import annotations

import torch


def round_half_away(values: torch.Tensor) -> torch.Tensor:
    """r(v), elementwise, without a gradient of its own; torch.round would round half to even."""
    return torch.trunc(values + torch.copysign(values.new_full((), 0.5), values))


def straight_through(forward: torch.Tensor, backward: torch.Tensor) -> torch.Tensor:
    """The value of `forward` with the gradient of `backward`."""
    return backward + (forward - backward).detach()


def whole_bits(bits: torch.Tensor) -> int:
    """The integer bit width of a real one-element tensor, at least 1."""
    return max(1, int(round_half_away(bits.detach().double().reshape(()))))
