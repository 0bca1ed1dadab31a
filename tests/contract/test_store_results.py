"""What the store promises of results, on SQLite and PostgreSQL: each counts once and is told in order."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from models.allocation import Allocation, LayerBits
from tests.contract.running_job import ALLOCATION, EVERY, PROPOSAL, RunningJob, outcome_of
from workers.report import PointResult, TrialFailure, TrialOutcome


@pytest.fixture
def running(store, job_spec) -> RunningJob:
    return RunningJob(store, job_spec())


@pytest.fixture
def outcome(training) -> TrialOutcome:
    return outcome_of(training)


def test_a_result_counts_once(running, outcome):
    trial = running.trials[0]
    assert running.do("start", trial)
    assert running.do("succeed", trial, outcome)
    kinds = running.kinds()
    assert not running.do("succeed", trial, outcome)
    assert not running.do("fail", trial, TrialFailure(reason="error", message="late"))
    assert not running.do("lose", trial, "late")
    assert not running.do("start", trial)
    assert len(running.points()) == 1
    assert running.kinds() == kinds


def test_a_result_of_a_trial_that_was_not_started_does_not_count(running, outcome):
    assert not running.do("succeed", running.trials[0], outcome)
    assert running.points() == []


def test_a_result_after_its_attempt_was_lost_does_not_count(running, outcome, training):
    trial = running.trials[0]
    running.do("start", trial)
    assert running.do("lose", trial, "the worker died")
    assert not running.do("epoch", trial, training.report(1))
    assert not running.do("succeed", trial, outcome)
    assert running.points() == []


def test_a_point_carries_what_makes_it_reproducible(running, outcome, job_spec):
    trial = running.trials[0]
    running.do("start", trial)
    running.do("succeed", trial, outcome)
    (point,) = running.points()
    result = outcome.points[0]
    assert point.trial_id == trial
    assert list(point.allocation) == list(ALLOCATION.layers)
    assert Allocation.from_json(point.allocation) == ALLOCATION
    assert (point.costs, point.cost_versions, point.rates) == (
        result.costs,
        dict(result.cost_versions),
        result.rates,
    )
    assert (point.provenance, point.proposal, point.spec) == (
        {"torch": "2"},
        PROPOSAL,
        job_spec().to_json(),
    )
    assert list(point.proposal["note"]) == ["zeta", "alpha"]
    assert (point.validation_accuracy, point.test_accuracy) == (0.75, 0.74)
    with running.store.unit() as unit:
        assert unit.points.checkpoint(point.id) == (trial, "point-0.safetensors")
        assert unit.points.get(point.id) == point
        assert unit.trials.get(trial).point_ids == [point.id]


@pytest.mark.parametrize(
    ("changes", "feasible"),
    [
        ({"budget": {"max": [8]}}, True),
        ({"budget": {"max": [4, 7.99]}}, False),
        ({"constraints": [{"metric": "weight_kib", "max": 100}]}, True),
        ({"constraints": [{"metric": "weight_kib", "max": 0.5}]}, False),
        ({"constraints": [{"metric": "s_ace", "max": 1_300_000}]}, True),
        ({"constraints": [{"metric": "s_ace", "max": 1_300_000, "scope": "all"}]}, False),
    ],
)
def test_a_point_is_feasible_if_it_keeps_every_limit_of_its_job(store, job_spec, outcome, changes, feasible):
    running = RunningJob(store, job_spec(**changes))
    running.do("start", running.trials[0])
    running.do("succeed", running.trials[0], outcome)
    assert [point.feasible for point in running.points()] == [feasible]


def test_the_learning_curve_keeps_the_latest_of_a_repeated_epoch(running, training):
    trial = running.trials[0]
    running.do("start", trial)
    running.do("epoch", trial, training.report(1))
    running.do("epoch", trial, training.report(2))
    running.do("lose", trial, "the worker died")
    running.do("start", trial)
    running.do("epoch", trial, training.report(2))
    with running.store.unit() as unit:
        view = unit.trials.get(trial)
    assert [epoch.epoch for epoch in view.epochs] == [1, 2]
    assert [epoch.data_wait_share for epoch in view.epochs] == [0.02, 0.04]
    assert (view.epochs_done, view.samples) == (2, 200)
    assert [(attempt.state, attempt.first_epoch) for attempt in view.attempts] == [
        ("lost", 1),
        ("running", 2),
    ]
    assert view.attempts[0].message == "the worker died"


def test_an_infinite_loss_is_told_as_nothing(running, training):
    running.do("start", running.trials[0])
    running.do("epoch", running.trials[0], replace(training.report(1), train_loss=float("inf")))
    with running.store.unit() as unit:
        assert unit.events.after(running.job_id, after=0, limit=99)[-1].data["train_loss"] is None


def test_a_failure_keeps_its_reason(running):
    trial = running.trials[0]
    running.do("start", trial)
    assert running.do("fail", trial, TrialFailure(reason="out_of_memory", message="use a smaller batch"))
    with running.store.unit() as unit:
        view = unit.trials.get(trial)
        study = unit.jobs.get(running.job_id).studies[0]
    assert (view.state, view.reason, view.message) == ("failed", "out_of_memory", "use a smaller batch")
    assert [attempt.state for attempt in view.attempts] == ["failed"]
    assert (study.trials_failed, study.trials_queued) == (1, 1)


def test_a_failure_keeps_the_points_before_it(running, outcome):
    trial = running.trials[0]
    running.do("start", trial)
    told = TrialFailure(
        reason="nan_loss", message="no number", points=outcome.points, provenance=outcome.provenance
    )
    assert running.do("fail", trial, told)
    assert not running.do("fail", trial, told)
    with running.store.unit() as unit:
        view = unit.trials.get(trial)
        (point,) = unit.points.page(running.job_id, limit=9, cursor=None).items
        front = unit.fronts.front(
            running.job_id, metric="bit_budget", method=None, seed=None, all_points=False
        )
    assert (view.state, view.point_ids) == ("failed", [point.id])
    assert point.provenance == outcome.provenance
    assert [shown.id for shown in front.points] == [point.id]


def test_events_tell_every_step_in_order(running, outcome, training):
    first, second = running.trials
    running.do("start", first)
    running.do("epoch", first, training.report(1))
    running.do("succeed", first, outcome)
    running.do("start", second)
    running.do("fail", second, TrialFailure(reason="error", message="x"))
    assert running.kinds() == [
        *("job_state", "job_state"),
        *("trial_started", "epoch", "point", "trial_finished"),
        *("trial_started", "trial_finished"),
    ]
    with running.store.unit() as unit:
        events = unit.events.after(running.job_id, after=0, limit=99)
    assert [event.id for event in events] == sorted({event.id for event in events})
    assert events[4].data["on_front"]
    assert events[-1].data | {"state": "failed", "reason": "error"} == events[-1].data


def test_trials_are_listed_newest_first_and_filtered(store, job_spec, outcome):
    running = RunningJob(store, job_spec(seeds=[0, 1]))
    first, second = running.trials
    running.do("start", first)

    def listed(**chosen: Any) -> list[str]:
        wanted = {"state": None, "method": None, "seed": None, **EVERY, **chosen}
        with store.unit() as unit:
            return [trial.id for trial in unit.trials.page(running.job_id, **wanted).items]

    assert listed() == [second, first]
    assert listed(limit=1) == [second]
    assert listed(state="running") == [first]
    assert listed(method="random", seed=0) == [second, first]
    assert listed(seed=1) == listed(method="uniform") == []


def test_the_best_point_under_each_budget_is_told_per_study_and_job(store, job_spec, training):
    running = RunningJob(store, job_spec(budget={"max": [4, 8, 20]}))
    cheap = Allocation(
        layers=dict.fromkeys(("body", "classifier"), LayerBits.uniform(steps=1, spike_bits=2, weight_bits=2))
    )
    for trial, allocation, accuracy in zip(running.trials, (cheap, ALLOCATION), (0.6, 0.8), strict=True):
        running.do("start", trial)
        points = (training.point(allocation, accuracy=accuracy),)
        running.do("succeed", trial, TrialOutcome(points=points, epochs=2, samples=200))
    with store.unit() as unit:
        job = unit.jobs.get(running.job_id)
    expected = [(4.0, 4.0, 0.6), (8.0, 8.0, 0.8), (20.0, 8.0, 0.8)]
    assert [(best.budget, best.cost, best.validation_accuracy) for best in job.best] == expected
    assert job.studies[0].best == job.best
    assert {best.point_id for best in job.studies[1].best} == {None}
    assert (job.trials_finished, job.studies[0].trials_succeeded, job.studies[0].samples) == (2, 2, 400)


def test_seconds_left_follow_from_the_trials_so_far(running, outcome):
    with running.store.unit() as unit:
        assert unit.jobs.get(running.job_id).seconds_left is None
    running.do("start", running.trials[0])
    running.do("succeed", running.trials[0], outcome)
    with running.store.unit() as unit:
        seconds = unit.trials.get(running.trials[0]).seconds
        job = unit.jobs.get(running.job_id)
        assert job.seconds_left == pytest.approx(5 * seconds)
        assert unit.jobs.page(limit=1, cursor=None, state=None).items[0].seconds_left == job.seconds_left


def test_several_points_of_a_trial_are_kept_in_order(running, training):
    points: tuple[PointResult, ...] = tuple(
        training.point(ALLOCATION, accuracy=accuracy) for accuracy in (0.5, 0.7, 0.6)
    )
    running.do("start", running.trials[0])
    running.do("succeed", running.trials[0], TrialOutcome(points=points, epochs=2, samples=200))
    with running.store.unit() as unit:
        stored = unit.studies.trials(running.study)[0]
        ids = unit.trials.get(running.trials[0]).point_ids
        found = [unit.points.get(point_id).validation_accuracy for point_id in ids]
    assert found == [point.score for point in stored.points] == [0.5, 0.7, 0.6]
