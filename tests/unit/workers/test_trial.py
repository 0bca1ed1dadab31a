"""A trial trains, resumes bit for bit, keeps its budget, and fails with its reason."""

import dataclasses
import math
from itertools import pairwise

import pytest
import torch

from models.allocation import Allocation, LayerBits
from models.cost import Limit, costs, mean_bits
from models.errors import NanLossError
from models.targets import Targets
from search.job import JobSpec
from search.strategy import FixedBits, LearnBits, LearnTargets, proposal_to_json
from workers.checkpoints import read_tensors
from workers.planning import plan_job
from workers.report import TrialRequest, TrialStop
from workers.trial import TrialRun, run_trial


def job(**training):
    return JobSpec(
        name="small",
        architecture={"name": "conv-net", "width": 4},
        dataset={"name": "digits", "train_samples": 200},
        budget={"max": [2, 4]},
        training={"epochs": 4, "batch_size": 32, **training},
    )


def request(proposal, spec=None, seed=0, trial_id="trial-a"):
    spec = spec or job()
    return TrialRequest(
        trial_id=trial_id, spec=spec.to_json(), proposal=proposal_to_json(proposal), seed=seed
    )


def uniform(spec, tmp_path, **bits):
    layers = plan_job(spec, tmp_path).layers
    return Allocation(
        layers={layer.name: LayerBits.uniform(**bits) for layer in layers if layer.fixed is None}
    )


def learn(maximum=2.0):
    return LearnBits(budget=Limit(metric="bit_budget", maximum=maximum), note={})


def run(wanted, folder):
    reports = []
    outcome = run_trial(wanted, checkpoints=folder, data_folder=folder, threads=1, report=reports.append)
    return outcome, reports


def weights_of(outcome, folder, trial_id="trial-a"):
    (point,) = outcome.points
    return read_tensors(folder / trial_id / point.checkpoint, point.checkpoint_sha256)


def fixed(folder):
    return FixedBits(allocation=uniform(job(), folder, steps=2, spike_bits=2, weight_bits=3), note={})


def learn_targets(maximum=2.0):
    return LearnTargets(
        budget=Limit(metric="bit_budget", maximum=maximum),
        targets=Targets(weight=2.0, spike=1.5, steps=1.2),
        note={},
    )


def learn_measured(folder):
    spec = job()
    least, greatest = plan_job(spec, folder).cost_ranges["ns_ace"]
    return LearnBits(budget=spec.limit("ns_ace", least + 0.05 * (greatest - least)), note={})


NEURON = {"leak": 0.9, "learn_leak": True, "threshold_shift": True, "signed_spikes": True}
PROPOSALS = {
    "fixed": fixed,
    "learned": lambda _: learn(),
    "targets": lambda _: learn_targets(),
    "measured": learn_measured,
}
RESUMED = {
    "fixed": ("fixed", {}),
    "fixed with every option of the neuron": ("fixed", {"neuron": NEURON}),
    "learned": ("learned", {}),
    "learned with every option of the neuron": ("learned", {"neuron": NEURON}),
    "learned with renewal by search": ("learned", {"renewal": "search"}),
    "learned in bfloat16, in parts": ("learned", {"precision": "bfloat16", "accumulate": 3}),
    "learned with tet on augmented images": (
        "learned",
        {"loss": "tet", "augment": {"crop": 1, "flip": True, "cutout": 2, "policy": "auto", "mixup": 0.2}},
    ),
    "learned under a measured cost": ("measured", {}),
    "targets": ("targets", {}),
    "targets with early end of renewal": ("targets", {"renewal_stop": 0.9, "renewal_min_epoch": 0}),
}
CUTS = [("learned", 1), ("learned", 3), *((name, 2) for name in RESUMED)]


@pytest.mark.parametrize(("name", "epochs_before"), CUTS)
def test_a_resumed_trial_ends_with_the_same_weights_bit_for_bit(tmp_path, name, epochs_before):
    kind, training = RESUMED[name]
    wanted = request(PROPOSALS[kind](tmp_path), job(**training))
    whole, _ = run(wanted, tmp_path / "whole")
    first = TrialRun(wanted, checkpoints=tmp_path / "cut", data_folder=tmp_path, threads=1)
    for _ in range(epochs_before):
        first.step()
    torch.manual_seed(12345)  # a new process would not share this one's random state
    cut, reports = run(wanted, tmp_path / "cut")
    assert [report.epoch for report in reports] == list(range(epochs_before, 5))
    ours, theirs = weights_of(cut, tmp_path / "cut"), weights_of(whole, tmp_path / "whole")
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
    assert dataclasses.replace(cut.points[0]) == whole.points[0]


