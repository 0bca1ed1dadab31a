"""The refined neuron: T steps over a constant input current, averaged (design section 2).

    u_1 = x;   s_t = spike(u_t; V_t, B_t, z_t);   u_(t+1) = d * stopgrad(u_t - s_t) + x;   y = (sum_t s_t) / T

The divisor passes its gradient straight through the rounding of T; the potential carries none from step to
step, but the leak d has its own:

    dx = sum_t du_t,  with du_t, dV_t, dB_t, dz_t the spike quantizer's gradients for the upstream g / T
    dT = sum g * (-y / T),  or the forward difference  sum g * (y(T + 1) - y(T))
    dd = sum over t >= 2 of sum du_t * (u_(t-1) - s_(t-1))

The divisor alone says what a step more would take from the average, and nothing of the spikes that it would
add; the difference says both. Beyond the most steps, the step more is like the last one.

`levels` has the quantizer's formulas; `kernels` computes them, in one form per device.
"""

from __future__ import annotations

import torch

from models.functional.kernels import Neuron, StepsGradient, run
from models.functional.kernels.plan import plan_of
from models.functional.kernels.reference import walk


def fire(
    current: torch.Tensor,
    step_sizes: torch.Tensor,
    bits: torch.Tensor,
    steps: torch.Tensor,
    leak: float | torch.Tensor = 1.0,
    *,
    signed: bool = False,
    shifts: torch.Tensor | None = None,
    steps_gradient: StepsGradient = "divisor",
) -> torch.Tensor:
    """The average output y of a neuron driven by `current` for r(steps) steps; same shape as `current`.

    `step_sizes` (thresholds V_t > 0), `bits` (real) and `shifts` (threshold shifts z_t; None: off) are
    one-dimensional with one entry per step, at least r(steps) long; entries beyond get no gradient. `steps`
    is a real one-element tensor, clipped to that length; so is `leak` where it learns. Differentiable in all
    tensors. `signed` spikes are quantized like weights; `steps_gradient` chooses between the two forms of dT.
    Raises NanLossError where bits or steps are NaN.
    """
    neuron = Neuron(
        step_sizes=step_sizes,
        bits=bits,
        steps=steps,
        leak=leak,
        shifts=shifts,
        signed=signed,
        steps_gradient=steps_gradient,
    )
    return run(current, neuron)


@torch.no_grad()
def spike_rates(
    current: torch.Tensor,
    step_sizes: torch.Tensor,
    bits: torch.Tensor,
    steps: torch.Tensor,
    leak: float | torch.Tensor = 1.0,
    *,
    signed: bool = False,
    shifts: torch.Tensor | None = None,
    framed: bool = False,
) -> list[float]:
    """The share of spikes at each step whose level is not 0, for the arguments of `fire`.

    `framed`: `current` is [T, ...], one input per step, as `fire_frames` has it after regrouping.
    """
    neuron = Neuron(
        step_sizes=step_sizes, bits=bits, steps=steps, leak=leak, shifts=shifts, signed=signed, framed=framed
    )
    return [
        float(step.level.count_nonzero()) / max(step.level.numel(), 1)
        for step in walk(current, plan_of(neuron))
    ]
