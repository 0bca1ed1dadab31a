"""The reference form in plain torch; every other form is held to it.

Each product is rounded before it is added: a form that fused the two would give other spikes near a tie.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from models.functional.kernels.interface import Gradients, Neuron
from models.functional.kernels.plan import Plan, plan_of
from models.functional.levels import gradients, levels_of, working


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One step: w = u/V - z, its integer level, the spikes V * (level + z), and u - s of the step before."""

    quotient: torch.Tensor
    level: torch.Tensor
    spikes: torch.Tensor
    rest_before: torch.Tensor | None


def walk(current: torch.Tensor, plan: Plan) -> Iterator[Step]:
    """The steps of a neuron over an input in the precision that is computed in."""
    rest: torch.Tensor | None = None
    for number, (step_size, levels) in enumerate(zip(plan.step_sizes, plan.levels, strict=True)):
        x = current[number] if plan.framed else current
        potential = x if rest is None else x + rest * plan.leak
        v = potential / step_size
        w = v - plan.shifts[number] if plan.shifts else v
        level = levels_of(w, levels)
        spikes = (level + plan.shifts[number] if plan.shifts else level) * step_size
        yield Step(quotient=w, level=level, spikes=spikes, rest_before=rest)
        rest = potential - spikes


class ReferenceForm:
    """See `Form`; any device, any floating type."""

    def __init__(self, neuron: Neuron) -> None:
        self.neuron = neuron
        self.plan = plan_of(neuron)

    def forward(self, current: torch.Tensor) -> torch.Tensor:
        """See `Form`."""
        return _output([step.spikes for step in walk(working(current), self.plan)], self.plan).to(
            current.dtype
        )

    def backward(self, grad: torch.Tensor, current: torch.Tensor) -> Gradients:
        """See `Form`."""
        found = [
            _step_gradients(g, step, number, self.plan)
            for number, (g, step) in enumerate(
                zip(_upstream(working(grad), self.plan), walk(working(current), self.plan), strict=True)
            )
        ]
        du = [step.current for step in found]
        return Gradients(
            current=(torch.stack(du) if self.plan.framed else _total(du)).to(current.dtype),
            step_sizes=_padded([step.step_size for step in found], self.neuron.step_sizes),
            bits=_padded([step.bits for step in found], self.neuron.bits),
            steps=self._divisor(working(grad), working(current)),
            leak=_total([step.leak for step in found])
            if isinstance(self.neuron.leak, torch.Tensor)
            else None,
            shifts=None
            if self.neuron.shifts is None
            else _padded([step.shift for step in found], self.neuron.shifts),
        )

    def _divisor(self, grad: torch.Tensor, current: torch.Tensor) -> torch.Tensor | None:
        """dT, where there is a T."""
        if self.neuron.steps is None:
            return None
        output = _output([step.spikes for step in walk(current, self.plan)], self.plan)
        return (grad * output).sum() / -self.plan.steps


@dataclass(frozen=True, kw_only=True, slots=True)
class _StepGradients:
    """du of one step, and its 0-dimensional dV, dB, dz and share of the leak's gradient."""

    current: torch.Tensor
    step_size: torch.Tensor
    bits: torch.Tensor
    shift: torch.Tensor
    leak: torch.Tensor


def _step_gradients(grad: torch.Tensor, step: Step, number: int, plan: Plan) -> _StepGradients:
    levels, V = plan.levels[number], plan.step_sizes[number]
    du, dV, dB = gradients(grad, step.quotient, step.level, levels, V)
    outside = (grad - du).sum() if plan.shifts else grad.new_zeros(())
    z = plan.shifts[number] if plan.shifts else 0.0
    return _StepGradients(
        current=du,
        step_size=dV + outside * (z * levels.scale(grad.numel())),
        bits=dB,
        shift=outside * V,
        leak=grad.new_zeros(()) if step.rest_before is None else (du * step.rest_before).sum(),
    )


def _upstream(grad: torch.Tensor, plan: Plan) -> Sequence[torch.Tensor]:
    """The gradient that reaches the spikes of each step."""
    if plan.framed:
        return grad.unbind()
    return [grad / plan.steps if plan.steps > 1 else grad] * plan.steps


def _output(spikes: Sequence[torch.Tensor], plan: Plan) -> torch.Tensor:
    if plan.framed:
        return torch.stack(list(spikes))
    return _total(spikes) / plan.steps if plan.steps > 1 else spikes[0]


def _total(values: Sequence[torch.Tensor]) -> torch.Tensor:
    total = values[0]
    for value in values[1:]:
        total = total + value
    return total


def _padded(values_T: list[torch.Tensor], argument: torch.Tensor) -> torch.Tensor:
    """The gradients of the steps taken, then zeros for the entries beyond them."""
    found = values_T[0].new_zeros(argument.numel())
    found[: len(values_T)] = torch.stack(values_T)
    return found
