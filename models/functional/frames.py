"""The refined neuron over an input that varies in time: T frames in, T frames out (design section 2).

    u_1 = x_1;   s_t = spike(u_t; V_t, B_t, z_t);   u_(t+1) = d * stopgrad(u_t - s_t) + x_(t+1)

The frames s_t are given as they are; the classifier averages them. For upstream gradients g_t:

    dx_t = du_t,  with du_t, dV_t, dB_t, dz_t the spike quantizer's gradients for the upstream g_t
    dT = sum_t sum g_t * (-s_t / T):  the divisor of the classifier's average, straight through, taken here
    dd = sum over t >= 2 of sum du_t * (u_(t-1) - s_(t-1))

Regrouping F frames into T:
    T < F:  group t is the mean of the frames floor(t F / T) .. floor((t+1) F / T) - 1
    T > F:  frame floor(t F / T) is held
"""

from __future__ import annotations

from itertools import pairwise

import torch

from models.functional.kernels import Neuron, run
from models.functional.kernels.plan import whole_steps


def regroup(frames: torch.Tensor, steps: int) -> torch.Tensor:
    """[F, ...] frames as [steps, ...]: neighbours averaged where there are more, held where there are fewer.

    Differentiable; the very tensor where nothing changes. Raises ValueError without frames or steps.
    """
    F = len(frames)
    if F < 1 or steps < 1:
        raise ValueError(f"regrouping needs at least one frame and one step, not {F} and {steps}")
    if steps == F:
        return frames
    starts = [step * F // steps for step in range(steps + 1)]
    if steps > F:
        return frames[starts[:-1]]
    return torch.stack([frames[begin:end].mean(0) for begin, end in pairwise(starts)])


def fire_frames(
    frames: torch.Tensor,
    step_sizes: torch.Tensor,
    bits: torch.Tensor,
    steps: torch.Tensor,
    leak: float | torch.Tensor = 1.0,
    *,
    signed: bool = False,
    shifts: torch.Tensor | None = None,
) -> torch.Tensor:
    """The spikes [T, ...] of a neuron that [F, ...] frames drive for T = r(steps) steps, not averaged.

    The other arguments are those of `fire`, and so are the errors. Differentiable in all tensors. The
    output's shape depends on `steps`, so a GPU waits here for that one number.
    """
    neuron = Neuron(
        step_sizes=step_sizes, bits=bits, steps=steps, leak=leak, shifts=shifts, signed=signed, framed=True
    )
    return run(regroup(frames, whole_steps(neuron)), neuron)
