"""The one trainer: every trial of every method goes through it, an epoch at a time.

A trial with fixed bits trains the given allocation from the start. A trial that learns bits trains weights
and bits together under the tightening budget for the first LEARNING_SHARE of its steps (models.budget);
then the bits are rounded, repaired and spent (models.repair), frozen, and the rest of the steps fine-tune.

Everything random is a pure function of (seed, epoch), so the state after an epoch is the network, the
optimisers and `Progress`; a training resumed from it goes on bit for bit on the same machine.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch
from torch.nn import functional

from models.allocation import Allocation
from models.budget import BudgetState, initial_state, log_excesses, penalty, updated
from models.cost import LayerShape, Limit
from models.errors import NanLossError
from models.nets import Network
from models.repair import fit
from search.job import JobSpec
from workers.data import Splits
from workers.data.batches import batches
from workers.recipe import (
    Schedule,
    bit_optimiser,
    bounded_step,
    flat_state,
    restore_state,
    schedule,
    set_rate,
    weight_optimiser,
)

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
    budget: BudgetState | None

    def to_json(self) -> dict[str, Any]:
        """The form stored in a checkpoint."""
        return {
            "epoch": self.epoch,
            "step": self.step,
            "samples": self.samples,
            "allocation": self.allocation.to_json() if self.allocation else None,
            "budget": asdict(self.budget) if self.budget else None,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Progress:
        """The inverse of `to_json`."""
        allocation, budget = data["allocation"], data["budget"]
        return cls(
            epoch=data["epoch"],
            step=data["step"],
            samples=data["samples"],
            allocation=Allocation.from_json(allocation) if allocation else None,
            budget=BudgetState.from_json(budget) if budget else None,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class EpochSums:
    """What one epoch of training adds up to."""

    loss: float
    accuracy: float
    learning_rate: float


class Trainer:
    """A network, its data and its optimisers; `limits` is empty for a trial with fixed bits."""

    def __init__(
        self,
        *,
        spec: JobSpec,
        network: Network,
        layers: tuple[LayerShape, ...],
        data: Splits,
        seed: int,
        limits: tuple[Limit, ...],
    ) -> None:
        self.spec = spec
        self.network = network
        self.layers = layers
        self.data = data
        self.seed = seed
        self.limits = limits
        self.plan = self._plan()
        self.weights = weight_optimiser(network, spec.training)
        self.step_sizes = list(network.step_size_parameters())
        self.bits = bit_optimiser(network, self.plan) if limits else None

    def start(self, allocation: Allocation | None) -> Progress:
        """The progress before the first epoch; a given allocation is frozen at once."""
        if allocation is not None:
            self.network.freeze(allocation)
        budget = initial_state(self.limits, self._loads()) if self.limits else None
        return Progress(epoch=0, step=0, samples=0, allocation=allocation, budget=budget)

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
        budget = self._backward(loss, progress)
        bounded_step(self.weights, self.step_sizes)
        self.network.constrain()
        value = float(loss.detach())
        if not math.isfinite(value):
            raise NanLossError(
                f"the loss is not a number at step {progress.step}.", fix="Lower /training/lr."
            )
        right = int((logits_BK.argmax(1) == y_B).sum())
        progress = replace(
            progress, step=progress.step + 1, samples=progress.samples + len(y_B), budget=budget
        )
        return value, right, self._frozen_when_learned(progress)

    def _backward(self, loss: torch.Tensor, progress: Progress) -> BudgetState | None:
        """Gradients of the loss and, while bits are learned, of the penalty; steps the bits."""
        if self.bits is None or progress.budget is None or progress.allocation is not None:
            loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
            return progress.budget
        self.bits.zero_grad(set_to_none=True)
        passed = progress.step / self.plan.learning_steps
        excesses = log_excesses(self.limits, self._loads(), progress.budget, passed)
        (loss + penalty(excesses, progress.budget)).backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        self.bits.step()
        self.network.constrain()
        self.network.renew(self.spec.training.renewal)
        return updated(progress.budget, [excess.detach() for excess in excesses])

    def _frozen_when_learned(self, progress: Progress) -> Progress:
        if progress.allocation is not None or progress.step < self.plan.learning_steps:
            return progress
        allocation = fit(self.network.wish(), self.layers, self.spec.bits.bounds(), self.limits)
        self.network.freeze(allocation)
        return replace(progress, allocation=allocation)

    def _loads(self) -> Mapping[Any, Any]:
        return {limit.scope: self.network.loads(self.layers, limit.scope) for limit in self.limits}

    def _plan(self) -> Schedule:
        steps_per_epoch = sum(1 for _ in range(0, len(self.data.train.y_N), self.spec.training.batch_size))
        return schedule(self.spec.training.epochs, steps_per_epoch, learns_bits=bool(self.limits))


def _under(prefix: str, tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
