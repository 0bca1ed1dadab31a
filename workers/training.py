"""The one trainer: every trial of every method goes through it, an epoch at a time.

A trial with fixed bits trains the given allocation from the start. A trial that learns bits trains weights
and bits together, steered by a budget or by targets (workers.steering), for the first LEARNING_SHARE of its
steps; then the bits are rounded, repaired and spent (models.repair), frozen, and the rest fine-tunes.

Everything random is a pure function of (seed, epoch), so the state after an epoch is the network, the
optimisers and `Progress`; a training resumed from it goes on bit for bit on the same machine.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch.nn import functional

from models.allocation import Allocation, Bounds
from models.cost import LayerShape
from models.errors import NanLossError
from models.nets import Network
from models.repair import fit
from search.job import JobSpec
from workers.data import Splits
from workers.data.batches import batches
from workers.recipe import (
    Schedule,
    bounded_step,
    flat_state,
    restore_state,
    schedule,
    set_rate,
    weight_optimiser,
)
from workers.steering import Fixed, State, Steer, Steering, bit_optimiser, state_from_json, state_to_json

EPOCH_SEED_STRIDE = 1_000_003
"""Far more than any number of epochs, so that the seeds of (seed, epoch) pairs never meet."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """How far a training is, beside the tensors."""

    epoch: int
    step: int
    samples: int
    allocation: Allocation | None
    """The realised bits; None while they are still being learned."""
    steering: State

    def to_json(self) -> dict[str, Any]:
        """The form stored in a checkpoint."""
        return {
            "epoch": self.epoch,
            "step": self.step,
            "samples": self.samples,
            "allocation": self.allocation.to_json() if self.allocation else None,
            **state_to_json(self.steering),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Progress:
        """The inverse of `to_json`."""
        allocation = data["allocation"]
        return cls(
            epoch=data["epoch"],
            step=data["step"],
            samples=data["samples"],
            allocation=Allocation.from_json(allocation) if allocation else None,
            steering=state_from_json(data),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class EpochSums:
    """What one epoch of training adds up to."""

    loss: float
    accuracy: float
    learning_rate: float


class Trainer:
    """A network, its data and its optimisers; `bounds` are those that learned bits are fitted in."""

    def __init__(
        self,
        *,
        spec: JobSpec,
        network: Network,
        layers: tuple[LayerShape, ...],
        data: Splits,
        seed: int,
        steering: Steering,
        bounds: Bounds,
    ) -> None:
        self.spec = spec
        self.network = network
        self.layers = layers
        self.data = data
        self.seed = seed
        self.steering = steering
        self.steer = Steer(steering, network, layers)
        self.bounds = bounds
        self.plan = self._plan()
        self.weights = weight_optimiser(network, spec.training)
        self.step_sizes = list(network.step_size_parameters())
        self.bits = bit_optimiser(steering, network, spec.training, self.plan)

    def start(self, allocation: Allocation | None) -> Progress:
        """The progress before the first epoch; a given allocation is frozen at once."""
        if allocation is not None:
            self.network.freeze(allocation)
        return Progress(epoch=0, step=0, samples=0, allocation=allocation, steering=self.steer.start())

    def run_epoch(self, progress: Progress) -> tuple[Progress, EpochSums]:
        """Train one epoch. Raises NanLossError when the loss is no longer a number."""
        generator = torch.Generator().manual_seed(self.seed * EPOCH_SEED_STRIDE + progress.epoch)
        self.network.train()
        loss_sum, correct, count, rate = 0.0, 0, 0, 0.0
        for x_BCHW, y_B in batches(self.data.train, self.spec.training.batch_size, generator=generator):
            rate = set_rate(self.weights, self.spec.training, progress.step, self.plan.steps)
            loss, right, progress = self._step(x_BCHW, y_B, progress)
            loss_sum, correct, count = loss_sum + loss * len(y_B), correct + right, count + len(y_B)
        sums = EpochSums(loss=loss_sum / count, accuracy=correct / count, learning_rate=rate)
        return replace(progress, epoch=progress.epoch + 1), sums

    def state(self) -> dict[str, torch.Tensor]:
        """Every tensor that a resumed training needs."""
        tensors = {f"network.{name}": value for name, value in self.network.state_dict().items()}
        tensors |= {f"weights.{name}": value for name, value in flat_state(self.weights).items()}
        if self.bits is not None:
            tensors |= {f"bits.{name}": value for name, value in flat_state(self.bits).items()}
        return tensors

    def restore(self, tensors: Mapping[str, torch.Tensor], progress: Progress) -> None:
        """Take up the state of an earlier attempt."""
        if progress.allocation is not None:
            self.network.freeze(progress.allocation)
        self.network.load_state_dict(_under("network.", tensors))
        restore_state(self.weights, _under("weights.", tensors))
        if self.bits is not None:
            restore_state(self.bits, _under("bits.", tensors))

    def _step(
        self, x_BCHW: torch.Tensor, y_B: torch.Tensor, progress: Progress
    ) -> tuple[float, int, Progress]:
        self.weights.zero_grad(set_to_none=True)
        logits_BK = self.network(x_BCHW)
        loss = functional.cross_entropy(logits_BK, y_B, label_smoothing=self.spec.training.label_smoothing)
        steering = self._backward(loss, progress)
        bounded_step(self.weights, self.step_sizes)
        self.network.constrain()
        value = float(loss.detach())
        if not math.isfinite(value):
            raise NanLossError(
                f"the loss is not a number at step {progress.step}.", fix="Lower /training/lr."
            )
        right = int((logits_BK.argmax(1) == y_B).sum())
        progress = replace(
            progress, step=progress.step + 1, samples=progress.samples + len(y_B), steering=steering
        )
        return value, right, self._frozen_when_learned(progress)

    def _backward(self, loss: torch.Tensor, progress: Progress) -> State:
        """Gradients of the loss and, while bits are learned, of the penalty; steps the bits."""
        if self.bits is None or progress.allocation is not None:
            loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
            return progress.steering
        self.bits.zero_grad(set_to_none=True)
        passed = progress.step / self.plan.learning_steps
        penalty, steering = self.steer.penalty(progress.steering, passed)
        (loss + penalty).backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        self.steer.set_rate(self.bits, self.spec.training, passed)
        self.bits.step()
        self.network.constrain()
        if self.steer.renews(steering, progress.epoch):
            self.network.renew(self.spec.training.renewal)
        return steering

    def _frozen_when_learned(self, progress: Progress) -> Progress:
        if progress.allocation is not None or progress.step < self.plan.learning_steps:
            return progress
        allocation = fit(self.network.wish(), self.layers, self.bounds, self.steering.limits)
        renewal = self.spec.training.renewal
        self.network.freeze(allocation, "search" if renewal == "search" else "closed_form")
        return replace(progress, allocation=allocation)

    def _plan(self) -> Schedule:
        steps_per_epoch = sum(1 for _ in range(0, len(self.data.train.y_N), self.spec.training.batch_size))
        learns_bits = not isinstance(self.steering, Fixed)
        return schedule(self.spec.training.epochs, steps_per_epoch, learns_bits=learns_bits)


def _under(prefix: str, tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
