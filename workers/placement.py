"""Where and how a training computes: device, memory format and precision.

`auto` takes channels-last for networks with two-dimensional convolutions, on which it measures faster, and
leaves others as they are. In bfloat16, convolutions and matrix products are autocast; parameters, step sizes,
bits and losses stay float32.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import assert_never

import torch
from torch import nn

from models.errors import InvalidInputError
from models.nets import Network
from search.job import JobSpec
from search.recipe import MemoryFormat

IMAGE_DIMS = 4
"""[B, C, H, W]; a memory format is only for these."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Placement:
    """What a network and its batches are brought to."""

    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    memory_format: torch.memory_format = torch.contiguous_format
    half: bool = False

    def place(self, network: Network) -> Network:
        """The network itself, moved."""
        # torch types the two calls apart, though one does both.
        network.to(self.device)
        network.to(memory_format=self.memory_format)  # type: ignore[call-overload]  # missing from torch's types
        return network

    def batch(self, x: torch.Tensor) -> torch.Tensor:
        """A batch of images or of frames, on the device."""
        x = x.to(self.device, non_blocking=True)
        return x.contiguous(memory_format=self.memory_format) if x.dim() == IMAGE_DIMS else x

    def precision(self) -> AbstractContextManager[None]:
        """The context that forward passes of a training run in."""
        return torch.autocast(self.device.type, dtype=torch.bfloat16) if self.half else nullcontext()


def placement_of(spec: JobSpec, network: Network) -> Placement:
    """The placement of a job's trials. Raises InvalidInputError where a GPU is asked for in vain."""
    return Placement(
        device=_device(spec),
        memory_format=_memory_format(spec.training.memory_format, network),
        half=spec.training.precision == "bfloat16",
    )


def _device(spec: JobSpec) -> torch.device:
    if spec.compute.gpus_per_trial == 0:
        return torch.device("cpu")
    if not torch.cuda.is_available():
        raise InvalidInputError(
            "the trial was promised a GPU, but torch finds none.",
            fix="Install a build of torch for the GPU, or set gpus_per_trial to 0.",
            pointer="/compute/gpus_per_trial",
        )
    return torch.device("cuda")


def _memory_format(chosen: MemoryFormat, network: Network) -> torch.memory_format:
    match chosen:
        case "auto":
            convolutional = any(isinstance(module, nn.Conv2d) for module in network.modules())
            return torch.channels_last if convolutional else torch.contiguous_format
        case "channels_last":
            return torch.channels_last
        case "contiguous":
            return torch.contiguous_format
        case _:
            assert_never(chosen)
