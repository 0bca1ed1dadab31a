"""The fused form for CPUs: `cpu.c` runs all steps in one pass; here are its arguments and its sums.

From the sums of a step (k, Q and the growth of a range as in `levels`; E leaves out `below` when unsigned):
    E = above - below;   S = above + below
    dV = k * (error + Q * E + z * S);   dB = growth * V * E;   dz = V * S
    dd = sum_t leak;   dT = sum_t divisor / -T
"""

from __future__ import annotations

import ctypes
import functools
import struct
from dataclasses import dataclass

import torch

from models.functional.kernels.interface import Gradients, Neuron
from models.functional.kernels.layout import dense, laid_out_like
from models.functional.kernels.plan import Plan, plan_of
from models.functional.levels import Levels

STORAGE = (torch.float32, torch.bfloat16)
"""The types that the kernel reads and writes; it computes in float32."""
STEP = struct.Struct("6fi")
"""`step_plan` of cpu.c."""
NEURON = struct.Struct("q4if")
"""`neuron_plan` of cpu.c."""
SUMS = 5


class CpuForm:
    """See `Form`; float32 and bfloat16 tensors on the CPU, in any memory format."""

    def __init__(self, library: ctypes.CDLL, neuron: Neuron) -> None:
        self.library = library
        self.neuron = neuron
        self.plan = plan_of(neuron)
        self.steps = _packed_steps(self.plan)

    def forward(self, current: torch.Tensor) -> torch.Tensor:
        """See `Form`."""
        current, output = dense(current, framed=self.plan.framed)
        self.library.bitfront_forward(
            self._head(current),
            self.steps,
            ctypes.c_void_p(current.data_ptr()),
            ctypes.c_void_p(output.data_ptr()),
        )
        return output

    def backward(self, grad: torch.Tensor, current: torch.Tensor) -> Gradients:
        """See `Form`. Raises MemoryError where the sums of the blocks find no room."""
        current, grad_current = dense(current, framed=self.plan.framed)
        grad = laid_out_like(current, grad)  # named, so that it lives while its address is used
        totals = (ctypes.c_double * (SUMS * self.plan.steps))()
        failed = self.library.bitfront_backward(
            self._head(current),
            self.steps,
            ctypes.c_void_p(current.data_ptr()),
            ctypes.c_void_p(grad.data_ptr()),
            ctypes.c_void_p(grad_current.data_ptr()),
            totals,
        )
        if failed:
            raise MemoryError("no memory for the sums of a backward pass")
        return self._gradients(grad_current, list(totals))

    def _head(self, current: torch.Tensor) -> bytes:
        plan = self.plan
        return NEURON.pack(
            _count(current, plan),
            plan.steps,
            plan.framed,
            current.dtype == torch.bfloat16,
            torch.get_num_threads(),
            plan.leak,
        )

    def _gradients(self, grad_current: torch.Tensor, totals: list[float]) -> Gradients:
        plan, neuron = self.plan, self.neuron
        count = _count(grad_current, plan)
        found = [
            _step_gradients(totals[SUMS * t : SUMS * (t + 1)], plan, t, count) for t in range(plan.steps)
        ]
        learns_leak = isinstance(neuron.leak, torch.Tensor)
        return Gradients(
            current=grad_current,
            step_sizes=_padded([step.step_size for step in found], neuron.step_sizes.numel()),
            bits=_padded([step.bits for step in found], neuron.bits.numel()),
            steps=None if neuron.steps is None else torch.tensor(sum(totals[4::SUMS]) / -plan.steps),
            leak=torch.tensor(sum(totals[3::SUMS])) if learns_leak else None,
            shifts=None
            if neuron.shifts is None
            else _padded([step.shift for step in found], neuron.shifts.numel()),
        )


@dataclass(frozen=True, slots=True)
class _StepGradients:
    step_size: float
    bits: float
    shift: float


def _step_gradients(sums: list[float], plan: Plan, t: int, count: int) -> _StepGradients:
    """dV, dB and dz of step t."""
    error, above, below = sums[:3]
    levels, V, z = plan.levels[t], plan.step_sizes[t], plan.shifts[t] if plan.shifts else 0.0
    E = above - below if levels.signed else above
    S = above + below
    return _StepGradients(
        step_size=levels.scale(count) * (error + levels.high * E + z * S),
        bits=levels.growth * V * E,
        shift=V * S,
    )


def _packed_steps(plan: Plan) -> bytes:
    shifts = plan.shifts or (0.0,) * plan.steps
    return b"".join(
        STEP.pack(V, z, *_range(levels))
        for V, z, levels in zip(plan.step_sizes, shifts, plan.levels, strict=True)
    )


@functools.cache
def _range(levels: Levels) -> tuple[float, float, float, float, int]:
    """low, high, the floats just outside them, and the kind of a range, as cpu.c has them."""
    low, high = levels.just_outside(torch.float32)
    return levels.low, levels.high, low, high, 2 * levels.signed + levels.binary


def _count(current: torch.Tensor, plan: Plan) -> int:
    """The elements of one step's input."""
    return current.numel() // plan.steps if plan.framed else current.numel()


def _padded(values: list[float], count: int) -> torch.Tensor:
    return torch.tensor(values + [0.0] * (count - len(values)))
