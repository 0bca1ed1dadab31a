"""The fused form for CPUs: `cpu.c` runs all steps in one pass; here its arguments are packed."""

from __future__ import annotations

import ctypes
import functools
import struct

import torch

from models.functional.kernels.interface import Gradients, Neuron
from models.functional.kernels.layout import dense, laid_out_like
from models.functional.kernels.plan import plan_of
from models.functional.levels import Levels

STORAGE = (torch.float32, torch.bfloat16)
"""The types that the kernel reads and writes; it computes in float32."""
STEP = struct.Struct("@6f2di4x")
"""`step_plan` of cpu.c."""
NEURON = struct.Struct("@q6if")
"""`neuron_plan` of cpu.c."""


class CpuForm:
    """See `Form`; float32 and bfloat16 tensors on the CPU, in any memory format."""

    def __init__(self, library: ctypes.CDLL, neuron: Neuron) -> None:
        self.library = library
        self.neuron = neuron
        self.plan = plan_of(neuron)
        self._packed: tuple[tuple[int, bool, int], tuple[bytes, bytes]] | None = None

    def forward(self, current: torch.Tensor) -> torch.Tensor:
        """See `Form`."""
        current, output = dense(current, framed=self.plan.framed)
        self.library.bitfront_forward(*self._head(current), current.data_ptr(), output.data_ptr())
        return output

    def backward(self, grad: torch.Tensor, current: torch.Tensor) -> Gradients:
        """See `Form`. Raises MemoryError where the sums of the blocks find no room."""
        current, grad_current = dense(current, framed=self.plan.framed)
        grad = laid_out_like(current, grad)  # named, so that it lives while its address is used
        longest = _longest(self.neuron)
        found = torch.zeros(3 * longest + 2)
        failed = self.library.bitfront_backward(
            *self._head(current),
            current.data_ptr(),
            grad.data_ptr(),
            grad_current.data_ptr(),
            found.data_ptr(),
        )
        if failed:
            raise MemoryError("no memory for the sums of a backward pass")
        return self._gradients(grad_current, found, longest)

    def _head(self, current: torch.Tensor) -> tuple[bytes, bytes]:
        """`neuron_plan` and one `step_plan` for each step, packed once for both passes over an input."""
        key = (current.numel(), current.dtype == torch.bfloat16, torch.get_num_threads())
        if self._packed is None or self._packed[0] != key:
            self._packed = (key, self._pack(*key))
        return self._packed[1]

    def _pack(self, size: int, half: bool, threads: int) -> tuple[bytes, bytes]:
        plan, neuron = self.plan, self.neuron
        count = size // plan.steps if plan.framed else size
        learns = neuron.shifts is not None or isinstance(neuron.leak, torch.Tensor)
        longest = _longest(neuron)
        head = NEURON.pack(count, plan.steps, plan.framed, half, threads, learns, longest, plan.leak)
        shifts = plan.shifts or (0.0,) * plan.steps
        values = zip(plan.step_sizes, shifts, plan.levels, strict=True)
        return head, b"".join(
            STEP.pack(V, z, *ends, levels.growth, levels.scale(count), kind)
            for V, z, levels in values
            for ends, kind in (_range(levels),)
        )

    def _gradients(self, grad_current: torch.Tensor, found: torch.Tensor, longest: int) -> Gradients:
        """The parts of `found`, where `finish` of cpu.c put them."""
        neuron = self.neuron

        def part(first: int, argument: torch.Tensor) -> torch.Tensor:
            return found.narrow(0, first, argument.numel())

        return Gradients(
            current=grad_current,
            step_sizes=part(0, neuron.step_sizes),
            bits=part(longest, neuron.bits),
            steps=None if neuron.steps is None else part(3 * longest, neuron.steps),
            leak=part(3 * longest + 1, neuron.leak) if isinstance(neuron.leak, torch.Tensor) else None,
            shifts=None if neuron.shifts is None else part(2 * longest, neuron.shifts),
        )


def typed(library: ctypes.CDLL) -> ctypes.CDLL:
    """The library with its functions declared, so that addresses pass as plain numbers."""
    plans, address = [ctypes.c_char_p, ctypes.c_char_p], ctypes.c_void_p
    library.bitfront_forward.argtypes = [*plans, address, address]
    library.bitfront_forward.restype = None
    library.bitfront_backward.argtypes = [*plans, address, address, address, address]
    library.bitfront_backward.restype = ctypes.c_int
    return library


def _longest(neuron: Neuron) -> int:
    """Entries that hold the gradients of each per-step tensor."""
    shifts = 0 if neuron.shifts is None else neuron.shifts.numel()
    return max(neuron.step_sizes.numel(), neuron.bits.numel(), shifts)


@functools.cache
def _range(levels: Levels) -> tuple[tuple[float, float, float, float], int]:
    """low, high and the floats just outside them; and the kind of a range, as cpu.c has it."""
    below, above = levels.just_outside(torch.float32)
    return (levels.low, levels.high, below, above), 2 * levels.signed + levels.binary
