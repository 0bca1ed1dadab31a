"""Which form of the neuron computes a tensor: the fused one of its device and type, else the reference."""

from __future__ import annotations

import ctypes
import functools
import logging

import torch

from models.functional.kernels import build
from models.functional.kernels.cpu import STORAGE, CpuForm
from models.functional.kernels.interface import Form, Neuron
from models.functional.kernels.reference import ReferenceForm

logger = logging.getLogger(__name__)


def form_of(current: torch.Tensor, neuron: Neuron) -> Form:
    """The fastest form for the device and type of `current`."""
    if current.device.type == "cpu" and current.dtype in STORAGE:
        library = cpu_library()
        return ReferenceForm(neuron) if library is None else CpuForm(library, neuron)
    return ReferenceForm(neuron)


@functools.cache
def cpu_library() -> ctypes.CDLL | None:
    """The compiled kernel; None where it cannot be built, which is said once."""
    try:
        return build.load()
    except build.BuildError as error:
        logger.warning(
            "The fused CPU kernel cannot be built: %s. Training goes on in plain torch, which takes about "
            "twice as long. Install a C compiler (gcc, or clang with OpenMP), or name one in CC.",
            error,
        )
        return None
