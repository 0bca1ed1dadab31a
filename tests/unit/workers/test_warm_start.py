"""A float twin trains with the job's recipe, and its checkpoint starts trials of the job."""

import pytest
import torch

from models.allocation import Allocation, LayerBits
from models.errors import DataDamagedError, DataMissingError, InvalidInputError
from search.job import JobSpec
from search.strategy import FixedBits, proposal_to_json
from workers.planning import plan_job
from workers.report import TrialRequest
from workers.trial import TrialRun
from workers.twin import train_twin
from workers.warm_start import save_warm_start, warm_start_path


def job(width=4, **training):
    return JobSpec(
        name="small",
        architecture={"name": "conv-net", "width": width},
        dataset={"name": "digits", "train_samples": 200},
        budget={"max": [2]},
        methods=["random"],
        training={"epochs": 2, "batch_size": 32, **training},
    )


def twin(folder, **training):
    return train_twin(job(**training), seed=0, data_folder=folder, threads=1)


def started(spec, folder):
    layers = [layer.name for layer in plan_job(job(), folder).layers if layer.fixed is None]
    bits = LayerBits.uniform(steps=1, spike_bits=4, weight_bits=4)
    proposal = FixedBits(allocation=Allocation(layers=dict.fromkeys(layers, bits)), note={})
    request = TrialRequest(trial_id="t", spec=spec.to_json(), proposal=proposal_to_json(proposal), seed=0)
    return TrialRun(request, checkpoints=folder, data_folder=folder, threads=1)


def test_a_twin_trains_with_the_jobs_recipe_from_the_weights_of_its_trials(tmp_path):
    losses = []
    found = train_twin(
        job(epochs=8),
        seed=0,
        data_folder=tmp_path,
        threads=1,
        report=lambda _, sums: losses.append(sums.loss),
    )
    assert len(losses) == 8
    assert losses[-1] < losses[0] / 2
    assert found.test_accuracy > 0.7
    assert not found.network.layers
    assert torch.equal(_kernel(twin(tmp_path).network), _kernel(twin(tmp_path).network))


def test_a_trial_starts_from_the_weights_and_norms_of_a_twin(tmp_path):
    trained = twin(tmp_path).network
    save_warm_start(trained, "mine", tmp_path)
    network = started(job(warm_start="mine"), tmp_path).trainer.network
    assert torch.equal(_kernel(network), _kernel(trained))
    ours, theirs = network.state_dict(), trained.state_dict()
    assert all(torch.equal(ours[name], value) for name, value in theirs.items())
    assert not torch.equal(_kernel(started(job(), tmp_path).trainer.network), _kernel(trained))


def test_other_bytes_are_other_results(tmp_path):
    save_warm_start(twin(tmp_path).network, "mine", tmp_path)
    first = plan_job(job(warm_start="mine"), tmp_path).data_stamp
    assert first != plan_job(job(), tmp_path).data_stamp
    save_warm_start(twin(tmp_path, lr=0.05).network, "mine", tmp_path)
    assert plan_job(job(warm_start="mine"), tmp_path).data_stamp != first


def test_what_does_not_fit_is_listed(tmp_path):
    save_warm_start(twin(tmp_path).network, "mine", tmp_path)
    with pytest.raises(
        InvalidInputError, match=r"body.convs.0.operator.weight \[4, 1, 3, 3\] for \[8,"
    ) as caught:
        plan_job(job(width=8, warm_start="mine"), tmp_path)
    assert caught.value.pointer == "/training/warm_start"
    spec = JobSpec.model_validate({**job(warm_start="mine").to_json(), "architecture": {"name": "resnet20"}})
    with pytest.raises(InvalidInputError, match=r"missing: body.conv.operator.weight.* and \d+ more"):
        plan_job(spec, tmp_path)


def test_it_has_to_fit_every_architecture_of_a_search_space(tmp_path):
    save_warm_start(twin(tmp_path).network, "mine", tmp_path)
    open_ = {**job(warm_start="mine").to_json(), "architecture": {"name": "conv-net"}}
    with pytest.raises(InvalidInputError, match="does not fit") as caught:
        plan_job(JobSpec.model_validate({**open_, "search_space": {"width": [4, 8]}}), tmp_path)
    assert caught.value.pointer == "/training/warm_start"


def test_a_missing_and_a_damaged_warm_start_are_told_apart(tmp_path):
    with pytest.raises(DataMissingError, match="mine") as caught:
        plan_job(job(warm_start="mine"), tmp_path)
    assert caught.value.pointer == "/training/warm_start"
    path = warm_start_path("mine", tmp_path)
    path.parent.mkdir()
    path.write_bytes(b"not tensors")
    with pytest.raises(DataDamagedError, match="no safetensors file"):
        plan_job(job(warm_start="mine"), tmp_path)


def _kernel(network):
    return network.state_dict()["body.convs.1.operator.weight"]
