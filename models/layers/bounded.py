"""Parameters with bounds, which each optimiser step may leave:  p <- clip(p, low, high)

All of a network are brought back in two calls, not in several for each layer: those would be many small
operations in every step, and on a GPU a launch each.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import nn


@dataclass(frozen=True, kw_only=True, slots=True)
class Bounded:
    """A parameter and its inclusive bounds."""

    parameter: nn.Parameter
    low: float
    high: float = math.inf


@torch.no_grad()
def constrain(bounded: Iterable[Bounded]) -> None:
    """Bring those that learn back inside their bounds; NaN stays."""
    learned = [each for each in bounded if each.parameter.requires_grad]
    above = [each for each in learned if each.high < math.inf]
    if learned:
        torch._foreach_clamp_min_([each.parameter for each in learned], [each.low for each in learned])
    if above:
        torch._foreach_clamp_max_([each.parameter for each in above], [each.high for each in above])
