"""Step-size renewal: a step size that fits the new bit width when a learned one crosses to another integer.

closed form:  a_new = a_old * Q_old / Q_new,   which keeps the clipping range a * Q exactly
least error:  a_new = argmin_a || x - quantize(x; a, B) ||_p over a grid of clipping ranges, p = 2.4
"""

from __future__ import annotations

from typing import Literal, assert_never

import torch

from models.functional.levels import levels_of, signed_levels, unsigned_levels

Renewal = Literal["closed_form", "search", "none"]

GRID = 64
"""Clipping ranges tried by `least_error`, evenly spaced up to the largest magnitude."""
SAMPLE = 4096
"""Elements that a tensor is thinned to before the grid is tried."""


def closed_form(step_size: torch.Tensor, old_bits: int, new_bits: int, signed: bool) -> torch.Tensor:
    """The renewed step size (same shape); `signed` for weights and signed spikes (design section 2)."""
    levels = signed_levels if signed else unsigned_levels
    return step_size * (levels(old_bits).high / levels(new_bits).high)


def renewed(
    step_size: torch.Tensor,
    old_bits: int,
    new_bits: int,
    mode: Renewal,
    *,
    signed: bool,
    values: torch.Tensor | None = None,
) -> torch.Tensor:
    """The step size (same shape) after a bit width crossed from `old_bits` to `new_bits`, as the mode has it.

    `search` fits it to `values`, the tensor as it is now; without them (a neuron that has seen no batch since
    it was restored, say) it is the closed form.
    """
    match mode:
        case "search" if values is not None:
            return least_error(values, new_bits, signed=signed).to(step_size).expand_as(step_size)
        case "closed_form" | "search":
            return closed_form(step_size, old_bits, new_bits, signed=signed)
        case "none":
            return step_size
        case _:
            assert_never(mode)


def least_error(values: torch.Tensor, bits: int, *, signed: bool, p: float = 2.4) -> torch.Tensor:
    """The 0-dimensional step size with the least p-norm quantization error over a grid of clipping ranges.

    Unsigned quantizers count positive values only: whatever they do, a negative one becomes 0.
    """
    levels = (signed_levels if signed else unsigned_levels)(bits)
    v_N = _thinned(values.detach().flatten(), signed=signed).float().cpu()
    largest = float(v_N.abs().max()) if len(v_N) else 0.0
    if largest == 0.0:
        return torch.tensor(1.0)
    ranges_G = torch.linspace(largest / GRID, largest, GRID)
    steps_G1 = (ranges_G / levels.high).unsqueeze(1)
    errors_G = (levels_of(v_N / steps_G1, levels) * steps_G1 - v_N).abs_().pow_(p).sum(1)
    return steps_G1[int(errors_G.argmin()), 0]


def _thinned(values_N: torch.Tensor, *, signed: bool) -> torch.Tensor:
    kept_N = values_N if signed else values_N[values_N > 0]
    return kept_N[:: max(1, len(kept_N) // SAMPLE)]
