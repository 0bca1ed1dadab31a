"""Where random numbers come from, and how they reach a device."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True, slots=True)
class Draws:
    """The random numbers of an epoch: a pure function of these two, the batch and what it is for."""

    seed: int
    epoch: int

    def random(self, batch: int, stage: int) -> np.random.Generator:
        """The generator of one batch and stage."""
        return np.random.default_rng(np.random.SeedSequence([self.seed, self.epoch, batch, stage]))


def on_device(values: NDArray[Any], device: torch.device) -> torch.Tensor:
    """The values as a tensor there, without waiting for the device: the copy takes them over at once."""
    return torch.from_numpy(values).to(device, non_blocking=True)
