"""How a claimed job is fed: in turn, once each, and not a moment longer than the claim holds."""

from __future__ import annotations

from typing import Any

from models.allocation import Allocation, LayerBits
from models.cost import CostBasis, Hardware, costs
from search.strategy import FixedBits
from service.jobs import JobRun
from workers.report import TrialFailure, TrialRequest

FAILURE = TrialFailure(reason="error", message="broken")


def proposal(weight_bits: int) -> FixedBits:
    """What a scripted method proposes."""
    bits = LayerBits.uniform(steps=1, spike_bits=1, weight_bits=weight_bits)
    return FixedBits(allocation=Allocation(layers={"body": bits, "classifier": bits}), note={})


def bits(request: Any) -> int:
    """The weight bits that a request trains."""
    assert isinstance(request, TrialRequest)
    return int(request.proposal["allocation"]["body"]["weight_bits"])


def succeed(job: JobRun, training: Any, request: TrialRequest) -> None:
    job.started(request.trial_id)
    job.succeeded(request.trial_id, training.good(request))


def test_studies_take_turns(scene):
    job = scene({"random": [[1, 2, 3]], "optuna-tpe": [[4, 5]]}).job()
    assert [bits(job.next_trial()) for _ in range(5)] == [1, 4, 2, 5, 3]
    assert job.next_trial() == "wait"


def test_a_round_waits_for_the_one_before_and_is_told_in_its_order(scene, training):
    here = scene({"random": [[1, 2], [3]]})
    job = here.job()
    first, second = job.next_trial(), job.next_trial()
    succeed(job, training, second)
    assert job.next_trial() == "wait"
    assert here.told["random"] == []
    job.started(first.trial_id)
    job.failed(first.trial_id, FAILURE)
    assert [(result.proposal, result.cost) for result in here.told["random"][0]] == [
        (proposal(1), None),
        (proposal(2), 2.0),
    ]
    assert bits(job.next_trial()) == 3


def test_every_round_is_told_once_and_in_full(scene, training):
    here = scene({"random": [[1, 2], [3], [4]]}, compute={"trials_per_study": 4})
    job = here.job()
    while isinstance(request := job.next_trial(), TrialRequest):
        succeed(job, training, request)
    told = [[result.proposal for result in results] for results in here.told["random"]]
    assert told == [[proposal(1), proposal(2)], [proposal(3)], [proposal(4)]]
    assert [(trial.round, trial.number) for trial in here.trials()] == [(0, 0), (0, 1), (1, 2), (2, 3)]


def test_a_resumed_study_is_told_its_rounds_again(scene, training):
    here = scene({"random": [[1, 2], [3]]})
    job = here.job()
    succeed(job, training, job.next_trial())
    succeed(job, training, job.next_trial())
    told = here.told["random"].copy()
    here.told["random"].clear()
    resumed = here.job(here.claimed())
    assert here.told["random"] == told
    assert bits(resumed.next_trial()) == 3


def test_a_study_gets_no_more_trials_than_its_share(scene, training):
    job = scene({"random": [[1, 2], [3, 4], [5]]}).job()
    for _ in range(3):
        succeed(job, training, job.next_trial())
    assert job.next_trial() == "finished"


def test_the_same_training_is_not_done_twice(scene, training):
    here = scene({"random": [[1, 1, 2]], "optuna-tpe": [[1]]})
    job = here.job()
    first = job.next_trial()
    assert [bits(first), bits(job.next_trial())] == [1, 2]
    assert job.next_trial() == "wait"
    succeed(job, training, first)
    assert job.next_trial() == "wait"
    reused = [trial.reused_from for trial in here.trials("succeeded")]
    assert reused == [None, first.trial_id, first.trial_id]


def test_a_reused_point_costs_what_it_costs_on_the_hardware_of_its_own_job(scene, training):
    here = scene({"random": [[1]]})
    job = here.job()
    succeed(job, training, job.next_trial())
    assert job.next_trial() == "finished"
    job.finish()
    slow = {"rows": 1, "columns": 2}
    there = scene({"random": [[1]]}, hardware=slow, budget={"metric": "cycles", "max": [1e9]})
    assert there.job().next_trial() == "finished"
    (earlier,), (taken,) = here.points(), there.points()
    allocation = proposal(1).allocation
    own = costs(training.layers, allocation, "all", basis=CostBasis(hardware=Hardware(**slow)))
    assert taken.costs["all"]["cycles"] == own["cycles"] > 50 * earlier.costs["all"]["cycles"]
    assert taken.costs["all"]["bit_budget"] == earlier.costs["all"]["bit_budget"]
    assert taken.feasible


def test_the_same_training_is_done_again_where_the_first_failed(scene):
    job = scene({"random": [[1, 1]]}).job()
    first = job.next_trial()
    job.started(first.trial_id)
    job.failed(first.trial_id, FAILURE)
    second = job.next_trial()
    assert bits(second) == 1
    assert second.trial_id != first.trial_id


def test_a_job_with_a_point_succeeds(scene, training):
    here = scene({"random": [[1, 2]]})
    job = here.job()
    first, second = job.next_trial(), job.next_trial()
    job.started(first.trial_id)
    job.failed(first.trial_id, FAILURE)
    succeed(job, training, second)
    assert job.next_trial() == "finished"
    job.finish()
    assert (here.view().state, here.view().error) == ("succeeded", None)


