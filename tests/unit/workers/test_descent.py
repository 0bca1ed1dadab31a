"""A descent records a point under each budget of one training, and resumes bit for bit at any epoch."""

import dataclasses
import itertools
import json
from pathlib import Path

import pytest
import torch

from models.allocation import Allocation, LayerBits
from models.cost import Limit
from models.errors import NanLossError
from search.job import JobSpec
from search.strategy import FixedBits, FixedFront, LearnBits, LearnFront, proposal_to_json
from workers.checkpoints import read_tensors
from workers.descent import stage_at, stages_of
from workers.evaluation import accuracy
from workers.failures import failure_of
from workers.report import TrialRequest, failure_from_json, to_json
from workers.steering import Steer
from workers.trial import TrialRun, run_trial

BUDGETS = (6.0, 3.0, 1.5)


def job(**changes):
    fields = {
        "name": "small",
        "architecture": {"name": "conv-net", "width": 4},
        "dataset": {"name": "digits", "train_samples": 200},
        "budget": {"max": [1.5, 3, 6]},
        "training": {"epochs": 4, "batch_size": 32},
    }
    return JobSpec.model_validate({**fields, **changes})


def front(budgets=BUDGETS, trials=2):
    limits = tuple(Limit(metric="bit_budget", maximum=maximum) for maximum in budgets)
    return LearnFront(budgets=limits, trials=trials, note={})


def request(proposal=None, spec=None, seed=0):
    return TrialRequest(
        trial_id="trial-a",
        spec=(spec or job()).to_json(),
        proposal=proposal_to_json(proposal or front()),
        seed=seed,
    )


def opened(wanted, folder):
    return TrialRun(wanted, checkpoints=folder, data_folder=folder, threads=1)


def run(wanted, folder):
    reports = []
    outcome = run_trial(wanted, checkpoints=folder, data_folder=folder, threads=1, report=reports.append)
    return outcome, reports


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """An undisturbed descent: its folder, outcome and reports."""
    folder = tmp_path_factory.mktemp("whole")
    return folder, *run(request(), folder)


def bounds_of(proposal, **changes):
    return [(stage.first_epoch, stage.end) for stage in stages_of(proposal, job(**changes))]


def test_epochs_are_shared_out_with_two_parts_for_the_first_stage():
    assert bounds_of(front(trials=2)) == [(0, 4), (4, 6), (6, 8)]
    assert bounds_of(front(trials=3)) == [(0, 6), (6, 9), (9, 12)]
    assert bounds_of(front(trials=1)) == [(0, 2), (2, 3), (3, 4)]


@pytest.mark.parametrize("trials", [1, 2, 7])
@pytest.mark.parametrize("budgets", range(1, 30))
def test_stages_follow_on_each_other_and_fill_the_trials(trials, budgets):
    stages = bounds_of(front([float(40 - place) for place in range(budgets)], trials))
    assert (stages[0][0], stages[-1][1]) == (0, 4 * trials)
    assert all(first[1] == second[0] for first, second in itertools.pairwise(stages))
    assert all(end > start for start, end in stages)


def test_with_fewer_epochs_than_budgets_the_least_budgets_have_a_stage():
    stages = stages_of(front(trials=1), job(training={"epochs": 2}))
    assert [stage.steering.limits[0].maximum for stage in stages] == [3.0, 1.5]


def test_every_stage_keeps_the_constraints_of_the_job():
    spec = job(constraints=[{"metric": "weight_kib", "max": 2}])
    assert all(stage.steering.limits[1:] == spec.constraint_limits() for stage in stages_of(front(), spec))


def test_other_trainings_have_one_stage():
    learn = LearnBits(budget=Limit(metric="bit_budget", maximum=3.0), note={})
    assert bounds_of(learn) == bounds_of(FixedBits(allocation=Allocation(layers={}), note={})) == [(0, 4)]


def test_a_stage_is_found_from_the_epochs_that_were_trained():
    stages = stages_of(front(), job())
    assert [stages.index(stage_at(stages, epochs)) for epochs in range(9)] == [0, 0, 0, 0, 0, 1, 1, 2, 2]


