"""The fused form for GPUs: launches the programs of `triton_programs`; needs the package triton."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import Any

import torch
import triton

from models.functional.kernels import triton_programs as programs
from models.functional.kernels.interface import Gradients, Neuron
from models.functional.kernels.layout import dense, laid_out_like

STORAGE = (torch.float32, torch.bfloat16, torch.float16)
"""The types that the programs read and write; they compute in float32."""
BLOCK = 1024
SUMS = 5


class TritonForm:
    """See `Form`. Bits, step sizes and T stay on the GPU: no call waits for it."""

    def __init__(self, neuron: Neuron) -> None:
        self.neuron = neuron
        self.leak = neuron.leak if isinstance(neuron.leak, torch.Tensor) else None

    def forward(self, current: torch.Tensor) -> torch.Tensor:
        """See `Form`."""
        current, output = dense(current, framed=self.neuron.framed)
        size = self._size(current)
        if size.count:
            with _on(current):
                programs.forward[(size.blocks,)](
                    current, output, *self._arguments(), size.steps, size.count, **self._constants()
                )
        return output

    def backward(self, grad: torch.Tensor, current: torch.Tensor) -> Gradients:
        """See `Form`."""
        current, grad_current = dense(current, framed=self.neuron.framed)
        grad = laid_out_like(current, grad)
        size = self._size(current)
        partials = _zeros(current, size.blocks, size.steps, SUMS)
        if size.count:
            with _on(current):
                programs.backward[(size.blocks,)](
                    current,
                    grad,
                    grad_current,
                    partials,
                    *self._arguments(),
                    size.steps,
                    size.count,
                    **self._constants(),
                )
        return self._gradients(grad_current, partials.sum(0, dtype=torch.float32), size)

    def _gradients(self, grad_current: torch.Tensor, totals: torch.Tensor, size: _Size) -> Gradients:
        neuron = self.neuron
        dV, dB, dz = (_zeros(totals, neuron.step_sizes.numel()) for _ in range(3))
        dT, dd = _zeros(totals, 1), _zeros(totals, 1)
        values = (neuron.step_sizes, neuron.bits, neuron.steps, neuron.shifts)
        constants = {"SIGNED": neuron.signed, "FRAMED": neuron.framed, "enable_fp_fusion": False}
        with _on(totals):
            programs.finish[(1,)](totals, dV, dB, dz, dT, dd, *values, size.steps, size.count, **constants)
        return Gradients(
            current=grad_current,
            step_sizes=dV,
            bits=dB[: neuron.bits.numel()],
            steps=None if neuron.steps is None else dT,
            leak=None if self.leak is None else dd,
            shifts=None if neuron.shifts is None else dz[: neuron.shifts.numel()],
        )

    def _arguments(self) -> tuple[Any, ...]:
        neuron = self.neuron
        leak = 0.0 if self.leak is not None else float(neuron.leak)
        return neuron.step_sizes, neuron.bits, neuron.steps, self.leak, neuron.shifts, leak

    def _constants(self) -> dict[str, Any]:
        """What is compiled in; products are rounded before they are added, as in the reference."""
        neuron = self.neuron
        return {"SIGNED": neuron.signed, "FRAMED": neuron.framed, "BLOCK": BLOCK, "enable_fp_fusion": False}

    def _size(self, current: torch.Tensor) -> _Size:
        neuron = self.neuron
        steps = len(current) if neuron.framed else min(neuron.step_sizes.numel(), neuron.bits.numel())
        count = current.numel() // steps if neuron.framed else current.numel()
        return _Size(steps=steps, count=count, blocks=triton.cdiv(count, BLOCK))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Size:
    """The most steps (T itself for frames), the elements of one step's input, and the blocks they make."""

    steps: int
    count: int
    blocks: int


def _zeros(like: torch.Tensor, *shape: int) -> torch.Tensor:
    return torch.zeros(shape, dtype=torch.float32, device=like.device)


def _on(tensor: torch.Tensor) -> contextlib.AbstractContextManager[Any]:
    """Triton launches on the current GPU, which need not be the tensor's."""
    return torch.cuda.device(tensor.device) if tensor.is_cuda else contextlib.nullcontext()
