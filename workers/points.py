"""The points of a trial: each is measured once on the validation and the test split, and its network kept."""

from __future__ import annotations

from pathlib import Path

from models.cost import COST_VERSIONS
from models.errors import CheckpointDamagedError
from workers.checkpoints import read_tensors, write_tensors
from workers.costing import point_costs
from workers.evaluation import measure, spike_rates
from workers.report import PointResult
from workers.training import Trainer


def record_point(trainer: Trainer, folder: Path, *, ordinal: int) -> PointResult:
    """Measure the network as it is now, and keep it as a checkpoint in the trial's folder."""
    network, layers, data, placement = trainer.network, trainer.layers, trainer.data, trainer.placement
    allocation = network.allocation()
    rates = spike_rates(network, data.validation, placement)
    validation = measure(network, data.validation, placement)
    test = measure(network, data.test, placement)
    name = f"point-{ordinal}.safetensors"
    return PointResult(
        allocation=allocation.to_json(),
        costs=point_costs(layers, allocation, rates, trainer.spec.cost_basis()),
        cost_versions=dict(COST_VERSIONS),
        rates=rates,
        validation_accuracy=validation.accuracy,
        test_accuracy=test.accuracy,
        validation_balanced_accuracy=validation.balanced_accuracy,
        test_balanced_accuracy=test.balanced_accuracy,
        validation_loss=validation.loss,
        test_loss=test.loss,
        checkpoint=name,
        checkpoint_sha256=write_tensors(folder / name, network.state_dict()),
    )


def intact(folder: Path, point: PointResult) -> bool:
    """Whether the checkpoint of a point is still what was recorded."""
    try:
        read_tensors(folder / point.checkpoint, point.checkpoint_sha256)
    except CheckpointDamagedError:
        return False
    return True
