"""What the store promises of trainings done before, on SQLite and PostgreSQL: none is done again."""

from __future__ import annotations

from dataclasses import replace

from tests.contract.running_job import RunningJob, outcome_of
from workers.report import TrialFailure


def test_a_training_done_before_is_taken_over_with_its_points(store, job_spec, training):
    first = RunningJob(store, job_spec())
    first.do("start", first.trials[0])
    assert not first.do("reuse", first.trials[1])
    first.do("succeed", first.trials[0], outcome_of(training))
    second = RunningJob(store, job_spec(name="again", budget={"max": [4]}))
    assert second.do("reuse", second.trials[0])
    assert not second.do("reuse", second.trials[0])
    (earlier,), (taken,) = first.points(), second.points()
    assert taken.allocation == earlier.allocation
    assert (earlier.feasible, taken.feasible) == (True, False)
    with store.unit() as unit:
        view = unit.trials.get(second.trials[0])
        assert (view.state, view.reused_from, view.attempts) == ("succeeded", first.trials[0], [])
        assert unit.points.checkpoint(taken.id) == (first.trials[0], "point-0.safetensors")
        study = unit.jobs.get(second.job_id).studies[0]
    assert (study.trials_reused, study.samples) == (1, 200)


def test_a_point_that_is_taken_over_gets_the_costs_of_its_new_job(store, job_spec, training):
    first = RunningJob(store, job_spec())
    first.do("start", first.trials[0])
    first.do("succeed", first.trials[0], outcome_of(training))
    second = RunningJob(store, job_spec(name="again", budget={"metric": "cycles", "max": [400]}))
    costs = {scope: {"bit_budget": 2.0, "cycles": 300.0} for scope in ("searched", "all")}
    assert second.do("reuse", second.trials[0], lambda point: replace(point, costs=costs))
    (taken,) = second.points()
    assert (taken.costs, taken.feasible) == (costs, True)
    assert taken.costs != first.points()[0].costs


def test_a_failed_training_is_not_taken_over(store, job_spec):
    first = RunningJob(store, job_spec())
    first.do("start", first.trials[0])
    first.do("fail", first.trials[0], TrialFailure(reason="error", message="x"))
    second = RunningJob(store, job_spec())
    assert not second.do("reuse", second.trials[0])
