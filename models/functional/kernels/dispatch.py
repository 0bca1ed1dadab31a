"""Which form of the neuron computes a tensor: the fused one of its device and type, else the reference."""

from __future__ import annotations

import ctypes
import functools
import logging
from collections.abc import Callable

import torch

from models.functional.kernels import build
from models.functional.kernels.cpu import STORAGE, CpuForm, typed
from models.functional.kernels.interface import Form, Neuron
from models.functional.kernels.reference import ReferenceForm

logger = logging.getLogger(__name__)


def form_of(current: torch.Tensor, neuron: Neuron) -> Form:
    """The fastest form for the device and type of `current`."""
    if current.device.type == "cpu" and current.dtype in STORAGE:
        library = cpu_library()
        return ReferenceForm(neuron) if library is None else CpuForm(library, neuron)
    if current.is_cuda and current.dtype != torch.float64:
        fused = gpu_form(current.device)
        return ReferenceForm(neuron) if fused is None else fused(neuron)
    return ReferenceForm(neuron)


@functools.cache
def cpu_library() -> ctypes.CDLL | None:
    """The compiled kernel; None where it cannot be built, which is said once."""
    try:
        return typed(build.load())
    except build.BuildError as error:
        logger.warning(
            "The fused CPU kernel cannot be built: %s. Training goes on in plain torch, which takes about "
            "twice as long. Install a C compiler (gcc, or clang with OpenMP), or name one in CC.",
            error,
        )
        return None


@functools.cache
def gpu_form(device: torch.device) -> Callable[[Neuron], Form] | None:
    """The Triton form; None where it is missing or does not run on `device`, which is said once."""
    try:
        from models.functional.kernels.triton_form import TritonForm

        ones = torch.ones(1, device=device)
        TritonForm(Neuron(step_sizes=ones, bits=ones, steps=ones)).forward(ones)
    except Exception as error:  # whatever a compiler or a driver raises, training goes on
        logger.warning(
            "The fused GPU kernel does not run on %s: %s: %s. Training goes on in plain torch, which is "
            "slower. Install the version of triton that belongs to this torch.",
            device,
            type(error).__name__,
            error,
        )
        return None
    return TritonForm
