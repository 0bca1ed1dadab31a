"""Seeded losses of short trainings; they change only with a reason, which the commit that changes them gives.

They are trained in float64, from given weights and step sizes. Quantizers turn a rounding error at a level's
edge into a whole level, so in float32 two processors' orders of summation part within an epoch; in
float64 hardly any value is that near an edge, and the tolerance holds for every processor.
"""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from models.allocation import Allocation, LayerBits
from models.cost import Limit
from search.job import JobSpec
from search.strategy import FixedBits, LearnBits, proposal_to_json
from workers.planning import plan_job
from workers.report import TrialRequest
from workers.trial import TrialRun

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "losses.json").read_text())


def job(architecture):
    return JobSpec(
        name="golden",
        architecture={"name": architecture, "width": 4},
        dataset={"name": "digits", "train_samples": 200},
        budget={"max": [3]},
        training={
            "epochs": 3,
            "batch_size": 32,
            "renewal": "closed_form",
        },  # a search's grid puts values on edges
    )


def proposal(kind, spec, folder):
    if kind == "learned":
        return LearnBits(budget=Limit(metric="bit_budget", maximum=3.0), note={})
    layers = [layer.name for layer in plan_job(spec, folder).layers if layer.fixed is None]
    bits = LayerBits.uniform(steps=2, spike_bits=2, weight_bits=3)
    return FixedBits(allocation=Allocation(layers=dict.fromkeys(layers, bits)), note={})


def in_float64(run):
    """The same training in float64, from a start that is the same on any processor."""
    network = run.trainer.network.double()
    network.body.register_forward_pre_hook(lambda _, inputs: (inputs[0].double(),))
    random = np.random.default_rng(0)
    for parameter in network.weight_parameters():
        spread = (2 / parameter[0].numel()) ** 0.5 if parameter.dim() > 1 else 0.1
        drawn = torch.from_numpy(random.standard_normal(parameter.shape)) * spread
        parameter.data.mul_(parameter.dim() == 1).add_(drawn)
    for layer in network.layers.values():
        start(layer.quantizer, layer.quantizer.step_size, reach=0.77)
        start(layer.neuron, layer.neuron.step_sizes, reach=2.7)
    return run


def start(quantizer, step_sizes, reach):
    """Step sizes off the grid of `least_error`, which puts the largest value of a tensor on an edge."""
    widths = torch.tensor(quantizer.bits.whole())
    step_sizes.data.copy_(reach / 2.0**widths)
    quantizer.fitted_bits.copy_(widths)


def losses(request, folder):
    """Of every epoch; after the first the training goes on in another trainer."""
    first, second = (opened(request, folder / name) for name in ("first", "second"))
    found = [first.step().train_loss]
    second.trainer.restore(first.trainer.state(), first.progress)
    second.progress = first.progress
    while not second.finished:
        found.append(second.step().train_loss)
    return found


def opened(request, folder):
    return in_float64(TrialRun(request, checkpoints=folder, data_folder=folder, threads=1))


@pytest.mark.parametrize("architecture", ["conv-net", "resnet20"])
@pytest.mark.parametrize("kind", ["fixed", "learned"])
def test_training_losses_are_the_recorded_ones(tmp_path, architecture, kind):
    spec = job(architecture)
    stored = proposal_to_json(proposal(kind, spec, tmp_path))
    request = TrialRequest(trial_id="trial-golden", spec=spec.to_json(), proposal=stored, seed=0)
    assert losses(request, tmp_path) == pytest.approx(GOLDEN[f"{architecture}-{kind}"], rel=1e-4)
