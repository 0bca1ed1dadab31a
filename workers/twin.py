"""The float twin of a job's network, trained with the job's own recipe by the one trainer.

Its accuracy is what a search is measured against, and its weights can start one (workers.warm_start).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from models.allocation import Allocation
from models.nets import Network, float_twin
from search.job import JobSpec
from workers.descent import whole
from workers.evaluation import accuracy
from workers.placement import placement_of
from workers.steering import Fixed
from workers.training import EpochSums, Trainer
from workers.trial import spec_network, spec_splits, use_threads


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainedTwin:
    """The twin and its accuracies, 0 to 1."""

    network: Network
    validation_accuracy: float
    test_accuracy: float


def train_twin(
    spec: JobSpec,
    *,
    seed: int,
    data_folder: Path,
    threads: int,
    report: Callable[[int, EpochSums], None] = lambda _epoch, _sums: None,
) -> TrainedTwin:
    """Train the twin from the weights and in the data order that a trial of this seed has.

    `report` gets every epoch, counted from 1. Raises NanLossError, DataMissingError, DataDamagedError and
    InvalidInputError.
    """
    use_threads(threads)
    trainer = _trainer(spec, seed, data_folder)
    progress = trainer.start()
    while progress.epoch < spec.training.epochs:
        progress, sums = trainer.run_epoch(progress)
        report(progress.epoch, sums)
    network, data, placement = trainer.network, trainer.data, trainer.placement
    return TrainedTwin(
        network=network,
        validation_accuracy=accuracy(network, data.validation, placement),
        test_accuracy=accuracy(network, data.test, placement),
    )


def _trainer(spec: JobSpec, seed: int, data_folder: Path) -> Trainer:
    data = spec_splits(spec, data_folder)
    torch.manual_seed(seed)
    options = spec.layer_options(temporal=data.frames > 0)
    network = float_twin(spec_network(spec, data, options))
    return Trainer(
        spec=spec,
        network=network,
        layers=(),
        data=data,
        seed=seed,
        stages=(whole(Fixed(), spec, Allocation(layers={})),),
        bounds=options.bounds,
        placement=placement_of(spec, network),
    )
