"""Seeded losses of short trainings; they change only with a reason, which the commit that changes them gives.

The tolerance leaves room for other processors' order of summation, not for another method.
"""

import json
from pathlib import Path

import pytest

from models.allocation import Allocation, LayerBits
from models.cost import Limit
from search.job import JobSpec
from search.strategy import FixedBits, LearnBits, proposal_to_json
from workers.planning import plan_job
from workers.report import TrialRequest
from workers.trial import run_trial

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "losses.json").read_text())


def job(architecture):
    return JobSpec(
        name="golden",
        architecture={"name": architecture, "width": 4},
        dataset={"name": "digits", "train_samples": 200},
        budget={"max": [3]},
        training={"epochs": 3, "batch_size": 32},
    )


def proposal(kind, spec, folder):
    if kind == "learned":
        return LearnBits(budget=Limit(metric="bit_budget", maximum=3.0), note={})
    layers = [layer.name for layer in plan_job(spec, folder).layers if layer.fixed is None]
    bits = LayerBits.uniform(steps=2, spike_bits=2, weight_bits=3)
    return FixedBits(allocation=Allocation(layers=dict.fromkeys(layers, bits)), note={})


@pytest.mark.parametrize("architecture", ["conv-net", "resnet20"])
@pytest.mark.parametrize("kind", ["fixed", "learned"])
def test_training_losses_are_the_recorded_ones(tmp_path, architecture, kind):
    spec = job(architecture)
    stored = proposal_to_json(proposal(kind, spec, tmp_path))
    request = TrialRequest(trial_id="trial-golden", spec=spec.to_json(), proposal=stored, seed=0)
    reports = []
    run_trial(request, checkpoints=tmp_path, data_folder=tmp_path, threads=1, report=reports.append)
    losses = [report.train_loss for report in reports]
    assert losses == pytest.approx(GOLDEN[f"{architecture}-{kind}"], rel=0.02)
