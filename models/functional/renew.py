"""Step-size renewal: a step size that fits the new bit width when a learned one crosses to another integer.

    closed form:  a_new = a_old * Q_old / Q_new,   which keeps the clipping range a * Q exactly
"""

from __future__ import annotations

import torch

from models.functional.quantize import signed_levels, unsigned_levels


def closed_form(step_size: torch.Tensor, old_bits: int, new_bits: int, *, signed: bool) -> torch.Tensor:
    """The renewed step size (same shape); `signed` for weights and signed spikes. Source: design section 2."""
    levels = signed_levels if signed else unsigned_levels
    return step_size * (levels(old_bits).high / levels(new_bits).high)
