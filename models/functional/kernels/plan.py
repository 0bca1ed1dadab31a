"""A neuron's arguments as plain numbers, read from its tensors once per call."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from models.functional.kernels.interface import Neuron
from models.functional.levels import Levels, levels_at
from models.functional.rounding import whole_number


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What the steps of a neuron do: one step size, one range and one shift per step; no shifts: off."""

    step_sizes: tuple[float, ...]
    levels: tuple[Levels, ...]
    shifts: tuple[float, ...]
    leak: float
    framed: bool

    @property
    def steps(self) -> int:
        """T."""
        return len(self.step_sizes)


def plan_of(neuron: Neuron) -> Plan:
    """The plan of r(steps) steps. Raises NanLossError where bits or steps are no longer numbers."""
    T = whole_steps(neuron)
    leak = neuron.leak.item() if isinstance(neuron.leak, torch.Tensor) else neuron.leak
    return Plan(
        step_sizes=_leading(neuron.step_sizes, T),
        levels=tuple(
            levels_at(whole_number(width), signed=neuron.signed) for width in _leading(neuron.bits, T)
        ),
        shifts=() if neuron.shifts is None else _leading(neuron.shifts, T),
        leak=leak,
        framed=neuron.framed,
    )


def whole_steps(neuron: Neuron) -> int:
    """T: r(steps), at least 1 and at most the number of step sizes."""
    longest = min(neuron.step_sizes.numel(), neuron.bits.numel())
    return 1 if neuron.steps is None else min(whole_number(neuron.steps.item()), longest)


def one_more_step(neuron: Neuron, T: int) -> Neuron:
    """The neuron for T + 1 steps; beyond its last entry a step is like the one before."""

    def longer(values: torch.Tensor) -> torch.Tensor:
        flat = values.reshape(-1)
        return flat if flat.numel() > T else torch.cat([flat[:T], flat[T - 1 : T]])

    return replace(
        neuron,
        step_sizes=longer(neuron.step_sizes),
        bits=longer(neuron.bits),
        shifts=None if neuron.shifts is None else longer(neuron.shifts),
        steps=torch.full((1,), T + 1.0, device=neuron.step_sizes.device),
    )


def _leading(values: torch.Tensor, count: int) -> tuple[float, ...]:
    found = values.tolist() if values.dim() == 1 else values.reshape(-1).tolist()
    return tuple(found[:count])
