"""What every form of the neuron takes and gives; `fire` and `frames` have the formulas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import torch

StepsGradient = Literal["divisor", "difference"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Neuron:
    """The arguments of a neuron besides its input.

    `step_sizes`, `bits` and `shifts` (None: off) have one entry per step; `steps` (None: 1) and a learned
    `leak` are one-element tensors. `framed`: the input is [T, ...], one per step, and so is the output;
    otherwise the input is constant and the output the average. `steps_gradient` says what dT is (`fire`).
    """

    step_sizes: torch.Tensor
    bits: torch.Tensor
    steps: torch.Tensor | None = None
    leak: torch.Tensor | float = 1.0
    shifts: torch.Tensor | None = None
    signed: bool = False
    framed: bool = False
    steps_gradient: StepsGradient = "divisor"


@dataclass(frozen=True, kw_only=True, slots=True)
class Gradients:
    """The gradients of an input and of a neuron's tensors, with as many elements as their arguments.

    None where the argument is absent. Those of `step_sizes`, `bits` and `shifts` are 0 beyond the steps
    taken.
    """

    current: torch.Tensor
    step_sizes: torch.Tensor
    bits: torch.Tensor
    steps: torch.Tensor | None
    leak: torch.Tensor | None
    shifts: torch.Tensor | None


class Form(Protocol):
    """A neuron bound to one way of computing it."""

    def forward(self, current: torch.Tensor) -> torch.Tensor:
        """The output, in the type, shape and memory format of `current`."""
        ...

    def backward(self, grad: torch.Tensor, current: torch.Tensor) -> Gradients:
        """The gradients for an upstream `grad`; everything between is computed again from `current`."""
        ...
