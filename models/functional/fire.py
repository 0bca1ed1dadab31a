"""The refined neuron: T steps over a constant input current, averaged (design section 2).

    u_1 = x;   s_t = spike(u_t; V_t, B_t);   u_(t+1) = d * stopgrad(u_t - s_t) + x;   y = (sum_t s_t) / T

The divisor passes its gradient straight through the rounding of T; the potential carries none from step to step:

    dx = sum_t du_t,  with du_t, dV_t, dB_t the spike quantizer's gradients for the upstream g / T
    dT = sum g * (-y / T)

The backward pass recomputes the potentials instead of storing T of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from models.functional.quantize import Levels, gradients, levels_of, unsigned_levels
from models.functional.rounding import whole_bits


def fire(
    current: torch.Tensor, step_sizes: torch.Tensor, bits: torch.Tensor, steps: torch.Tensor, leak: float = 1.0
) -> torch.Tensor:
    """The average output y of a neuron driven by `current` for r(steps) steps; same shape as `current`.

    `step_sizes` (thresholds V_t > 0) and `bits` (real) are one-dimensional with one entry per step, at least
    r(steps) long; entries beyond get no gradient. `steps` is a real one-element tensor. Differentiable in all tensors.
    """
    return _Fire.apply(current, step_sizes, bits, steps, leak)  # type: ignore[no-any-return,no-untyped-call]  # torch leaves apply untyped


def whole_steps(steps: torch.Tensor, longest: int) -> int:
    """r(steps), at least 1 and at most the number of step sizes."""
    return min(whole_bits(steps), longest)


def step_levels(
    current: torch.Tensor, step_sizes: list[float], widths: list[int], leak: float
) -> Iterator[tuple[torch.Tensor, torch.Tensor, Levels, float]]:
    """At each step: the quotient v = u/V, its integer level, the range and the step size."""
    potential = current
    for number, (step_size, width) in enumerate(zip(step_sizes, widths, strict=True), start=1):
        levels = unsigned_levels(width)
        v = potential / step_size
        level = levels_of(v, levels)
        yield v, level, levels, step_size
        if number < len(widths):
            potential = torch.add(current, torch.sub(potential, level, alpha=step_size), alpha=leak)


class _Fire(torch.autograd.Function):
    """Forward and backward of the formulas above."""

    @staticmethod
    def forward(
        ctx: Any, current: torch.Tensor, step_sizes: torch.Tensor, bits: torch.Tensor, steps: torch.Tensor, leak: float
    ) -> torch.Tensor:
        T = whole_steps(steps, len(step_sizes))
        ctx.plan = (step_sizes[:T].tolist(), [whole_bits(width) for width in bits[:T]], leak)
        total = torch.zeros_like(current)
        for _, level, _, step_size in step_levels(current, *ctx.plan):
            total.add_(level, alpha=step_size)
        output = total.div_(T)
        ctx.save_for_backward(current, step_sizes, bits, steps, output)
        return output

    @staticmethod
    def backward(
        ctx: Any, grad: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, None]:  # type: ignore[override]  # torch declares *args
        current, step_sizes, bits, steps, output = ctx.saved_tensors
        T = len(ctx.plan[0])
        grad_current = torch.zeros_like(current)
        grad_step_sizes, grad_bits = torch.zeros_like(step_sizes), torch.zeros_like(bits)
        for t, (v, level, levels, step_size) in enumerate(step_levels(current, *ctx.plan)):
            du, dV, dB = gradients(grad, v, level, levels, step_size)
            grad_current += du
            grad_step_sizes[t], grad_bits[t] = dV / T, dB / T
        grad_steps = (grad * output).sum() / -T
        return grad_current / T, grad_step_sizes, grad_bits, grad_steps.to(steps.dtype).reshape(steps.shape), None
