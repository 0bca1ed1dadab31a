"""The one trainer: every trial of every method goes through it, an epoch at a time.

A trial with fixed bits trains the given allocation from the start. A trial that learns bits trains weights
and bits together, steered by a budget or by targets (workers.steering), for the first LEARNING_SHARE of its
steps; then the bits are frozen (workers.freezing), and the rest fine-tunes. A descent does so for each stage.

Everything random is a pure function of (seed, epoch, batch), so the state between two steps is the network,
the optimisers and `Progress`; a training resumed from it goes on bit for bit on the same machine.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, replace

import torch

from models.allocation import Bounds
from models.cost import LayerShape
from models.nets import Network
from models.replicas import ALONE, Replicas
from search.job import JobSpec
from workers.data import Splits
from workers.data.augment import Augmentation, Draws
from workers.data.loader import Batch, Loader, Preparation
from workers.descent import Stage, stage_at
from workers.freezing import Freezing
from workers.passes import Passes
from workers.placement import Placement
from workers.progress import Progress
from workers.recipe import (
    Schedule,
    bounded_step,
    flat_state,
    restore_state,
    schedule,
    set_rate,
    weight_optimiser,
)
from workers.recording import recorded_pass
from workers.steering import Fixed, State, Steer, bit_optimiser
from workers.tally import EpochPart, Tally

EPOCH_SEED_STRIDE = 1_000_003
"""Far more than any number of epochs, so that the seeds of (seed, epoch) pairs never meet."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EpochSums:
    """What one epoch of training adds up to."""

    loss: float
    accuracy: float
    learning_rate: float
    data_wait_share: float  # of the seconds of its steps, how many passed waiting for data
    seconds: float
    renewals: Mapping[str, int]  # of the step sizes of each searched layer