def test_the_same_request_gives_the_same_result_and_another_seed_another(tmp_path):
    once, _ = run(request(learn()), tmp_path / "once")
    again, _ = run(request(learn()), tmp_path / "again")
    other, _ = run(request(learn(), seed=1), tmp_path / "other")
    assert once == again
    assert once.points[0].checkpoint_sha256 != other.points[0].checkpoint_sha256


def test_nothing_of_a_trial_depends_on_timing_and_no_time_goes_into_filling_memory(tmp_path):
    torch.use_deterministic_algorithms(False)
    torch.utils.deterministic.fill_uninitialized_memory = True
    run(request(learn()), tmp_path)
    assert torch.are_deterministic_algorithms_enabled()
    assert not torch.utils.deterministic.fill_uninitialized_memory


@pytest.mark.parametrize("maximum", [1.0, 1.7, 3.0, 11.0])
def test_a_learned_allocation_is_under_its_budget_and_its_costs_are_those_of_the_cost_module(
    tmp_path, maximum
):
    outcome, _ = run(request(learn(maximum)), tmp_path)
    (point,) = outcome.points
    layers = plan_job(job(), tmp_path).layers
    allocation = Allocation.from_json(point.allocation)
    assert point.costs["searched"]["bit_budget"] <= maximum
    for scope in ("searched", "all"):
        assert point.costs[scope] == pytest.approx(costs(layers, allocation, scope, point.rates))


def test_a_constraint_binds_beside_the_budget(tmp_path):
    spec = JobSpec.model_validate({**job().to_json(), "constraints": [{"metric": "weight_kib", "max": 1.1}]})
    outcome, _ = run(request(learn(16.0), spec), tmp_path)
    assert outcome.points[0].costs["all"]["weight_kib"] <= 1.1


def test_fixed_bits_stay_as_given(tmp_path):
    bits = uniform(job(), tmp_path, steps=3, spike_bits=2, weight_bits=2)
    outcome, reports = run(request(FixedBits(allocation=bits, note={})), tmp_path)
    assert Allocation.from_json(outcome.points[0].allocation) == bits
    assert outcome.samples == 4 * 200
    assert [report.samples for report in reports] == [200, 400, 600, 800]


def test_training_learns_something(tmp_path):
    bits = uniform(job(), tmp_path, steps=1, spike_bits=4, weight_bits=4)
    outcome, reports = run(request(FixedBits(allocation=bits, note={}), job(epochs=8)), tmp_path)
    assert outcome.points[0].test_accuracy > 0.6
    assert reports[-1].train_loss < reports[0].train_loss


def test_a_loss_that_is_no_number_fails_with_that_reason(tmp_path):
    bits = uniform(job(), tmp_path, steps=1, spike_bits=4, weight_bits=4)
    run_ = TrialRun(
        request(FixedBits(allocation=bits, note={})), checkpoints=tmp_path, data_folder=tmp_path, threads=1
    )
    with torch.no_grad():
        next(iter(run_.trainer.network.weight_parameters())).fill_(float("nan"))
    with pytest.raises(NanLossError, match="not a number"):
        run_.step()


def test_a_point_is_measured_with_the_spike_rates_of_every_layer(tmp_path):
    bits = uniform(job(), tmp_path, steps=2, spike_bits=1, weight_bits=2)
    outcome, _ = run(request(FixedBits(allocation=bits, note={})), tmp_path)
    rates = outcome.points[0].rates
    assert list(rates) == [layer.name for layer in plan_job(job(), tmp_path).layers]
    assert all(len(rates[name]) == 2 for name in bits.layers)
    assert all(0 <= rate <= 1 for layer in rates.values() for rate in layer)


@pytest.mark.parametrize("maximum", [1.5, 4.0])
def test_bits_learned_towards_targets_stay_under_the_budget(tmp_path, maximum):
    outcome, _ = run(request(learn_targets(maximum)), tmp_path)
    assert outcome.points[0].costs["searched"]["bit_budget"] <= maximum


def test_targets_draw_the_mean_bits_to_them(tmp_path):
    run_ = TrialRun(
        request(learn_targets(99.0), job(epochs=8)), checkpoints=tmp_path, data_folder=tmp_path, threads=1
    )
    network, layers = run_.trainer.network, run_.trainer.layers
    before = mean_bits(network.loads(layers, "searched"))
    for _ in range(3):
        run_.step()
    after = mean_bits(network.loads(layers, "searched"))
    targets = (2.0, 1.5, 1.2)
    for first, last, target in zip(before, after, targets, strict=True):
        assert abs(last.item() - target) < abs(first.item() - target)


