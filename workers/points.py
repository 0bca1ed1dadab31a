"""The points of a trial: each is measured once on the validation and the test split, and its network kept."""

from __future__ import annotations

import hashlib

from models.cost import COST_VERSIONS
from models.errors import CheckpointDamagedError
from workers.checkpoints import read_tensors, to_bytes
from workers.costing import point_costs
from workers.evaluation import measure, spike_rates
from workers.places import Place, Stored
from workers.report import PointResult
from workers.training import Trainer


def record_point(trainer: Trainer, folder: Place, *, ordinal: int) -> PointResult:
    """Measure the network as it is now, and keep it as a checkpoint in the trial's folder."""
    network, layers, data, placement = trainer.network, trainer.layers, trainer.data, trainer.placement
    allocation = network.allocation()
    rates = spike_rates(network, data.validation, placement)
    validation = measure(network, data.validation, placement)
    test = measure(network, data.test, placement)
    name, content = f"point-{ordinal}.safetensors", to_bytes(network.state_dict())
    folder.write(name, content)
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
        checkpoint_sha256=hashlib.sha256(content).hexdigest(),
    )


def intact(folder: Place, point: PointResult) -> bool:
    """Whether the checkpoint of a point is still what was recorded. Raises StorageError."""
    try:
        read_tensors(Stored(place=folder, name=point.checkpoint), point.checkpoint_sha256)
    except CheckpointDamagedError:
        return False
    return True
