"""Fake quantization of weights and of one step's spikes; `levels` has the formulas.

Each is the neuron of `fire` with a single step, so that it runs on the same kernels.
"""

from __future__ import annotations

import torch

from models.functional.kernels import Neuron, run


def quantize_weights(weight: torch.Tensor, step_size: torch.Tensor, bits: torch.Tensor) -> torch.Tensor:
    """Fake-quantized weights of the same shape; differentiable in all three arguments.

    `step_size` (> 0) and `bits` (real) are one-element tensors; `quantize_channels` takes one of each for
    every output channel. Source: design section 2, weights.
    """
    return run(weight, Neuron(step_sizes=step_size, bits=bits, signed=True))


def quantize_spikes(
    current: torch.Tensor, step_size: torch.Tensor, bits: torch.Tensor, signed: bool = False
) -> torch.Tensor:
    """Spikes of one step for a membrane potential of any shape; differentiable in the tensors.

    `step_size` (the threshold V > 0) and `bits` (real) are one-element tensors. Source: design section 2,
    spikes.
    """
    return run(current, Neuron(step_sizes=step_size, bits=bits, signed=signed))
