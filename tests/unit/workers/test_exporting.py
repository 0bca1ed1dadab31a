"""Networks that were really trained: their exports are equal on the whole test set, at the stored costs."""

from __future__ import annotations

import onnxruntime
import pytest
import torch

from models.errors import CheckpointDamagedError
from models.export import contents_of, export_of
from search.job import JobSpec
from workers.exporting import TrainedPoint, export_point, point_as, point_splits, trained_network, verify
from workers.report import TrialRequest
from workers.trial import run_trial

SMALL = 1e-9
CASES = {
    "conv-net": ({"name": "conv-net", "width": 8}, {"name": "digits"}, 5),
    "chosen architecture": ({"name": "conv-net"}, {"name": "digits", "train_samples": 300}, 2),
    "resnet20": ({"name": "resnet20", "width": 4}, {"name": "digits", "train_samples": 300}, 2),
    "resnet18 per channel": ({"name": "resnet18", "width": 2}, {"name": "digits", "train_samples": 300}, 2),
    "events": ({"name": "vggsnn", "width": 2}, {"name": "event-digits", "train_samples": 200}, 2),
    "attention, leaky": (
        {"name": "spikformer", "width": 16, "heads": 2, "depth": 1, "patch_stages": 1},
        {"name": "digits", "train_samples": 300},
        2,
    ),
}
CHOSEN = {"depth": 4, "width": 8}
"""Neither the first of its search space nor the network's own."""
LEAKY = {"leak": 0.9, "learn_leak": True, "threshold_shift": True}


@pytest.fixture(params=CASES, scope="module")
def trained(request, tmp_path_factory):
    """A short trial that learned its bits: its outcome, what a store keeps of it, and the folder."""
    architecture, dataset, epochs = CASES[request.param]
    chosen = request.param == "chosen architecture"
    spec = JobSpec.model_validate(
        {
            "name": "small",
            "architecture": architecture,
            "search_space": {name: [3, value] for name, value in CHOSEN.items()} if chosen else {},
            "dataset": dataset,
            "budget": {"max": [6]},
            "bits": {"weight_per": "channel" if "channel" in request.param else "layer"},
            "training": {
                "epochs": epochs,
                "batch_size": 50,
                "neuron": LEAKY if "leaky" in request.param else {},
            },
        }
    ).to_json()
    budget = {"metric": "bit_budget", "maximum": 6.0, "scope": "searched"}
    settings = {"settings": CHOSEN} if chosen else {}
    proposal = {"kind": "learn_bits", "budget": budget, "note": {}, **settings}
    folder = tmp_path_factory.mktemp("trial")
    asked = TrialRequest(trial_id="a", spec=spec, proposal=proposal, seed=0)
    outcome = run_trial(asked, checkpoints=folder, data_folder=folder, threads=1, report=lambda _: None)
    (result,) = outcome.points
    checkpoint = folder / "a" / result.checkpoint
    point = TrainedPoint(
        spec=spec, proposal=proposal, checkpoint=checkpoint, checkpoint_sha256=result.checkpoint_sha256
    )
    return result, point, folder


def test_an_export_is_equal_on_the_whole_test_set(trained):
    result, point, folder = trained
    export = export_of(contents_of(export_point(point, folder, {})))
    splits = point_splits(point, folder)
    heard: list[int] = []
    found = verify(export, trained_network(point, splits), splits.test, heard.append)
    assert heard == sorted(heard)
    assert heard[-1] == len(splits.test)
    comparison = found.comparison
    assert comparison.equal
    assert comparison.samples == len(splits.test)
    rounded = comparison.predictions_differ_float32 / comparison.samples  # of them, what float32 made another
    assert comparison.correct / comparison.samples == pytest.approx(result.test_accuracy, abs=rounded + SMALL)
    values = sum(tally.values for tally in comparison.layers.values())
    assert sum(tally.differ_float64 for tally in comparison.layers.values()) == 0
    assert sum(tally.differ_float32 for tally in comparison.layers.values()) <= 1e-3 * values
    for scope, costs in result.costs.items():
        for metric in ("bit_budget", "s_ace", "weight_kib", "spike_kib"):
            assert found.costs[scope][metric] == pytest.approx(costs[metric], rel=1e-12)
        assert found.costs[scope]["sops"] > 0


def test_onnxruntime_predicts_what_the_network_does_on_the_whole_test_set(trained):
    result, point, folder = trained
    splits = point_splits(point, folder)
    contents = point_as("onnx", point, folder, {"point": "point-0"})
    session = onnxruntime.InferenceSession(contents["network.onnx"], providers=["CPUExecutionProvider"])
    classes, wanted, test = [], [], splits.test
    network = trained_network(point, splits)
    for places in torch.arange(len(test)).split(100):
        (logits,) = session.run(None, {"samples": test.stored[test.places_N[places.numpy()]]})
        classes.append(torch.from_numpy(logits).argmax(1))
        with torch.inference_mode():
            wanted.append(network(test.take(places)).argmax(1))
    assert torch.equal(torch.cat(classes), torch.cat(wanted))
    right = (torch.cat(classes) == test.y_N).double().mean().item()
    assert right == pytest.approx(result.test_accuracy, abs=2 / len(test) + SMALL)  # float32 in other batches


def test_a_checkpoint_that_is_another_is_refused(trained, tmp_path):
    _, point, folder = trained
    other = tmp_path / "other.safetensors"
    other.write_bytes(point.checkpoint.read_bytes() + b"0")
    changed = TrainedPoint(
        spec=point.spec, proposal=point.proposal, checkpoint=other, checkpoint_sha256=point.checkpoint_sha256
    )
    with pytest.raises(CheckpointDamagedError):
        export_point(changed, folder, {})
