"""What an epoch adds up to: loss and accuracy, summed on the device, and the renewals of step sizes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import torch

from models.errors import NanLossError

CHECKED_EVERY = 64
"""Steps between looks at whether the loss is still a number: each look waits for the device."""


class Tally:
    """Sums over the steps of an epoch that stay on the device until they are asked for."""

    def __init__(self, device: torch.device, first_step: int) -> None:
        self._loss = torch.zeros((), dtype=torch.float64, device=device)
        self._right = torch.zeros((), dtype=torch.int64, device=device)
        self._samples = 0
        self._steps = first_step
        self._checked = first_step
        self.renewals: Counter[str] = Counter()
        """How many step sizes of each layer were renewed."""

    def add(self, loss: torch.Tensor, right: torch.Tensor, samples: int) -> None:
        """Count a step: its mean loss and how many samples it got right. Raises NanLossError."""
        self._loss += loss.double() * samples
        self._right += right
        self._samples += samples
        self._steps += 1
        if self._steps - self._checked >= CHECKED_EVERY:
            self._check()

    def add_renewals(self, renewals: Mapping[str, int]) -> None:
        """Count the step sizes of each layer that were fitted to other bits."""
        self.renewals.update(renewals)

    def means(self) -> tuple[float, float]:
        """Mean loss and accuracy. Raises NanLossError."""
        self._check()
        return self._loss.item() / self._samples, self._right.item() / self._samples

    def _check(self) -> None:
        if not bool(self._loss.isfinite()):
            raise NanLossError(
                f"the loss is not a number in steps {self._checked} to {self._steps - 1}.",
                fix="Lower /training/lr.",
            )
        self._checked = self._steps
