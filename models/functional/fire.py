"""The refined neuron: T steps over a constant input current, averaged (design section 2).

    u_1 = x;   s_t = spike(u_t; V_t, B_t);   u_(t+1) = d * stopgrad(u_t - s_t) + x;   y = (sum_t s_t) / T

The divisor passes its gradient straight through the rounding of T; the potential carries none from step to
step:

    dx = sum_t du_t,  with du_t, dV_t, dB_t the spike quantizer's gradients for the upstream g / T
    dT = sum g * (-y / T)

The backward pass recomputes the potentials instead of storing T of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch.autograd.function import once_differentiable

from models.functional.quantize import Levels, gradients, levels_at, levels_of, like, working
from models.functional.rounding import whole_number


def fire(
    current: torch.Tensor,
    step_sizes: torch.Tensor,
    bits: torch.Tensor,
    steps: torch.Tensor,
    leak: float = 1.0,
    *,
    signed: bool = False,
) -> torch.Tensor:
    """The average output y of a neuron driven by `current` for r(steps) steps; same shape as `current`.

    `step_sizes` (thresholds V_t > 0) and `bits` (real) are one-dimensional with one entry per step, at least
    r(steps) long; entries beyond get no gradient. `steps` is a real one-element tensor, clipped to that
    length. Differentiable in all tensors. `signed` spikes are quantized like weights.
    """
    plan = plan_of(step_sizes, bits, steps, leak, signed=signed)
    return _Fire.apply(current, step_sizes, bits, steps, plan)  # type: ignore[no-any-return,no-untyped-call]  # torch leaves apply untyped


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What the steps of a neuron do, as plain numbers: one step size and one range per step."""

    step_sizes: tuple[float, ...]
    levels: tuple[Levels, ...]
    leak: float

    @property
    def steps(self) -> int:
        """T."""
        return len(self.step_sizes)


def plan_of(
    step_sizes: torch.Tensor, bits: torch.Tensor, steps: torch.Tensor, leak: float, signed: bool
) -> Plan:
    """The plan of r(steps) steps, at least 1 and at most the number of step sizes."""
    T = min(whole_number(steps.item()), step_sizes.numel(), bits.numel())
    widths = bits.reshape(-1)[:T].tolist()
    levels = tuple(levels_at(whole_number(width), signed=signed) for width in widths)
    return Plan(step_sizes=tuple(step_sizes.reshape(-1)[:T].tolist()), levels=levels, leak=leak)


def step_levels(current: torch.Tensor, plan: Plan) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """At each step: the quotient v = u/V, and its integer level, which the caller may use up."""
    potential = current
    for number, (step_size, levels) in enumerate(zip(plan.step_sizes, plan.levels, strict=True), start=1):
        v = potential / step_size
        level = levels_of(v, levels)
        if number < plan.steps:  # before the level is handed out
            rest = torch.sub(potential, level, alpha=step_size)
            potential = torch.add(current, rest, alpha=plan.leak)
        yield v, level


class _Fire(torch.autograd.Function):
    """Forward and backward of the formulas above."""

    @staticmethod
    def forward(  # noqa: PLR0917 - autograd passes arguments by position
        ctx: Any,
        current: torch.Tensor,
        step_sizes: torch.Tensor,
        bits: torch.Tensor,
        steps: torch.Tensor,
        plan: Plan,
    ) -> torch.Tensor:
        ctx.plan = plan
        output = _average(working(current), ctx.plan).to(current.dtype)
        ctx.save_for_backward(current, step_sizes, bits, steps, output)
        return output

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        current, step_sizes, bits, steps, output = ctx.saved_tensors
        T = ctx.plan.steps
        grad = working(grad)
        dT = like((grad * output).sum() / -T, steps) if ctx.needs_input_grad[3] else None
        du, dV_T, dB_T = _step_gradients(grad / T if T > 1 else grad, working(current), ctx.plan)
        return (
            du.to(current.dtype),
            _padded(dV_T, step_sizes),
            _padded(dB_T, bits),
            dT,
            None,
        )


def _average(current: torch.Tensor, plan: Plan) -> torch.Tensor:
    """y of the formulas above."""
    total = torch.empty(0)
    for number, ((_, level), step_size) in enumerate(
        zip(step_levels(current, plan), plan.step_sizes, strict=True)
    ):
        total = total.add_(level, alpha=step_size) if number else level.mul_(step_size)
    return total.div_(plan.steps) if plan.steps > 1 else total


def _step_gradients(
    grad: torch.Tensor, current: torch.Tensor, plan: Plan
) -> tuple[torch.Tensor, list[torch.Tensor], list[torch.Tensor]]:
    """dx, and dV and dB of each step."""
    grad_current, dV_T, dB_T = torch.empty(0), [], []
    settings = zip(step_levels(current, plan), plan.levels, plan.step_sizes, strict=True)
    for number, ((v, level), levels, step_size) in enumerate(settings):
        du, dV, dB = gradients(grad, v, level, levels, step_size)
        grad_current = grad_current.add_(du) if number else du
        dV_T.append(dV)
        dB_T.append(dB)
    return grad_current, dV_T, dB_T


def _padded(values_T: list[torch.Tensor], argument: torch.Tensor) -> torch.Tensor:
    """The gradients of the steps taken, then zeros for the entries beyond them."""
    found = torch.zeros_like(argument)
    found.view(-1)[: len(values_T)] = torch.stack(values_T)
    return found