def test_each_point_keeps_its_budget_and_the_samples_add_up_to_the_trials(whole):
    _, outcome, reports = whole
    found = [point.costs["searched"]["bit_budget"] for point in outcome.points]
    assert len(found) == len(BUDGETS)
    assert all(0.8 * budget < cost <= budget for cost, budget in zip(found, BUDGETS, strict=True))
    assert (outcome.epochs, outcome.samples) == (8, 2 * 4 * 200)
    assert [report.epoch for report in reports] == list(range(1, 9))
    assert {report.epochs for report in reports} == {8}


def test_each_point_is_recorded_at_the_end_of_a_cycle_of_the_learning_rate(whole):
    _, outcome, reports = whole
    rates = [report.learning_rate for report in reports]
    assert rates[4] > rates[3]
    assert rates[6] > rates[5]
    for end, point in zip((4, 6, 8), outcome.points, strict=True):
        assert rates[end - 1] < 0.02 * job().training.lr
        assert reports[end - 1].validation_accuracy == point.validation_accuracy
        assert reports[end - 1].budget_cost == point.costs["searched"]["bit_budget"]


def test_weights_and_step_sizes_carry_over_and_bits_go_on_from_what_was_frozen(tmp_path):
    run_ = opened(request(), tmp_path)
    for _ in range(4):
        run_.step()
    before = {name: value.clone() for name, value in run_.trainer.network.state_dict().items()}
    frozen = run_.trainer.network.allocation()
    assert not any(bits.requires_grad for bits in run_.trainer.network.bit_parameters())
    progress = run_.trainer._descend(run_.progress)
    after = run_.trainer.network.state_dict()
    assert all(torch.equal(after[name], before[name]) for name in before)
    assert run_.trainer.network.allocation() == frozen
    assert any(bits.requires_grad for bits in run_.trainer.network.bit_parameters())
    assert progress.allocation is None
    assert progress.steering.initial_costs == pytest.approx(
        (run_.points[0].costs["searched"]["bit_budget"],), rel=1e-5
    )


def test_the_budget_of_each_stage_tightens_from_its_start(tmp_path, monkeypatch):
    passed = []
    penalty = Steer.penalty

    def watched(self, state, share, rates=None):
        passed.append((self.steering.limits[0].maximum, share))
        return penalty(self, state, share, rates)

    monkeypatch.setattr(Steer, "penalty", watched)
    run(request(), tmp_path)
    steps = {maximum: [share for other, share in passed if other == maximum] for maximum in BUDGETS}
    assert [len(shares) for shares in steps.values()] == [14, 7, 7]  # half of each stage, 7 steps an epoch
    for shares in steps.values():
        assert shares == [step / len(shares) for step in range(len(shares))]


def test_what_is_not_learned_stays_at_its_start_in_every_stage(tmp_path):
    spec = job(bits={"learn": ["weight"], "initial": {"spike": 2, "steps": 1}}, budget={"max": [3, 6]})
    outcome, _ = run(request(front((6.0, 3.0)), spec), tmp_path)
    for point in outcome.points:
        allocation = Allocation.from_json(point.allocation)
        assert {(bits.steps, bits.spike_bits) for _, bits in allocation} == {(1, (2,))}


@pytest.mark.parametrize("epochs_before", range(1, 9))
def test_a_descent_killed_after_any_epoch_ends_with_the_same_points_bit_for_bit(
    tmp_path, whole, epochs_before
):
    folder, outcome, reports = whole
    first = opened(request(), tmp_path)
    for _ in range(epochs_before):
        first.step()
    torch.manual_seed(12345)  # a new process would not share this one's random state
    cut, rest = run(request(), tmp_path)
    assert [report.epoch for report in rest] == list(range(epochs_before, 9))
    assert [report.train_loss for report in rest] == [
        report.train_loss for report in reports[epochs_before - 1 :]
    ]
    assert cut.points == outcome.points  # the hashes of their checkpoints among the rest
    for point in outcome.points:
        ours, theirs = (
            read_tensors(where / "trial-a" / point.checkpoint, point.checkpoint_sha256)
            for where in (tmp_path, folder)
        )
        assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_a_descent_that_fails_keeps_the_points_before(tmp_path, whole):
    run = opened(request(), tmp_path)
    assert failure_of(NanLossError("no number"), run).points == ()
    while not run.points:
        run.step()
    failure = failure_of(NanLossError("no number"), run)
    _, outcome, _ = whole
    assert failure.points == outcome.points[:1]
    assert failure.provenance == outcome.provenance
    assert failure_from_json(json.loads(json.dumps(to_json(failure)))) == failure


