"""Rounding half away from zero, r(.), and the straight-through estimators (design section 2).

    forward  r(v) = sign(v) * trunc(|v| + h)            backward  dv = g

h is the greatest float below 1/2: adding 1/2 itself would carry the float just below 1/2 up to 1.
"""

from __future__ import annotations

import math

import torch

from models.errors import NanLossError


def half_below(dtype: torch.dtype) -> float:
    """h: the greatest number below 1/2 in a floating type."""
    return 0.5 - torch.finfo(dtype).eps / 4


def round_half_away(values: torch.Tensor) -> torch.Tensor:
    """r(v), elementwise, without a gradient of its own; torch.round would round half to even."""
    return torch.add(values, torch.sign(values), alpha=half_below(values.dtype)).trunc_()


def straight_through(forward: torch.Tensor, backward: torch.Tensor) -> torch.Tensor:
    """Exactly the value of `forward`, with the gradient of `backward`."""
    return forward.detach() + (backward - backward.detach())


def whole_number(value: float) -> int:
    """r(value), at least 1, of a bit width or a number of steps. Raises NanLossError where it is NaN."""
    if not math.isfinite(value):
        raise NanLossError(
            "a bit width or a number of steps is no longer a number.", fix="Lower the learning rate."
        )
    return max(1, math.floor(value + 0.5))