def test_a_job_whose_every_trial_failed_says_why(scene):
    here = scene({"random": [[1]]})
    job = here.job()
    job.failed(job.next_trial().trial_id, FAILURE)
    job.finish()
    assert here.view().state == "failed"
    assert here.view().error == "Every trial failed; the first: error: broken"


def test_a_job_without_any_trial_says_so(scene):
    here = scene({"random": []})
    here.job().finish()
    assert (here.view().state, here.view().error) == ("failed", "No method proposed a trial.")


def test_a_run_that_ends_too_early_is_a_failure(scene):
    here = scene({"random": [[1]]})
    here.job().finish()
    assert here.view().error == "The trials stopped before the search was complete."


def test_a_cancelled_job_stops_within_a_second_and_keeps_its_front(scene, training, store):
    here = scene({"random": [[1, 2, 3]]})
    job = here.job()
    succeed(job, training, job.next_trial())
    running = job.next_trial()
    job.started(running.trial_id)
    assert not job.cancelled()
    with store.unit() as unit:
        unit.jobs.request_cancel(here.job_id)
    here.now = 0.9
    assert not job.cancelled()
    here.now = 1.0
    assert job.cancelled()
    assert job.next_trial() == "finished"
    job.finish()
    assert here.view().state == "cancelled"
    assert [(trial.state, trial.message) for trial in here.trials()] == [
        ("succeeded", None),
        ("pruned", "job cancelled"),
        ("pruned", "job cancelled"),
    ]
    with store.unit() as unit:
        front = unit.fronts.front(here.job_id, metric="bit_budget", method=None, seed=None, all_points=False)
    assert len(front.points) == 1


def test_a_job_that_is_taken_over_is_left_alone(scene, training):
    here = scene({"random": [[1, 2]]})
    job = here.job()
    first = job.next_trial()
    job.started(first.trial_id)
    heir = here.claimed(60.0)
    job.epoch(first.trial_id, training.report(1))
    assert job.cancelled()
    assert job.next_trial() == "finished"
    job.succeeded(first.trial_id, training.good(first))
    job.finish()
    job.abort("late")
    assert here.view().state == "running"
    with here.store.unit() as unit:
        found = unit.incidents.page(here.job_id, limit=9, cursor=None).items[::-1]
    late = [(one.what, one.trial_id, one.token) for one in found if one.kind == "late_result"]
    assert late == [(what, first.trial_id, 1) for what in ("epoch", "success")]
    assert [trial.state for trial in here.trials()] == ["queued", "queued"]
    second = here.job(heir)
    again = second.next_trial()
    assert again == first
    assert (first.attempt, again.attempt) == (1, 2)


def test_a_job_is_given_back_when_the_dispatcher_stops(scene, training):
    here = scene({"random": [[1, 2]]})
    job = here.job()
    succeed(job, training, job.next_trial())
    running = job.next_trial()
    job.started(running.trial_id)
    here.halting = True
    assert job.cancelled()
    assert job.next_trial() == "finished"
    job.failed(running.trial_id, FAILURE)
    job.finish()
    assert here.view().state == "queued"
    assert [trial.state for trial in here.trials()] == ["succeeded", "queued"]
    here.halting = False
    assert here.job(here.claimed()).next_trial() == running


def test_trials_may_store_where_they_are_only_while_the_job_is_the_dispatchers_to_go_on_with(scene):
    here = scene({"random": [[1, 2]]})
    job = here.job()
    trial = job.next_trial().trial_id
    job.started(trial)
    assert not job.pausing()
    here.halting = True
    assert job.pausing()
    here.orderly = False  # its heartbeat has lost the lease
    assert not job.pausing()
    here.orderly = True
    job.advanced(trial, 50)
    assert here.trials()[0].samples == 50
    here.claimed()
    job.advanced(trial, 60)  # another has the job now
    assert not job.pausing()
    assert here.trials()[0].samples == 50


def test_a_cancelled_job_waits_for_no_trial(scene):
    here = scene({"random": [[1]]})
    job = here.job()
    with here.store.unit() as unit:
        unit.jobs.request_cancel(here.job_id)
    assert job.cancelled()
    here.halting = True
    assert not job.pausing()


def test_an_error_while_the_dispatcher_stops_does_not_fail_the_job(scene):
    here = scene({"random": [[1]]})
    job = here.job()
    here.halting = True
    job.abort("Ray went away")
    assert here.view().state == "queued"


def test_a_lost_attempt_is_followed_by_another(scene, training):
    here = scene({"random": [[1]]})
    job = here.job()
    request = job.next_trial()
    job.started(request.trial_id)
    job.lost(request.trial_id, "the worker died")
    assert job.next_trial() == "wait"
    succeed(job, training, request)
    assert job.next_trial() == "finished"


def test_a_late_result_changes_nothing(scene, training):
    here = scene({"random": [[1], [2]]})
    job = here.job()
    first = job.next_trial()
    succeed(job, training, first)
    job.succeeded(first.trial_id, training.good(first))
    assert len(here.told["random"]) == 1
    assert bits(job.next_trial()) == 2
