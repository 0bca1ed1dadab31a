"""Exports of points: rebuild a trained network from what is stored, export it, verify an export."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from models.allocation import Allocation, LayerBits
from models.cost import WEIGHTLESS_BITS, LayerShape, Scope, costs
from models.errors import CheckpointDamagedError, ExportDamagedError
from models.export import Export, InputSpec, IntegerNetwork, make_export
from models.export.compare import Comparer, Comparison
from models.export.files import Contents
from models.export.formats import Format, contents_as, real_network
from models.export.nodes import AttentionNode, LayerNode
from models.nets import Network
from search.job import JobSpec
from search.strategy import proposal_from_json
from workers.checkpoints import Readable, read_tensors
from workers.data import Splits
from workers.data.batches import batches
from workers.data.samples import Samples
from workers.steering import learning_bounds
from workers.trial import spec_network, spec_splits

VERIFY_BATCH = 32
SCOPES: tuple[Scope, ...] = ("searched", "all")


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainedPoint:
    """A stored point, as far as its network depends on it."""

    spec: Mapping[str, Any]
    proposal: Mapping[str, Any]
    checkpoint: Readable
    checkpoint_sha256: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Verification:
    """What running an export on the test set has shown; costs by scope and metric, measured on what moved."""

    comparison: Comparison
    costs: Mapping[str, Mapping[str, float]]


def export_point(point: TrainedPoint, data_folder: Path, facts: Mapping[str, Any]) -> Export:
    """The integer export of a point.

    Raises CheckpointDamagedError, StorageError, ExportUnsupportedError, DataMissingError, DataDamagedError.
    """
    splits = point_splits(point, data_folder)
    return make_export(trained_network(point, splits), input_spec(splits), facts)


def point_as(form: Format, point: TrainedPoint, data_folder: Path, facts: Mapping[str, Any]) -> Contents:
    """The files of a point in an open format. Raises as `export_point` does."""
    splits = point_splits(point, data_folder)
    network = trained_network(point, splits)
    return contents_as(form, real_network(network, input_spec(splits), facts))


def point_splits(point: TrainedPoint, data_folder: Path) -> Splits:
    """The data that a point was trained on."""
    return spec_splits(JobSpec.model_validate(point.spec), data_folder)


def check_point(point: TrainedPoint) -> None:
    """Raises ExportDamagedError where an export names a job or a proposal that cannot be one."""
    try:
        JobSpec.model_validate(point.spec)
        proposal_from_json(point.proposal)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ExportDamagedError("the manifest names a job or a proposal that is none.") from error


def trained_network(point: TrainedPoint, splits: Splits) -> Network:
    """The network of a point in evaluation mode. Raises CheckpointDamagedError."""
    proposal = proposal_from_json(point.proposal)
    spec = JobSpec.model_validate(point.spec).on(proposal.settings)
    options = spec.layer_options(temporal=splits.frames > 0)
    bounds = learning_bounds(proposal, options)
    network = spec_network(spec, splits, replace(options, bounds=bounds, weight_per=bounds.weight_per))
    tensors = read_tensors(point.checkpoint, point.checkpoint_sha256)
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        raise CheckpointDamagedError("the checkpoint does not fit the network of its job.") from error
    return network.eval()


def input_spec(splits: Splits) -> InputSpec:
    """What the samples of a data set are, and how they are scaled."""
    scaling = splits.test.scaling
    return InputSpec(
        shape=splits.sample_shape,
        frames=splits.frames,
        stored="uint8" if splits.test.stored.dtype == np.uint8 else "float32",
        limit=0,  # the export finds it
        mean_C=scaling.mean_C11.flatten().numpy(),
        scale_C=scaling.scale_C11.flatten().numpy(),
    )


def verify(
    export: Export, network: Network, test: Samples, tell: Callable[[int], None] = lambda samples: None
) -> Verification:
    """Run an export and the network that it was made from over a test set; `tell` hears of samples done."""
    comparer = Comparer(IntegerNetwork(export), network)
    for x, y_B in batches(test, VERIFY_BATCH):
        comparer.add(x, y_B)
        tell(comparer.result.samples)
    return Verification(comparison=comparer.result, costs=measured_costs(export, comparer.result))


def check_data(export: Export, splits: Splits) -> None:
    """Raises ExportDamagedError where an export is of other data than these."""
    given, found = export.input, input_spec(splits)
    same = (given.shape, given.frames, given.stored) == (found.shape, found.frames, found.stored)
    scaled = np.array_equal(given.mean_C, found.mean_C) and np.array_equal(given.scale_C, found.scale_C)
    if not same or not scaled:
        raise ExportDamagedError(
            "the export is of another data set than its job names, or scales it otherwise."
        )


def measured_costs(export: Export, comparison: Comparison) -> Mapping[str, Mapping[str, float]]:
    """The costs of an export from the shapes and the integers that moved through it."""
    rows, rates, partners = [], {}, _partners(export)
    for node in export.layers:
        tally = comparison.layers[node.name]
        moved = tally.values // comparison.samples
        rows.append(_row(export, node, moved // node.steps, partners.get(node.name)))
        rates[node.name] = [count * node.steps / tally.values for count in tally.nonzero_T]
    bits = {node.name: layer_bits(node) for node in export.layers if node.searched}
    return {scope: costs(rows, Allocation(layers=bits), scope, rates) for scope in SCOPES}


def layer_bits(node: LayerNode) -> LayerBits:
    """The bits of a layer of an export."""
    widths = node.weight_bits or (WEIGHTLESS_BITS,)
    bits = LayerBits(steps=node.steps, spike_bits=node.spike_bits, weight_bits=widths[0])
    return bits if len(widths) == 1 else bits.with_channels(widths)


def _row(export: Export, node: LayerNode, inputs: int, partner: str | None) -> LayerShape:
    weights = prod(node.weight_shape) if node.weight_shape else 0
    shape = export.edges[node.name].shape
    return LayerShape(
        name=node.name,
        kind="attention" if node.op == "operand" else node.op,
        macs=inputs * prod(shape[1:]) if partner else prod(shape) * weights // node.channels,
        weights=weights,
        inputs=inputs,
        biases=node.channels if weights else 0,
        fixed=None if node.searched else layer_bits(node),
        partner=partner,
    )


def _partners(export: Export) -> Mapping[str, str]:
    """Whose spikes those of an operand are multiplied with, as `models.nets.attention` counts them."""
    found = [node for node in export.nodes if isinstance(node, AttentionNode)]
    return {node.query: node.key for node in found} | {node.value: node.query for node in found}
