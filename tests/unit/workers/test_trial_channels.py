"""A trial that learns weight bits per output channel."""

import pytest
import torch

from models.allocation import Allocation
from models.cost import Limit, costs
from models.targets import Targets
from search.job import JobSpec
from search.strategy import FixedBits, LearnBits, LearnTargets, proposal_to_json
from workers.checkpoints import read_tensors
from workers.planning import plan_job
from workers.report import TrialRequest
from workers.trial import TrialRun, run_trial

JOB = JobSpec(
    name="channels",
    architecture={"name": "conv-net", "width": 4},
    dataset={"name": "digits", "train_samples": 128},
    budget={"max": [3]},
    bits={"weight_per": "channel"},
    training={"epochs": 2, "batch_size": 32},
)
BUDGET = Limit(metric="bit_budget", maximum=3.0)
PROPOSALS = {
    "budget": LearnBits(budget=BUDGET, note={}),
    "targets": LearnTargets(budget=BUDGET, targets=Targets(weight=2.0, spike=1.5, steps=1.2), note={}),
}


def run(proposal, folder, spec=JOB, epochs_before=0):
    request = TrialRequest(trial_id="a", spec=spec.to_json(), proposal=proposal_to_json(proposal), seed=0)
    first = TrialRun(request, checkpoints=folder, data_folder=folder, threads=1)
    for _ in range(epochs_before):
        first.step()
    outcome = run_trial(request, checkpoints=folder, data_folder=folder, threads=1, report=lambda _: None)
    (point,) = outcome.points
    return point, read_tensors(folder / "a" / point.checkpoint, point.checkpoint_sha256)


@pytest.mark.parametrize("renewal", ["closed_form", "search"])
@pytest.mark.parametrize("name", PROPOSALS)
def test_it_keeps_its_budget_and_resumes_bit_for_bit(tmp_path, name, renewal):
    spec = JobSpec.model_validate(
        {**JOB.to_json(), "training": {**JOB.to_json()["training"], "renewal": renewal}}
    )
    point, weights = run(PROPOSALS[name], tmp_path / "whole", spec)
    for epochs in (1, 2):
        resumed, their_weights = run(PROPOSALS[name], tmp_path / f"cut {epochs}", spec, epochs)
        assert resumed == point
        assert all(torch.equal(weights[key], their_weights[key]) for key in weights)
    layers, allocation = plan_job(spec, tmp_path).layers, Allocation.from_json(point.allocation)
    assert {name: len(bits.channel_bits) for name, bits in allocation} == {
        layer.name: layer.biases for layer in layers if layer.fixed is None
    }
    assert point.costs["searched"] == pytest.approx(costs(layers, allocation, "searched", point.rates))
    assert point.costs["searched"]["bit_budget"] <= BUDGET.maximum


def test_channels_learn_widths_that_differ_and_the_checkpoint_holds_a_step_size_of_each(tmp_path):
    point, weights = run(PROPOSALS["budget"], tmp_path)
    (name, bits), *_ = Allocation.from_json(point.allocation)
    assert len(set(bits.channel_bits)) > 1
    assert len(weights[f"body.{name}.quantizer.step_size"]) == len(bits.channel_bits)
    assert weights[f"body.{name}.quantizer.bits.real"].tolist() == list(bits.channel_bits)


def test_a_given_allocation_trains_per_layer_or_per_channel_as_it_is(tmp_path):
    found, _ = run(PROPOSALS["budget"], tmp_path / "learned")
    for given in (Allocation.from_json(found.allocation), flat(Allocation.from_json(found.allocation))):
        point, _ = run(FixedBits(allocation=given, note={}), tmp_path / given.weight_per)
        assert Allocation.from_json(point.allocation) == given


def flat(allocation):
    """The same with one width per layer."""
    stored = allocation.to_json()
    return Allocation.from_json(
        {
            name: {key: value for key, value in bits.items() if key != "channel_bits"}
            for name, bits in stored.items()
        }
    )