def never() -> bool:
    """What trains whole epochs is asked to pause."""
    return False


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
        stages: tuple[Stage, ...],
        bounds: Bounds,
        placement: Placement,
        replicas: Replicas = ALONE,
    ) -> None:
        self.spec = spec
        self.network = placement.place(network)
        self.layers = layers
        self.data = data
        self.seed = seed
        self.stages = stages
        self.placement = placement
        self.replicas = replicas
        network.replicate(replicas)
        recorded = recorded_pass(spec, network, placement)
        self.passes = Passes(network, spec.training, placement, replicas, recorded=recorded)
        self.weights = weight_optimiser(network, spec.training)
        self.step_sizes = list(network.step_size_parameters())
        self.freezing = Freezing(
            network=self.network,
            layers=layers,
            bounds=bounds,
            images=data.validation,
            placement=placement,
            replicas=replicas,
            renewal=spec.training.renewal,
        )
        self._enter(stages[0])

    @property
    def epochs(self) -> int:
        """The epochs of all its stages."""
        return self.stages[-1].end

    def start(self) -> Progress:
        """The progress before the first epoch."""
        return self._begun(Progress(epoch=0, step=0, samples=0, allocation=None, steering=None))

    def run_epoch(self, progress: Progress) -> tuple[Progress, EpochSums]:
        """Train to the end of the epoch. Raises NanLossError when the loss is no longer a number."""
        progress, sums = self.run_part(progress, never)
        if sums is None:
            raise RuntimeError("an epoch that nobody pauses comes to its end")
        return progress, sums

    def run_part(self, progress: Progress, pause: Callable[[], bool]) -> tuple[Progress, EpochSums | None]:
        """Train until `pause` says so between two steps, at most to the end of the epoch.

        There are sums once the epoch has ended. Raises NanLossError when the loss is no longer a number.
        """
        began = time.perf_counter()
        if progress.part is None and progress.epoch == self.stage.end:
            progress = self._descend(progress)
        loader = self._loader(progress)
        tally, limits = Tally(self.placement.device, progress.step, progress.part), self.stage.steering.limits
        if progress.part is None:
            progress = self.freezing.before_epoch(progress, limits, tally)
        self.network.train()
        left, rate = len(loader), 0.0
        with closing(iter(loader)) as batches:
            for batch in batches:
                step = progress.step - self.plan.first_step
                rate = set_rate(self.weights, self.spec.training, step, self.plan.steps, self.stage.peak)
                progress = self._step(batch, progress, tally)
                left -= 1
                if left and self._agreed(pause):
                    break
        if not left and progress.epoch + 1 == self.stage.end:
            progress = self.freezing.at_end(progress, limits, tally)
        part = tally.part(seconds=time.perf_counter() - began, waited=loader.waited)
        self.replicas.require_alike(self.network.state_dict().values())
        if left:
            return replace(progress, part=part), None
        return replace(progress, epoch=progress.epoch + 1, part=None), _sums(part, rate)

    def _agreed(self, pause: Callable[[], bool]) -> bool:
        """Whether to pause, as the first replica has it: the others' clocks are not the same."""
        if pause is never or self.replicas.size == 1:
            return pause()
        asked = torch.tensor([float(pause())], device=self.placement.device)
        self.replicas.follow_first([asked])
        return bool(asked.item())

    def state(self) -> dict[str, torch.Tensor]:
        """Every tensor that a resumed training needs."""
        tensors = {f"network.{name}": value for name, value in self.network.state_dict().items()}
        tensors |= {f"weights.{name}": value for name, value in flat_state(self.weights).items()}
        if self.bits is not None:
            tensors |= {f"bits.{name}": value for name, value in flat_state(self.bits).items()}
        return tensors

    def restore(self, tensors: Mapping[str, torch.Tensor], progress: Progress) -> None:
        """Take up the state of an earlier attempt."""
        begun = 0 if progress.part is None else 1
        self._enter(stage_at(self.stages, progress.epoch + begun))
        if progress.allocation is not None:
            self.network.freeze(progress.allocation)
        self.network.load_state_dict(_under("network.", tensors))
        restore_state(self.weights, _under("weights.", tensors))
        if self.bits is not None:
            restore_state(self.bits, _under("bits.", tensors))

    def _step(self, batch: Batch, progress: Progress, tally: Tally) -> Progress:
        learning = progress.allocation is None and self.bits is not None
        self.weights.zero_grad(set_to_none=True)
        if learning and self.bits is not None:
            self.bits.zero_grad(set_to_none=True)
        loss, right = self.passes.run(batch, learning=learning)
        steering = progress.steering
        if learning and self.bits is not None:
            steering = self._step_bits(self.bits, progress, tally)
        bounded_step(self.weights, self.step_sizes)
        self.network.constrain()
        tally.add(loss, right, len(batch.y_B))
        samples = progress.samples + len(batch.y_B)
        progress = replace(progress, step=progress.step + 1, samples=samples, steering=steering)
        return self._frozen_when_learned(progress, tally)

    def _step_bits(self, bits: torch.optim.Optimizer, progress: Progress, tally: Tally) -> State:
        """Add the gradients of the penalty, step the bits, and let step sizes follow."""
        passed = (progress.step - self.plan.first_step) / self.plan.learning_steps
        penalty, steering = self.steer.penalty(progress.steering, passed, progress.rates)
        if penalty.requires_grad:
            penalty.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        self.steer.set_rate(bits, self.spec.training, passed)
        bits.step()
        self.network.constrain()
        if self.steer.renews(steering, progress.epoch):
            tally.add_renewals(self.network.renew(self.spec.training.renewal))
            self.freezing.agree()
        return steering

    def _frozen_when_learned(self, progress: Progress, tally: Tally) -> Progress:
        learned = progress.step - self.plan.first_step >= self.plan.learning_steps
        if progress.allocation is None and learned:
            return self.freezing.learned(progress, self.stage.steering.limits, tally)
        return progress

    def _loader(self, progress: Progress) -> Loader:
        """The batches of the epoch that are left."""
        epoch = progress.epoch
        preparation = Preparation(
            self.data.train,
            classes=self.data.classes,
            augmentation=Augmentation(**self.spec.training.augment.model_dump()),
            draws=Draws(seed=self.seed, epoch=epoch),
            device=self.placement.device,
        )
        generator = torch.Generator().manual_seed(self.seed * EPOCH_SEED_STRIDE + epoch)
        first = 0 if progress.part is None else progress.part.steps
        return Loader(preparation, self.spec.training.batch_size, generator=generator, first=first)

    def _enter(self, stage: Stage) -> None:
        """Take up what a stage has of its own."""
        self.stage = stage
        self.steer = Steer(stage.steering, self.network, self.layers)
        self.plan = self._plan(stage)
        self.bits = bit_optimiser(stage.steering, self.network, self.spec.training, self.plan)

    def _descend(self, progress: Progress) -> Progress:
        """Go on to the next stage, whose bits start from those that the last one froze."""
        self.network.thaw()
        self._enter(stage_at(self.stages, progress.epoch + 1))
        return self._begun(progress)

    def _begun(self, progress: Progress) -> Progress:
        """The progress at the beginning of a stage; a given allocation is frozen at once."""
        given = self.stage.allocation
        if given is not None:
            self.network.freeze(given)
        return replace(progress, allocation=given, steering=self.steer.start(progress.rates))

    def _plan(self, stage: Stage) -> Schedule:
        steps_per_epoch = sum(1 for _ in range(0, len(self.data.train.y_N), self.spec.training.batch_size))
        return schedule(
            stage.end - stage.first_epoch,
            steps_per_epoch,
            learns_bits=not isinstance(stage.steering, Fixed),
            first_step=stage.first_epoch * steps_per_epoch,
        )


def _sums(part: EpochPart, rate: float) -> EpochSums:
    """Of an epoch that is whole; `rate` is the learning rate of its last step."""
    return EpochSums(
        loss=part.loss / part.samples,
        accuracy=part.right / part.samples,
        learning_rate=rate,
        data_wait_share=min(1.0, part.waited / part.seconds),
        seconds=part.seconds,
        renewals=part.renewals,
    )


def _under(prefix: str, tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
