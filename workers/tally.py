"""What an epoch adds up to: loss and accuracy, summed on the device, and the renewals of step sizes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch

from models.errors import NanLossError

CHECKED_EVERY = 64
"""Steps between looks at whether the loss is still a number: each look waits for the device."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EpochPart:
    """What the first steps of an epoch have added up to; a checkpoint within an epoch holds it as JSON."""

    steps: int = 0
    loss: float = 0.0  # mean losses of batches, each times its samples
    right: int = 0
    samples: int = 0
    seconds: float = 0.0
    waited: float = 0.0  # of the seconds, those that passed waiting for data
    renewals: Mapping[str, int] = field(default_factory=dict)
    """How many step sizes of each layer were renewed."""


class Tally:
    """Sums over the steps of an epoch that stay on the device until they are asked for.

    `first_step` is the training's step that is counted first, `part` what the epoch has added up to before.
    """

    def __init__(self, device: torch.device, first_step: int, part: EpochPart | None = None) -> None:
        self._part = part or EpochPart()
        self._loss = torch.tensor(self._part.loss, dtype=torch.float64, device=device)
        self._right = torch.tensor(self._part.right, dtype=torch.int64, device=device)
        self._samples = self._part.samples
        self._first_step = self._steps = self._checked = first_step
        self._renewals = Counter(self._part.renewals)

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
        self._renewals.update(renewals)

    def part(self, *, seconds: float, waited: float) -> EpochPart:
        """What the epoch has added up to by now, in so many seconds more. Raises NanLossError."""
        self._check()
        return EpochPart(
            steps=self._part.steps + self._steps - self._first_step,
            loss=self._loss.item(),
            right=int(self._right.item()),
            samples=self._samples,
            seconds=self._part.seconds + seconds,
            waited=self._part.waited + waited,
            renewals=dict(self._renewals),
        )

    def _check(self) -> None:
        if not bool(self._loss.isfinite()):
            raise NanLossError(
                f"the loss is not a number in steps {self._checked} to {self._steps - 1}.",
                fix="Lower /training/lr.",
            )
        self._checked = self._steps
