"""Hold costs under their budgets while bits are learned (design section 2, the `gradient` method).

Each limit i has the logarithmic excess  h_i = log c_i - log m_i(p),  where p in [0, 1] is how much of the
bit-learning phase has passed, c_i the cost of the current bits and c_i(0) that of the initial ones. Its
maximum tightens from the initial cost to the limit M_i:

    log m_i(p) = (1 - q) log max(c_i(0), M_i) + q log M_i,   q = min(1, p / TIGHTENED_AT)

The augmented Lagrangian of an inequality, with multiplier l_i >= 0 and weight w:

    penalty = sum_i (max(0, l_i + w h_i)^2 - l_i^2) / (2 w),      d penalty / d h_i = max(0, l_i + w h_i)
    after a step:  l_i <- max(0, l_i + RATE w h_i)

The logarithm makes one weight fit costs of any unit and size.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from models.cost import LayerLoad, Limit, Scope

TIGHTENED_AT = 0.8
WEIGHT = 1.0
RATE = 0.1


@dataclass(frozen=True, kw_only=True, slots=True)
class BudgetState:
    """Multipliers and initial costs, one per limit; all a resumed training needs to go on."""

    multipliers: tuple[float, ...]
    initial_costs: tuple[float, ...]

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> BudgetState:
        """The inverse of `dataclasses.asdict`."""
        return cls(multipliers=tuple(data["multipliers"]), initial_costs=tuple(data["initial_costs"]))


Loads = Mapping[Scope, Sequence[LayerLoad]]
"""The layer loads of each scope that a limit names."""


def initial_state(limits: Sequence[Limit], loads: Loads) -> BudgetState:
    """Zero multipliers, and the costs that tightening starts from."""
    found = tuple(float(torch.as_tensor(limit.cost(loads[limit.scope])).detach()) for limit in limits)
    return BudgetState(multipliers=(0.0,) * len(limits), initial_costs=found)


def log_excesses(
    limits: Sequence[Limit], loads: Loads, state: BudgetState, progress: float
) -> list[torch.Tensor]:
    """h_i of every limit, differentiable in the bits."""
    return [
        torch.log(torch.as_tensor(limit.cost(loads[limit.scope]))) - _log_maximum(limit, initial, progress)
        for limit, initial in zip(limits, state.initial_costs, strict=True)
    ]


def penalty(excesses: Sequence[torch.Tensor], state: BudgetState) -> torch.Tensor:
    """The augmented Lagrangian's penalty, to be added to the loss."""
    terms = [
        (torch.relu(multiplier + WEIGHT * excess) ** 2 - multiplier**2) / (2 * WEIGHT)
        for excess, multiplier in zip(excesses, state.multipliers, strict=True)
    ]
    return torch.stack(terms).sum()


def updated(state: BudgetState, excesses: Sequence[torch.Tensor]) -> BudgetState:
    """The multipliers after one optimiser step."""
    raised = tuple(
        max(0.0, multiplier + RATE * WEIGHT * float(excess))
        for multiplier, excess in zip(state.multipliers, excesses, strict=True)
    )
    return BudgetState(multipliers=raised, initial_costs=state.initial_costs)


def _log_maximum(limit: Limit, initial: float, progress: float) -> float:
    tightened = min(1.0, progress / TIGHTENED_AT)
    return (1 - tightened) * math.log(max(initial, limit.maximum)) + tightened * math.log(limit.maximum)