def test_a_descent_whose_recorded_point_is_damaged_trains_it_again(tmp_path, whole):
    _, outcome, _ = whole
    first = opened(request(), tmp_path)
    for _ in range(5):
        first.step()
    (tmp_path / "trial-a" / "point-0.safetensors").write_bytes(b"broken")
    again, rest = run(request(), tmp_path)
    assert [report.epoch for report in rest] == list(range(1, 9))
    assert again.points == outcome.points


def test_the_checkpoint_of_every_point_loads_and_reaches_the_stored_accuracies(tmp_path, whole):
    folder, outcome, _ = whole
    assert [point.checkpoint for point in outcome.points] == [
        f"point-{ordinal}.safetensors" for ordinal in range(3)
    ]
    for point in outcome.points:
        fresh = opened(request(seed=7), tmp_path)
        network = fresh.trainer.network
        network.freeze(Allocation.from_json(point.allocation))
        network.load_state_dict(read_tensors(folder / "trial-a" / point.checkpoint, point.checkpoint_sha256))
        assert network.allocation() == Allocation.from_json(point.allocation)
        assert accuracy(network, fresh.data.validation) == point.validation_accuracy
        assert accuracy(network, fresh.data.test) == point.test_accuracy


def test_the_same_descent_gives_the_same_points_and_another_seed_others(tmp_path, whole):
    _, outcome, _ = whole
    again, _ = run(request(), tmp_path / "again")
    other, _ = run(request(seed=1), tmp_path / "other")
    assert again == outcome
    hashes = [[point.checkpoint_sha256 for point in one.points] for one in (outcome, other)]
    assert not set(hashes[0]) & set(hashes[1])


def test_a_descent_of_one_budget_ends_as_learning_under_it_alone_does(tmp_path):
    limit = Limit(metric="bit_budget", maximum=3.0)
    alone, _ = run(request(LearnBits(budget=limit, note={})), tmp_path / "alone")
    descent, _ = run(request(front((3.0,), trials=1)), tmp_path / "descent")
    assert descent.points == alone.points


def test_results_do_not_depend_on_how_a_proposal_is_noted(tmp_path, whole):
    _, outcome, _ = whole
    noted = dataclasses.replace(front(), note={"budget": 1.5})
    assert run(request(noted), tmp_path)[0].points == outcome.points


def uniform_front():
    """Through three uniform allocations of the small network."""
    names = opened(request(), Path("/nowhere")).trainer.network.searched
    widths = ((2, 3), (1, 3), (1, 1))
    allocations = tuple(
        Allocation(
            layers={name: LayerBits.uniform(steps=steps, spike_bits=bits, weight_bits=bits) for name in names}
        )
        for steps, bits in widths
    )
    return FixedFront(allocations=allocations, trials=2, note={})


def test_a_descent_through_given_allocations_trains_exactly_those(tmp_path):
    given = uniform_front()
    outcome, reports = run(request(given), tmp_path)
    assert [Allocation.from_json(point.allocation) for point in outcome.points] == list(given.allocations)
    assert bounds_of(given) == bounds_of(front(trials=2))
    costs = [point.costs["searched"]["bit_budget"] for point in outcome.points]
    assert [report.budget_cost for report in reports] == pytest.approx(
        [cost for cost, epochs in zip(costs, (4, 2, 2), strict=True) for _ in range(epochs)]
    )


def test_the_first_stage_through_given_allocations_trains_as_one_alone_would(tmp_path):
    given = uniform_front()
    alone = FixedBits(allocation=given.allocations[0], note={})
    _, reports = run(request(given), tmp_path / "front")
    _, expected = run(request(alone), tmp_path / "alone")
    assert [report.train_loss for report in reports[:4]] == [report.train_loss for report in expected]


@pytest.mark.parametrize("epochs_before", [3, 4, 5, 7])
def test_a_descent_through_given_allocations_resumes_bit_for_bit(tmp_path, epochs_before):
    wanted = request(uniform_front())
    undisturbed, _ = run(wanted, tmp_path / "whole")
    first = opened(wanted, tmp_path / "cut")
    for _ in range(epochs_before):
        first.step()
    torch.manual_seed(12345)
    cut, _ = run(wanted, tmp_path / "cut")
    assert cut.points == undisturbed.points
