"""Any form of the neuron as one differentiable operation that keeps its input and nothing else."""

from __future__ import annotations

from typing import Any

import torch
from torch.autograd.function import once_differentiable

from models.functional.kernels.dispatch import form_of
from models.functional.kernels.interface import Neuron
from models.functional.kernels.plan import one_more_step, whole_steps


def run(current: torch.Tensor, neuron: Neuron) -> torch.Tensor:
    """The neuron's output, differentiable in `current` and in every tensor of the neuron."""
    leak = neuron.leak if isinstance(neuron.leak, torch.Tensor) else None
    arguments = (neuron.step_sizes, neuron.bits, neuron.steps, leak, neuron.shifts)
    return _Run.apply(current, *arguments, neuron)  # type: ignore[no-any-return,no-untyped-call]  # torch leaves apply untyped


class _Run(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, current: torch.Tensor, *arguments: Any) -> torch.Tensor:
        *tensors, neuron = arguments
        ctx.form = form_of(current, neuron)
        ctx.save_for_backward(current, *tensors)
        output: torch.Tensor = ctx.form.forward(current)
        return output

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        current, *arguments = ctx.saved_tensors
        found = ctx.form.backward(grad, current)
        steps = found.steps
        if steps is not None and ctx.needs_input_grad[3] and ctx.form.neuron.steps_gradient == "difference":
            steps = _difference(grad, current, ctx.form.neuron, steps)
        values = (found.step_sizes, found.bits, steps, found.leak, found.shifts)
        return (
            found.current,
            *(_like(value, argument) for value, argument in zip(values, arguments, strict=True)),
            None,
        )


def _difference(
    grad: torch.Tensor, current: torch.Tensor, neuron: Neuron, divisor: torch.Tensor
) -> torch.Tensor:
    """sum g * (y(T + 1) - y(T)), of which the divisor's gradient -sum g * y(T) / T has the second part."""
    T = whole_steps(neuron)
    longer = form_of(current, one_more_step(neuron, T)).forward(current)
    return torch.sum(grad * longer, dtype=torch.float32) + T * divisor


def _like(value: torch.Tensor | None, argument: torch.Tensor | None) -> torch.Tensor | None:
    """A gradient in the shape and type of its argument."""
    if value is None or argument is None:
        return None
    if value.dtype == argument.dtype and value.shape == argument.shape:
        return value
    return value.to(argument.dtype).reshape(argument.shape)
