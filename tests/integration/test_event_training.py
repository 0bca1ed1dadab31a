"""A trial on event data learns from it: frames of a simulated camera, layers with fewer and as many steps."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.allocation import Allocation, LayerBits
from models.cost import Limit
from search.job import JobSpec
from search.strategy import FixedBits, LearnBits, Proposal, proposal_to_json
from workers.planning import plan_job
from workers.report import PointResult, TrialRequest
from workers.trial import TrialRun, run_trial

FRAMES, CHANCE = 4, 0.1
JOB = JobSpec(
    name="events",
    architecture={"name": "conv-net", "width": 8},
    dataset={"name": "event-digits", "train_samples": 400, "frames": FRAMES},
    budget={"max": [8]},
    training={"epochs": 4, "batch_size": 32},
)
NEURON = {"leak": 0.8, "learn_leak": True, "threshold_shift": True}


def trained(proposal: Proposal, folder: Path) -> PointResult:
    request = TrialRequest(trial_id="events", spec=JOB.to_json(), proposal=proposal_to_json(proposal), seed=0)
    outcome = run_trial(request, checkpoints=folder, data_folder=folder, threads=1, report=print)
    return outcome.points[0]


@pytest.mark.parametrize("steps", [2, FRAMES])
def test_fixed_bits_reach_well_above_chance(tmp_path: Path, steps: int) -> None:
    bits = LayerBits.uniform(steps=steps, spike_bits=3, weight_bits=4)
    layers = plan_job(JOB, tmp_path).layers
    allocation = Allocation(layers={layer.name: bits for layer in layers if layer.fixed is None})
    assert trained(FixedBits(allocation=allocation, note={}), tmp_path).test_accuracy > 5 * CHANCE


def test_tet_trains_every_frame_and_resumes_bit_for_bit(tmp_path: Path) -> None:
    recipe = {"epochs": 2, "batch_size": 32, "loss": "tet", "accumulate": 2, "neuron": NEURON}
    spec = JobSpec.model_validate({**JOB.to_json(), "training": recipe})
    wanted = TrialRequest(
        trial_id="events",
        spec=spec.to_json(),
        proposal=proposal_to_json(LearnBits(budget=Limit(metric="bit_budget", maximum=8), note={})),
        seed=0,
    )
    places = {"checkpoints": tmp_path / "cut", "data_folder": tmp_path, "threads": 1}
    TrialRun(wanted, **places).step()
    cut = run_trial(wanted, **places, report=print)
    whole = run_trial(wanted, **{**places, "checkpoints": tmp_path / "whole"}, report=print)
    assert cut.points == whole.points


def test_learned_bits_keep_their_budget_and_reach_well_above_chance(tmp_path: Path) -> None:
    limit = Limit(metric="bit_budget", maximum=8)
    point = trained(LearnBits(budget=limit, note={}), tmp_path)
    assert point.costs["searched"]["bit_budget"] <= limit.maximum
    assert point.test_accuracy > 4 * CHANCE