def test_what_is_not_learned_keeps_its_start_and_the_budget_is_kept_by_the_rest(tmp_path):
    spec = JobSpec.model_validate(
        {**job().to_json(), "bits": {"learn": ["weight"], "initial": {"spike": 2, "steps": 1}}}
    )
    outcome, _ = run(request(learn(4.0), spec), tmp_path)
    allocation = Allocation.from_json(outcome.points[0].allocation)
    assert {(bits.steps, bits.spike_bits) for _, bits in allocation} == {(1, (2,))}
    assert outcome.points[0].costs["searched"]["bit_budget"] <= 4.0


def test_an_epoch_tells_the_bits_of_each_layer_where_they_may_change(tmp_path):
    outcome, reports = run(request(learn()), tmp_path)
    told = [report.layer_bits for report in reports]
    assert told[-1] == outcome.points[0].allocation
    assert told[0] != told[-1]
    _, reports = run(request(fixed(tmp_path), trial_id="trial-b"), tmp_path)
    assert [report.layer_bits for report in reports] == [None] * 4


def test_an_epoch_counts_the_renewals_of_each_layer_where_bits_may_change(tmp_path):
    outcome, reports = run(request(learn()), tmp_path)
    told = [report.renewals for report in reports]
    assert all(set(counts) <= set(outcome.points[0].allocation) for counts in told)
    for before, after in pairwise(reports):
        for layer, bits in after.layer_bits.items():
            if bits["weight_bits"] != before.layer_bits[layer]["weight_bits"]:
                assert after.renewals[layer] > 0
    assert sum(map(sum, (counts.values() for counts in told))) > 0
    assert not any(told[-1].values())  # bits are frozen by then
    _, reports = run(request(fixed(tmp_path), trial_id="trial-b"), tmp_path)
    assert [report.renewals for report in reports] == [None] * 4


def test_an_epoch_tells_the_share_of_its_time_that_waited_for_data(tmp_path):
    _, reports = run(request(fixed(tmp_path)), tmp_path)
    assert all(0 <= report.data_wait_share < 1 for report in reports)
    assert any(report.data_wait_share > 0 for report in reports)


def barred(folder, bars):
    """The fixed bits of these tests, to be stopped where they are below a bar."""
    given = fixed(folder)
    note = {"budget": 4.0, "bars": {str(epoch): bar for epoch, bar in bars.items()}}
    return request(dataclasses.replace(given, note=note))


def test_a_trial_ends_after_the_first_epoch_in_which_it_is_below_its_bar(tmp_path):
    run = TrialRun(
        barred(tmp_path, {1: 0.0, 2: 1.1, 3: 1.1}), checkpoints=tmp_path, data_folder=tmp_path, threads=1
    )
    while not run.finished:
        run.step()
    end = run.end()
    assert isinstance(end, TrialStop)
    assert (end.epochs, end.samples) == (2, 400)
    assert "after epoch 2" in end.message
    assert not list((tmp_path / "trial-a").glob("point-*"))


@pytest.mark.parametrize("killed_after", [1, 2])
def test_a_trial_that_was_killed_is_stopped_after_the_very_same_epoch(tmp_path, killed_after):
    wanted = barred(tmp_path, {2: 1.1})
    folders = {"checkpoints": tmp_path, "data_folder": tmp_path, "threads": 1}
    first = TrialRun(wanted, **folders)
    for _ in range(killed_after):
        first.step()
    again = TrialRun(wanted, **folders)
    while not again.finished:
        again.step()
    assert again.end().epochs == 2


def test_one_training_by_itself_runs_to_its_end(tmp_path):
    outcome, reports = run(barred(tmp_path, {1: 1.1}), tmp_path)
    assert (outcome.epochs, len(reports)) == (4, 4)


def test_bars_are_of_the_objective(tmp_path):
    spec = job().model_copy(update={"objective": "loss"})
    given = dataclasses.replace(fixed(tmp_path), note={"budget": 4.0, "bars": {"1": 0.1}})
    places = {"checkpoints": tmp_path, "data_folder": tmp_path, "threads": 1}
    run = TrialRun(request(given, spec), **places)
    report = run.step()
    assert (run.stopped is not None) == (math.exp(-report.validation_loss) < 0.1)
